"""How can one width say both how many filters a layer has and whether it is there at all? By the channel-level bypass
of NetAdaptV2 (arXiv 2104.00031; docs/elastic.md, 6): a removed filter hands on the input channel of its position.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from surgenas.core.errors import UsageError
from surgenas.nn.substitution import call_with


def channels_left(inputs: int, filters: int, kept: int) -> int:
    """How many channels a unit of so many inputs and filters gives if the first `kept` filters stay."""
    return max(min(inputs, filters), kept)


class ChannelBypass(nn.Module):
    """A convolution, its norm and its activation, of which any number of filters can be replaced by input channels.

    With all filters it is the plain layer, with none the identity (of the first channels, if there are more than
    filters).
    """

    def __init__(self, conv: nn.Conv2d, norm: nn.Module, activation: nn.Module) -> None:
        """conv keeps the size of the map and has no groups; the norm's parameters are one a channel.

        Raises UsageError for another convolution.
        """
        super().__init__()
        around = tuple(d * (k // 2) for d, k in zip(conv.dilation, conv.kernel_size, strict=True))
        odd = all(k % 2 for k in conv.kernel_size)
        if conv.stride != (1, 1) or conv.groups != 1 or not (odd and conv.padding in ("same", around)):
            raise UsageError(
                f"channels cannot pass by {conv}; expected stride 1, one group, an output as large as the input"
            )
        self.conv, self.norm, self.activation = conv, norm, activation

    def forward(self, x: Tensor, kept: int | Tensor) -> Tensor:
        """(N, C, H, W) -> (N, Z, H, W), Z = channels_left(C, filters, kept); C may be less than the convolution has.

        kept: the filters that stay, the first ones; or one number an image, (N,) int64. Then Z is that of all filters,
        and what an image does not have is zero; so x may be such an output, and C is what each image has of it. In
        training mode the norm's statistics are then taken over all images. Raises UsageError for a number of filters
        that there is not.
        """
        filters = self.conv.out_channels
        numbers = torch.as_tensor(kept)
        if not bool(((numbers >= 0) & (numbers <= filters)).all()):
            raise UsageError(f"{kept} filters cannot be kept; expected 0 to {filters}")
        if isinstance(kept, Tensor):
            passed = nn.functional.pad(x[:, :filters], (0, 0, 0, 0, 0, max(filters - x.shape[1], 0)))
            stays = torch.arange(filters, device=x.device) < kept.to(x.device)[:, None]
            return torch.where(stays[:, :, None, None], self._made(x, filters), passed)
        passed = x[:, kept:filters]
        if kept == 0 or passed.shape[1] == 0:
            return self._made(x, kept) if kept else passed
        return torch.cat([self._made(x, kept), passed], 1)

    def _made(self, x: Tensor, kept: int) -> Tensor:
        """What the first filters make of x, normed and activated."""
        conv = {"weight": self.conv.weight[:kept, : x.shape[1]]}
        if self.conv.bias is not None:
            conv["bias"] = self.conv.bias[:kept]
        tensors = [*self.norm.named_parameters(), *self.norm.named_buffers()]
        norm = {name: tensor[:kept] for name, tensor in tensors if tensor.ndim}
        made: Tensor = self.activation(call_with(self.norm, norm, call_with(self.conv, conv, x)))
        return made
