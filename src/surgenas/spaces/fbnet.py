"""FBNet's space for small images: 22 layers that choose among 9 operators (Wu et al. 2019, as in HW-NAS-Bench, Li et
al. 2021: CIFAR-100, stem and second stage of stride 1, head of 1504)."""

from __future__ import annotations

from functools import partial
from typing import Any

from timm.layers import ConvNormAct
from torch import Tensor, nn

from surgenas.core.architecture import Architecture
from surgenas.core.errors import UsageError
from surgenas.spaces.chain import ChainSpace
from surgenas.spaces.images import ImageSpace

OPERATORS: dict[str, tuple[int, int, int]] = {
    "k3_e1": (3, 1, 1),
    "k3_e1_g2": (3, 1, 2),
    "k3_e3": (3, 3, 1),
    "k3_e6": (3, 6, 1),
    "k5_e1": (5, 1, 1),
    "k5_e1_g2": (5, 1, 2),
    "k5_e3": (5, 3, 1),
    "k5_e6": (5, 6, 1),
}
"""For each operator its kernel, its expansion and the groups of its 1x1 convolutions."""
STEM, HEAD = 16, 1504
STAGES = ((16, 1, 1), (24, 4, 1), (32, 4, 2), (64, 4, 2), (112, 4, 1), (184, 4, 2), (352, 1, 1))
"""For each stage its channels, the number of its layers and the stride of the first of them."""


def _shapes() -> tuple[tuple[int, int, int], ...]:
    cin, found = STEM, []
    for cout, repeats, stride in STAGES:
        for r in range(repeats):
            found.append((cin, cout, stride if r == 0 else 1))
            cin = cout
    return tuple(found)


class FBNet(ImageSpace, ChainSpace):
    """FBNet's chain of 22 layers. classes: number of classes. resolution: input height and width."""

    name = "fbnet"
    SHAPES = _shapes()
    OPTIONS = (*OPERATORS, "skip")

    def __init__(self, *, classes: int = 100, resolution: int = 32) -> None:
        super().__init__(classes=classes, resolution=resolution)

    def parse(self, text: str) -> Architecture:
        """The architecture behind 22 positions of operators, "7_8_1_..._5"; raises UsageError for any other text."""
        try:
            positions = [int(position) for position in text.split("_")]
            if min(positions) < 0:
                raise IndexError
            return self.architecture(tuple(self.OPTIONS[i] for i in positions))
        except (ValueError, IndexError):
            raise UsageError(
                f"not an architecture of fbnet: {text!r}; expected 22 numbers from 0 to 8 joined by _"
            ) from None

    def stem(self, *, affine: bool) -> nn.Module:
        return _conv(3, STEM, 3, affine=affine)

    def operator(self, gene: str, cin: int, cout: int, stride: int, *, affine: bool) -> nn.Module:
        if gene != "skip":
            kernel, expand, groups = OPERATORS[gene]
            return _Block(cin, cout, kernel, expand, groups, stride, affine)
        return nn.Identity() if (cin, stride) == (cout, 1) else _conv(cin, cout, 1, stride=stride, affine=affine)

    def head(self, *, affine: bool) -> nn.Module:
        last = STAGES[-1][0]
        pool = (nn.AdaptiveAvgPool2d(1), nn.Flatten())
        return nn.Sequential(_conv(last, HEAD, 1, affine=affine), *pool, nn.Linear(HEAD, self.classes))


class _Block(nn.Module):
    """FBNet's block: a 1x1 convolution that expands, a kxk depthwise one, and a 1x1 that projects.

    (N, cin, H, W) -> (N, cout, H/stride, W/stride). With groups, the channels are shuffled behind the first
    convolution; there is a residual where the shape is kept.
    """

    def __init__(self, cin: int, cout: int, kernel: int, expand: int, groups: int, stride: int, affine: bool) -> None:
        super().__init__()
        inner, conv = cin * expand, partial(_conv, affine=affine)
        self.layers = nn.Sequential(
            conv(cin, inner, 1, groups=groups),
            _Shuffle(groups) if groups > 1 else nn.Identity(),
            conv(inner, inner, kernel, stride=stride, groups=inner),
            conv(inner, cout, 1, groups=groups, apply_act=False),
        )
        self.residual = (cin, stride) == (cout, 1)

    def forward(self, x_NCHW: Tensor) -> Tensor:
        y = self.layers(x_NCHW)
        return x_NCHW + y if self.residual else y


class _Shuffle(nn.Module):
    """torch's nn.ChannelShuffle, (N, C, H, W) to the same, by operations that ONNX has."""

    def __init__(self, groups: int) -> None:
        super().__init__()
        self.groups = groups

    def forward(self, x_NCHW: Tensor) -> Tensor:
        N, C, H, W = x_NCHW.shape
        return x_NCHW.view(N, self.groups, C // self.groups, H, W).transpose(1, 2).reshape(N, C, H, W)


def _conv(cin: int, cout: int, kernel: int, *, affine: bool, **how: Any) -> nn.Module:
    norm = partial(nn.BatchNorm2d, affine=affine)
    return ConvNormAct(cin, cout, kernel, norm_layer=norm, act_layer=nn.ReLU, **how)
