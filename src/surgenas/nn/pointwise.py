"""How does a strided 1x1 convolution learn on a CPU?

With few channels, on some sizes of maps in channels_last, oneDNN's backward pass for it (torch 2.14) writes beyond its
memory, and the process is gone (docs/log.md). So the pixels that it reads are taken first, and convolved without
stride.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn


class PointwiseConv2d(nn.Conv2d):
    """nn.Conv2d with a 1x1 kernel and no padding. It computes the same numbers and has the same state."""

    @classmethod
    def from_conv(cls, conv: nn.Conv2d) -> PointwiseConv2d:
        """A convolution with the settings and the very parameters of a plain one."""
        made = cls(conv.in_channels, conv.out_channels, 1, conv.stride[0], groups=conv.groups, bias=False,
                   device="meta")  # fmt: skip
        made.weight, made.bias = conv.weight, conv.bias
        return made

    def forward(self, x_NCHW: Tensor) -> Tensor:
        return self.convolve_with(self.weight, x_NCHW)

    def convolve_with(self, weight_OC11: Tensor, x_NCHW: Tensor) -> Tensor:
        """Convolve (N, C, H, W) with the kernel (O, C, 1, 1) that is passed, in place of the layer's own."""
        if torch.is_grad_enabled() and x_NCHW.device.type == "cpu" and not _is_exported():
            taken = x_NCHW[..., :: self.stride[0], :: self.stride[1]]
            return nn.functional.conv2d(taken, weight_OC11, self.bias, groups=self.groups)
        return self._conv_forward(x_NCHW, weight_OC11, self.bias)


def is_strided_pointwise(conv: nn.Conv2d) -> bool:
    """Whether it is what PointwiseConv2d computes, and has a stride."""
    return conv.kernel_size == (1, 1) and conv.padding == (0, 0) and conv.stride[0] == conv.stride[1] > 1


def _is_exported() -> bool:
    """Whether a runtime is being given the network, which is to have the convolution as it is."""
    return torch._C._get_tracing_state() is not None or torch.compiler.is_compiling()
