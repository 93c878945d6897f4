"""A space from outside: a chain of four layers that choose among three kinds of convolution, 81 networks in all.

    PYTHONPATH=examples surgenas search --space my_space:MySpace --method random --resolution 16 --set trials=8

One class is all that surgenas needs of it; docs/how_to/add_a_space.md says why each part is there.
"""

from __future__ import annotations

from torch import nn

from surgenas.spaces.chain import ChainSpace
from surgenas.spaces.images import ImageSpace


class MySpace(ImageSpace, ChainSpace):
    """Its constructor takes what the images say: classes, and resolution, their height and width."""

    name = "my_space"
    SHAPES = ((16, 24, 2), (24, 24, 1), (24, 48, 2), (48, 48, 1))  # input channels, output channels, stride
    OPTIONS = ("full", "separable", "grouped")

    def __init__(self, *, classes: int = 10, resolution: int = 32) -> None:
        super().__init__(classes=classes, resolution=resolution)

    def stem(self, *, affine: bool) -> nn.Module:
        return conv(3, 16, kernel=3, affine=affine)

    def operator(self, gene: str, cin: int, cout: int, stride: int, *, affine: bool) -> nn.Module:
        if gene == "full":
            return conv(cin, cout, kernel=3, stride=stride, affine=affine)
        groups = cin if gene == "separable" else cin // 4
        spatial = conv(cin, cin, kernel=5, stride=stride, groups=groups, affine=affine)
        return nn.Sequential(spatial, conv(cin, cout, kernel=1, affine=affine))

    def head(self, *, affine: bool) -> nn.Module:
        return nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(48, self.classes))


def conv(cin: int, cout: int, *, kernel: int, stride: int = 1, groups: int = 1, affine: bool) -> nn.Module:
    """Convolution, batch normalisation, ReLU: (N, cin, H, W) -> (N, cout, H/stride, W/stride)."""
    return nn.Sequential(
        nn.Conv2d(cin, cout, kernel, stride, kernel // 2, groups=groups, bias=False),
        nn.BatchNorm2d(cout, affine=affine),
        nn.ReLU(),
    )
