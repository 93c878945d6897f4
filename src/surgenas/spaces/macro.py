"""NAS-Bench-Macro's space for CIFAR-10: eight layers that choose among three operators, 6,561 networks (Su et al., CVPR
2021); parameters and MACs are its table's."""

from __future__ import annotations

from torch import nn

from surgenas.core.architecture import Architecture
from surgenas.core.errors import UsageError
from surgenas.nn.blocks import classifier, conv_bn_act, mbconv, skip
from surgenas.spaces.chain import ChainSpace
from surgenas.spaces.images import ImageSpace

STEM, HEAD = 32, 1280


class Macro(ImageSpace, ChainSpace):
    """The chain of eight layers. classes: number of classes. resolution: input height and width."""

    name = "macro"
    SHAPES = (
        (32, 64, 2), (64, 64, 1), (64, 128, 2), (128, 128, 1), (128, 128, 1), (128, 256, 2), (256, 256, 1),
        (256, 256, 1),
    )  # fmt: skip
    OPTIONS = ("skip", "k3e3", "k5e6")

    def __init__(self, *, classes: int = 10, resolution: int = 32) -> None:
        super().__init__(classes=classes, resolution=resolution)

    def parse(self, text: str) -> Architecture:
        """The architecture behind eight digits like "02012100", 0 for skip; raises UsageError for any other text."""
        if len(text) != len(self.SHAPES) or set(text) - set("012"):
            raise UsageError(f"not an architecture of macro: {text!r}; expected eight digits from 0 to 2")
        return self.architecture(tuple(self.OPTIONS[int(digit)] for digit in text))

    def stem(self, *, affine: bool) -> nn.Module:
        return conv_bn_act(3, STEM, kernel=3, stride=1, affine=affine)

    def operator(self, gene: str, cin: int, cout: int, stride: int, *, affine: bool) -> nn.Module:
        if gene == "skip":
            return skip(cin, cout, stride=stride, affine=affine)
        return mbconv(cin, cout, kernel=int(gene[1]), expand=int(gene[3]), stride=stride, affine=affine)

    def head(self, *, affine: bool) -> nn.Module:
        return classifier(self.SHAPES[-1][1], HEAD, 0, self.classes, dropout=0.0, affine=affine)
