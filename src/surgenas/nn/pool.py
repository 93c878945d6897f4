"""The blocks of HURRICANE's operator pool that are no MBConv (docs/methods/hurricane.md, 1).

ShuffleNetV2's blocks (Ma et al. 2018) as SPOS chooses among them (Guo et al. 2020), and separable convolutions.
"""

from __future__ import annotations

from functools import partial

import torch
from timm.layers import ConvNormAct
from timm.models._efficientnet_blocks import SqueezeExcite
from torch import Tensor, nn

from surgenas.nn.blocks import conv_bn_act
from surgenas.nn.depthwise import DepthwiseConv2d

_POINTWISE = partial(conv_bn_act, kernel=1, stride=1, act=nn.ReLU)


class ShuffleBlock(nn.Module):
    """ShuffleNetV2's block: the outputs of two branches, concatenated by channels.

    (N, cin, H, W) -> (N, cout, H/stride, W/stride). Where the shape is kept (`beside` is None), every other channel
    passes unchanged and the rest goes through `main`; else all channels go through both `beside` and `main`.
    """

    def __init__(self, main: nn.Module, beside: nn.Module | None) -> None:
        super().__init__()
        self.main, self.beside = main, beside

    def forward(self, x_NCHW: Tensor) -> Tensor:
        if self.beside is None:
            return torch.cat([x_NCHW[:, 0::2], self.main(x_NCHW[:, 1::2])], 1)
        return torch.cat([self.beside(x_NCHW), self.main(x_NCHW)], 1)


class Residual(nn.Module):
    """A residual block: x + main(x), of the shape of x."""

    def __init__(self, main: nn.Module) -> None:
        super().__init__()
        self.main = main

    def forward(self, x_NCHW: Tensor) -> Tensor:
        return x_NCHW + self.main(x_NCHW)


def shuffle_block(cin: int, cout: int, *, kernel: int, stride: int, affine: bool, squeeze: bool = False) -> nn.Module:
    """One of SPOS's operators: (N, cin, H, W) -> (N, cout, H/stride, W/stride).

    kernel: size of the depthwise convolution; 0 gives Xception's version, three depthwise 3x3 convolutions with a 1x1
    convolution behind each. squeeze: whether Squeeze-and-Excitation follows the main branch.
    """
    halves = stride == 1 and cin == cout
    inner, mid = cin // 2 if halves else cin, cout // 2
    passed = min(inner, cout // 2) if cout <= inner else inner  # the main branch must be left some channels
    out = cout - passed
    one, deep = partial(_POINTWISE, affine=affine), partial(_depthwise, affine=affine)
    if kernel:
        layers = [one(inner, mid), deep(mid, kernel, stride), one(mid, out)]
    else:
        layers = [deep(inner, 3, stride), one(inner, mid), deep(mid, 3, 1), one(mid, mid), deep(mid, 3, 1),
                  one(mid, out)]  # fmt: skip
    beside = None if halves else nn.Sequential(deep(inner, kernel or 3, stride), one(inner, passed))
    return ShuffleBlock(stack_with_se(layers, out, squeeze), beside)


def separable_block(cin: int, cout: int, *, kernel: int, stride: int, affine: bool, squeeze: bool = False) -> nn.Module:
    """A depthwise and a 1x1 convolution, each with BN and ReLU: (N, cin, H, W) -> (N, cout, H/stride, W/stride)."""
    layers = [_depthwise(cin, kernel, stride, affine=affine, act=True), _POINTWISE(cin, cout, affine=affine)]
    return stack_with_se(layers, cout, squeeze)


def stack_with_se(layers: list[nn.Module], channels: int, squeeze: bool) -> nn.Module:
    """The layers in a row; if `squeeze`, Squeeze-and-Excitation of ratio 1/4 follows them."""
    if squeeze:
        layers = [*layers, SqueezeExcite(channels, rd_channels=max(1, channels // 4))]
    return nn.Sequential(*layers)


def _depthwise(channels: int, kernel: int, stride: int, *, affine: bool, act: bool = False) -> nn.Module:
    norm = partial(nn.BatchNorm2d, affine=affine)
    block = ConvNormAct(channels, channels, kernel, stride, groups=channels, norm_layer=norm, act_layer=nn.ReLU,
                        apply_act=act)  # fmt: skip
    block.conv = DepthwiseConv2d.from_conv(block.conv)
    return block
