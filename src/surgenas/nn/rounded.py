"""Convolutions whose weights have few bits, while they are trained and after: rounded in each forward pass.

The gradient passes rounding as if it were not there (a straight-through estimator; Bengio, Leonard and Courville 2013).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from surgenas.nn.depthwise import DepthwiseConv2d
from surgenas.nn.pointwise import PointwiseConv2d


def round_weights(weight: Tensor, bits: int) -> Tensor:
    """The nearest weights (C, ...) that so many bits can say, symmetric around zero, with a scale for each of the C
    output channels. A gradient passes as to the weights themselves."""
    fixed = weight.detach()
    most = 2 ** (bits - 1) - 1
    step = fixed.flatten(1).abs().amax(1).clamp_min(1e-30).view(-1, *[1] * (weight.ndim - 1)) / most
    return weight + ((fixed / step).round() * step - fixed)


def rounded(weight: Tensor, bits: int) -> Tensor:
    """The same, as a constant while a network is exported, so that nobody who runs it rounds anything."""
    if torch._C._get_tracing_state():
        return torch.from_numpy(round_weights(weight.detach(), bits).numpy())
    return round_weights(weight, bits)


class RoundedConv2d(nn.Conv2d):
    """A convolution whose weights are rounded to `bits` bits. Its parameters are those of nn.Conv2d."""

    bits: int

    def forward(self, input: Tensor) -> Tensor:
        return self._conv_forward(input, rounded(self.weight, self.bits), self.bias)


class RoundedDepthwiseConv2d(DepthwiseConv2d):
    """The same of a depthwise convolution."""

    bits: int

    def forward(self, x_NCHW: Tensor) -> Tensor:
        return self.convolve_with(rounded(self.weight, self.bits), x_NCHW)


class RoundedPointwiseConv2d(PointwiseConv2d):
    """The same of a strided 1x1 convolution."""

    bits: int

    def forward(self, x_NCHW: Tensor) -> Tensor:
        return self.convolve_with(rounded(self.weight, self.bits), x_NCHW)


ROUNDED = {
    nn.Conv2d: RoundedConv2d, DepthwiseConv2d: RoundedDepthwiseConv2d, PointwiseConv2d: RoundedPointwiseConv2d,
}  # fmt: skip
"""By the class of what is as it is."""


def with_rounded_weights(module: nn.Module, bits: int) -> nn.Module:
    """The module, all of whose convolutions have weights of so many bits from now on."""
    for part in module.modules():
        if isinstance(part, nn.Conv2d):
            part.__class__ = ROUNDED[type(part)]
            part.bits = bits  # type: ignore[assignment]
    return module
