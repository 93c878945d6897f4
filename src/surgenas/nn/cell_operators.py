"""The operators of cell spaces: (N, C, H, W) -> (N, C', H/stride, W/stride).

affine says whether normalizations have scale and shift; in a supernet they have none.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from surgenas.nn.pointwise import PointwiseConv2d


class Nothing(nn.Module):
    """Zeros, of the shape that the other operators of its edge have."""

    def __init__(self, stride: int = 1) -> None:
        super().__init__()
        self.stride = stride

    def forward(self, x_NCHW: Tensor) -> Tensor:
        return thinned(x_NCHW, self.stride) * 0.0


class Noise(nn.Module):
    """Standard normal numbers in place of what it reads: an operator that a search must learn to leave alone."""

    def __init__(self, stride: int = 1) -> None:
        super().__init__()
        self.stride = stride

    def forward(self, x_NCHW: Tensor) -> Tensor:
        return torch.randn_like(thinned(x_NCHW, self.stride))


class FactorizedReduction(nn.Module):
    """Halves height and width: two 1x1 convolutions of stride 2, the second shifted by a pixel, each for half of the
    channels. Height and width must be even."""

    def __init__(self, cin: int, cout: int, *, affine: bool) -> None:
        super().__init__()
        self.relu = nn.ReLU()
        self.first = PointwiseConv2d(cin, cout // 2, 1, stride=2, bias=False)
        self.shifted = PointwiseConv2d(cin, cout - cout // 2, 1, stride=2, bias=False)
        self.norm = nn.BatchNorm2d(cout, affine=affine)

    def forward(self, x_NCHW: Tensor) -> Tensor:
        x_NCHW = self.relu(x_NCHW)
        return self.norm(torch.cat([self.first(x_NCHW), self.shifted(x_NCHW[:, :, 1:, 1:])], dim=1))


def relu_conv_bn(cin: int, cout: int, kernel: int, stride: int = 1, *, affine: bool = True) -> nn.Sequential:
    """ReLU, convolution, batch normalization."""
    conv = nn.Conv2d(cin, cout, kernel, stride, padding=kernel // 2, bias=False)
    return nn.Sequential(nn.ReLU(), conv, nn.BatchNorm2d(cout, affine=affine))


def separable(channels: int, kernel: int, stride: int, *, affine: bool) -> nn.Sequential:
    """Twice: ReLU, depthwise and 1x1 convolution, batch normalization. The first of the two has the stride."""
    return nn.Sequential(
        *_depthwise_pointwise(channels, kernel, stride, 1, affine=affine),
        *_depthwise_pointwise(channels, kernel, 1, 1, affine=affine),
    )


def dilated(channels: int, kernel: int, stride: int, *, affine: bool) -> nn.Sequential:
    """ReLU, depthwise convolution with dilation 2, 1x1 convolution, batch normalization."""
    return nn.Sequential(*_depthwise_pointwise(channels, kernel, stride, 2, affine=affine))


def _depthwise_pointwise(channels: int, kernel: int, stride: int, dilation: int, *, affine: bool) -> list[nn.Module]:
    padding = dilation * (kernel // 2)
    depthwise = nn.Conv2d(
        channels, channels, kernel, stride, padding=padding, dilation=dilation, groups=channels, bias=False
    )
    return [nn.ReLU(), depthwise, nn.Conv2d(channels, channels, 1, bias=False), nn.BatchNorm2d(channels, affine=affine)]


def thinned(x_NCHW: Tensor, stride: int) -> Tensor:
    """Every stride-th row and column of images."""
    return x_NCHW if stride == 1 else x_NCHW[:, :, ::stride, ::stride]
