"""A chain of layers that all choose among the same operators: what small and tabulated spaces have in common."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from functools import cached_property, lru_cache
from itertools import groupby
from typing import Any, ClassVar

import torch
from torch import nn

from surgenas.core.architecture import Architecture, Setting, SpaceSpec
from surgenas.core.space import Choice, CostTable, Space
from surgenas.nn.blocks import shortcut
from surgenas.nn.chain import ChainNetwork
from surgenas.nn.supernet import ChoiceBlock, ChoiceSupernet
from surgenas.spaces.costs import chain_costs

SKIP = "skip"


def move_skips_last(genes: Sequence[str], keeps_shape: Sequence[bool]) -> tuple[str, ...]:
    """The genes with skips moved behind the other genes, wherever that leaves the network the same.

    Consecutive layers that keep their shape can trade places: which of them is skipped does not matter.
    keeps_shape: for each of the L layers.
    """
    if SKIP not in genes:
        return tuple(genes)
    found: list[str] = []
    for movable, run in groupby(zip(genes, keeps_shape, strict=True), key=lambda pair: pair[1]):
        stretch = [gene for gene, _ in run]
        found += sorted(stretch, key=lambda gene: gene == SKIP) if movable else stretch
    return tuple(found)


class ChainSpace(Space):
    """A chain of layers that all choose among OPTIONS.

    SHAPES: (Cin, Cout, stride) of each layer. In its methods, affine says whether normalizations have scale and shift;
    in a supernet they have none.
    """

    SHAPES: ClassVar[tuple[tuple[int, int, int], ...]]
    OPTIONS: ClassVar[tuple[str, ...]]

    @abstractmethod
    def stem(self, *, affine: bool) -> nn.Module:
        """What comes before the layers: (N, C, H, W) -> the first layer's input."""

    @abstractmethod
    def operator(self, gene: str, cin: int, cout: int, stride: int, *, affine: bool) -> nn.Module:
        """The fresh module of one layer with this gene: (N, cin, H, W) -> (N, cout, H/stride, W/stride)."""

    @abstractmethod
    def head(self, *, affine: bool) -> nn.Module:
        """What follows the layers: the last layer's output -> (N, classes)."""

    @cached_property
    def choices(self) -> tuple[Choice, ...]:
        return tuple(Choice(f"layer{i + 1}", self.OPTIONS) for i in range(len(self.SHAPES)))

    @property
    def settings(self) -> dict[str, Setting]:
        return {}

    def build(self, arch: Architecture) -> ChainNetwork:
        pairs = zip(self.check(arch).genes, self.SHAPES, strict=True)
        layers = [self.operator(gene, *shape, affine=True) for gene, shape in pairs]
        return ChainNetwork(self.stem(affine=True), layers, self.head(affine=True))

    def parts(self, arch: Architecture) -> list[tuple[str, nn.Module]]:
        return self.build(arch).parts([choice.name for choice in self.choices])

    def supernet(self) -> ChoiceSupernet:
        layers = [
            ChoiceBlock(
                [self.operator(gene, cin, cout, stride, affine=False) for gene in self.OPTIONS],
                shortcut(cin, cout, stride=stride),
            )
            for cin, cout, stride in self.SHAPES
        ]
        return ChoiceSupernet(self.stem(affine=False), layers, self.head(affine=False))

    def canonical(self, arch: Architecture) -> Architecture:
        return Architecture(arch.space, move_skips_last(arch.genes, self._keeps_shape))

    @cached_property
    def _keeps_shape(self) -> list[bool]:
        return [(cin, stride) == (cout, 1) for cin, cout, stride in self.SHAPES]

    def costs(self) -> CostTable:
        return _costs(type(self), self.spec)

    def count_costs(self) -> CostTable:
        """The cost table, counted anew, which takes up to half a second."""
        with torch.device("meta"):
            operators = {s: [self.operator(gene, *s, affine=True) for gene in self.OPTIONS] for s in set(self.SHAPES)}
            stem, head = self.stem(affine=True), self.head(affine=True)
        return chain_costs([stem], [operators[shape] for shape in self.SHAPES], [head], self.input_shape)


@lru_cache(maxsize=32)
def _costs(kind: type[ChainSpace], spec: SpaceSpec) -> CostTable:
    """The cost table of all spaces of a kind that have these settings."""
    made: Any = kind  # its settings are what it says of itself
    found: CostTable = made(**dict(spec.settings)).count_costs()
    return found
