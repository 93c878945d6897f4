"""How can a depthwise convolution train fast where the map is small?

oneDNN has no kernel for the weight gradient once padding reaches half of the map: there torch 2.14 is 5 to 60 times
slower than needed, and for images of 24 to 64 px this was most of a training step (docs/log.md).
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

SMALL = 4
"""Up to this height and width of the map the weight gradient is computed by our own code."""


class DepthwiseConv2d(nn.Conv2d):
    """nn.Conv2d with one filter a channel, a k x k kernel and padding k // 2, and a faster backward pass.

    It computes the same numbers and has the same state as nn.Conv2d.
    """

    @classmethod
    def from_conv(cls, conv: nn.Conv2d) -> DepthwiseConv2d:
        """A convolution with the settings and the very parameters of a plain depthwise one."""
        size, k = conv.out_channels, conv.kernel_size[0]
        made = cls(size, size, k, conv.stride[0], k // 2, groups=size, bias=False, device="meta")
        made.weight = conv.weight
        return made

    def forward(self, x_NCHW: Tensor) -> Tensor:
        return self.convolve_with(self.weight, x_NCHW)

    def convolve_with(self, weight_C1kk: Tensor, x_NCHW: Tensor) -> Tensor:
        """Convolve (N, C, H, W) with the kernel (C, 1, k, k) that is passed, in place of the layer's own."""
        if self.training and max(x_NCHW.shape[2:]) <= SMALL and x_NCHW.device.type == "cpu":
            return _SmallMap.apply(x_NCHW, weight_C1kk, self.stride[0])
        return self._conv_forward(x_NCHW, weight_C1kk, None)


class _SmallMap(torch.autograd.Function):
    """A convolution whose weight gradient is computed in windows of 3 x 3 taps over the padded map.

    Each window is a convolution that oneDNN has a fast kernel for.
    """

    @staticmethod
    def forward(ctx: Any, x_NCHW: Tensor, weight_C1kk: Tensor, stride: int) -> Tensor:
        ctx.stride = stride
        ctx.save_for_backward(x_NCHW, weight_C1kk)
        return nn.functional.conv2d(x_NCHW, weight_C1kk, None, stride, weight_C1kk.shape[-1] // 2, 1, len(weight_C1kk))

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> tuple[Any, ...]:
        x_NCHW, weight_C1kk = ctx.saved_tensors
        dx = dweight = None
        if ctx.needs_input_grad[0]:
            padding = weight_C1kk.shape[-1] // 2
            dx, _, _ = _convolution_backward(grads[0], x_NCHW, weight_C1kk, ctx.stride, padding, [True, False, False])
        if ctx.needs_input_grad[1]:
            dweight = _weight_gradient(grads[0], x_NCHW, weight_C1kk, ctx.stride)
        return dx, dweight, None


def _weight_gradient(g_NCHW: Tensor, x_NCHW: Tensor, weight_C1kk: Tensor, stride: int) -> Tensor:
    k, size = weight_C1kk.shape[-1], max(x_NCHW.shape[2:])
    reach = max(1, min(k // 2, size - 1))  # taps further from the centre than the map is wide see padding only
    padded = nn.functional.pad(x_NCHW, [reach] * 4)
    rows, columns = (stride * (n - 1) + 3 for n in g_NCHW.shape[2:])
    dweight, window = torch.zeros_like(weight_C1kk), weight_C1kk[..., :3, :3]
    skipped = k // 2 - reach
    for i in range(0, 2 * reach, 2):
        for j in range(0, 2 * reach, 2):
            seen = padded[:, :, i : i + rows, j : j + columns]
            _, d33, _ = _convolution_backward(g_NCHW, seen, window, stride, 0, [False, True, False])
            dweight[..., skipped + i :, skipped + j :][..., :3, :3] = d33
    return dweight


def _convolution_backward(
    g_NCHW: Tensor, x_NCHW: Tensor, weight_C1kk: Tensor, stride: int, padding: int, wanted: list[bool]
) -> tuple[Tensor, Tensor, Tensor]:
    return torch.ops.aten.convolution_backward(
        g_NCHW, x_NCHW, weight_C1kk, None, [stride] * 2, [padding] * 2, [1, 1], False, [0, 0], len(weight_C1kk), wanted
    )
