"""A chain of layers that all choose among the same operators: what small and tabulated spaces have in common."""

from __future__ import annotations

from abc import abstractmethod
from functools import cached_property
from typing import ClassVar

import torch
from torch import nn

from surgenas.core.architecture import Architecture, Setting
from surgenas.core.space import Choice, CostTable, Space
from surgenas.nn.blocks import shortcut
from surgenas.nn.chain import ChainNetwork
from surgenas.nn.supernet import ChoiceBlock, ChoiceSupernet
from surgenas.spaces.costs import chain_costs


class ChainSpace(Space):
    """SHAPES: (Cin, Cout, stride) of each layer. affine: do normalisations scale and shift? Not in a supernet."""

    SHAPES: ClassVar[tuple[tuple[int, int, int], ...]]
    OPTIONS: ClassVar[tuple[str, ...]]

    @abstractmethod
    def stem(self, *, affine: bool) -> nn.Module:
        """(N, C, H, W) -> the first layer's input."""

    @abstractmethod
    def operator(self, gene: str, cin: int, cout: int, stride: int, *, affine: bool) -> nn.Module:
        """One layer, freshly initialised."""

    @abstractmethod
    def head(self, *, affine: bool) -> nn.Module:
        """The last layer's output -> (N, classes)."""

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

    def supernet(self) -> ChoiceSupernet:
        layers = [
            ChoiceBlock(
                [self.operator(gene, cin, cout, stride, affine=False) for gene in self.OPTIONS],
                shortcut(cin, cout, stride=stride),
            )
            for cin, cout, stride in self.SHAPES
        ]
        return ChoiceSupernet(self.stem(affine=False), layers, self.head(affine=False))

    def costs(self) -> CostTable:
        with torch.device("meta"):
            layers = [[self.operator(gene, *shape, affine=True) for gene in self.OPTIONS] for shape in self.SHAPES]
            return chain_costs([self.stem(affine=True)], layers, [self.head(affine=True)], self.input_shape)
