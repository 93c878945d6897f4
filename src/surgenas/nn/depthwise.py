"""How can a depthwise convolution train fast on a CPU?

oneDNN has a fast kernel for the weight gradient of filters up to three columns wide, of any height, as long as padding
stays below half of the map. Elsewhere torch 2.14 is 2 to 25 times slower than needed, a third of a training step
(docs/log.md). So wider filters get their gradient in strips of three columns, from maps that are padded before.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn

WIDEST = 3
"""Columns of a filter that oneDNN finds a fast weight gradient for."""
TINY = 2
"""Up to this height and width of the map, padding for any filter reaches half of it."""
TOGETHER = 3 * 2**20
"""Of so many bytes of padded maps at once, strips stay in a processor's cache: a fifth to two fifths faster."""


class DepthwiseConv2d(nn.Conv2d):
    """nn.Conv2d with one filter a channel, a k x k kernel of odd k and padding k // 2, and a faster backward pass.

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
        if self.training and x_NCHW.device.type == "cpu" and not torch.is_autocast_enabled("cpu"):
            return _Depthwise.apply(x_NCHW, weight_C1kk, self.stride[0])
        return self._conv_forward(x_NCHW, weight_C1kk, None)


class _Depthwise(torch.autograd.Function):
    """The convolution, with gradients from kernels that are fast."""

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
            dx = _input_gradient(grads[0], x_NCHW, weight_C1kk, ctx.stride)
        if ctx.needs_input_grad[1]:
            dweight = _weight_gradient(grads[0], x_NCHW, weight_C1kk, ctx.stride)
        return dx, dweight, None


def _input_gradient(g_NCHW: Tensor, x_NCHW: Tensor, weight_C1kk: Tensor, stride: int) -> Tensor:
    """At stride 1 it is a convolution as well, with turned filters: 1.3 to 2 times faster."""
    padding = weight_C1kk.shape[-1] // 2
    if stride == 1:
        return nn.functional.conv2d(g_NCHW, weight_C1kk.flip(2, 3), None, 1, padding, 1, len(weight_C1kk))
    return _convolution_backward(g_NCHW, x_NCHW, weight_C1kk, stride, (padding, padding), [True, False, False])[0]


def _weight_gradient(g_NCHW: Tensor, x_NCHW: Tensor, weight_C1kk: Tensor, stride: int) -> Tensor:
    height, width = x_NCHW.shape[2:]
    far = weight_C1kk.shape[-1] // 2
    reach = max(1, min(far, max(height, width) - 1))  # further from the centre than the map is wide there is padding
    if reach < far:
        inner = weight_C1kk[..., far - reach : far + reach + 1, far - reach : far + reach + 1]
        return nn.functional.pad(_reached(g_NCHW, x_NCHW, inner, stride), [far - reach] * 4)
    return _reached(g_NCHW, x_NCHW, weight_C1kk, stride)


def _reached(g_NCHW: Tensor, x_NCHW: Tensor, weight_C1kk: Tensor, stride: int) -> Tensor:
    k, padding, (height, width) = weight_C1kk.shape[-1], weight_C1kk.shape[-1] // 2, x_NCHW.shape[2:]
    if k <= WIDEST and max(height, width) > TINY:
        return _convolution_backward(g_NCHW, x_NCHW, weight_C1kk, stride, (padding, padding), [False, True, False])[1]
    rows, columns = (stride * (n - 1) for n in g_NCHW.shape[2:])
    inside = padding if stride == 1 and height > 2 * padding else 0  # rows that oneDNN can pad without becoming slow
    above, below = padding - inside, rows + k - height - padding - inside
    padded = x_NCHW[:, :, 0, 0].nbytes * (above + height + below) * (columns + WIDEST)
    parts = min(len(x_NCHW), math.ceil(padded / TOGETHER))
    dweight, strip = torch.zeros_like(weight_C1kk), weight_C1kk[..., :WIDEST]
    for g, x in zip(g_NCHW.tensor_split(parts), x_NCHW.tensor_split(parts), strict=True):
        for new, first in _strips(k):
            left = padding - first
            # the columns that this strip meets; a negative number leaves some out
            seen = nn.functional.pad(x, [left, columns + WIDEST - width - left, above, below])
            _, found, _ = _convolution_backward(g, seen, strip, stride, (inside, 0), [False, True, False])
            dweight[..., new : first + WIDEST] += found[..., new - first :]
    return dweight


def _strips(k: int) -> list[tuple[int, int]]:
    """The strips that make k columns: where each begins, and before it the first of its columns that is not in one
    before."""
    return [(new, min(new, k - WIDEST)) for new in range(0, k, WIDEST)]


def _convolution_backward(
    g_NCHW: Tensor, x_NCHW: Tensor, weight_C1kk: Tensor, stride: int, padding: tuple[int, int], wanted: list[bool]
) -> tuple[Tensor, Tensor, Tensor]:
    return torch.ops.aten.convolution_backward(
        g_NCHW, x_NCHW, weight_C1kk, None, [stride] * 2, padding, [1, 1], False, [0, 0], len(weight_C1kk), wanted
    )
