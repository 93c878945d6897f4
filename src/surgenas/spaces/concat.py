"""Cells whose layers read single channels of earlier layers: width, depth and number of links are chosen for each cell
(after NN-Mass and FLASH; docs/methods/flash.md, 1)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property, lru_cache
from itertools import product

import numpy as np
from torch import nn

from surgenas.core.architecture import Architecture, Setting
from surgenas.core.errors import UsageError
from surgenas.core.space import Choice, CostTable, Floats, Positions
from surgenas.core.topology import cell_degree, cell_mass
from surgenas.nn.blocks import conv_bn_act
from surgenas.nn.chain import ChainNetwork
from surgenas.nn.concat import ConcatCell, draw_links
from surgenas.nn.pool import separable_block
from surgenas.spaces.concat_costs import count_costs
from surgenas.spaces.images import ImageSpace

AXES = ("width", "depth", "links")
MOST = 1000
"""Options that a cell may have at most, since predictors see each as a number of its own."""


class Concat(ImageSpace):
    """Chains of cells of so many layers of one width, with links from earlier layers of the cell into later ones.

    classes: number of classes. resolution: input height and width. cells: how many there are; the second and all later
    ones begin with stride 2. widths: the channels that a layer may have, separated by commas; one list for all cells,
    or one for each, separated by slashes. depths: the layers that a cell may have, likewise. links: the most channels
    that a layer may read beside those of the layer before it, likewise. convolution: plain 3x3, or separable, 3x3
    depthwise and 1x1. stem: channels of the first convolution. stem_stride: its stride, 1 or 2. links_seed: of the draw
    of the links; another seed is another space.
    """

    name = "concat"

    def __init__(
        self,
        *,
        classes: int = 10,
        resolution: int = 32,
        cells: int = 3,
        widths: str = "8,12,16/12,18,24/16,24,32",
        depths: str = "5,6,7,8",
        links: str = "0,10,20,40",
        convolution: str = "plain",
        stem: int = 8,
        stem_stride: int = 2,
        links_seed: int = 0,
    ) -> None:
        super().__init__(classes=classes, resolution=resolution)
        self.cell_count = self.whole_number("cells", cells, 1, 20)
        lists = {"widths": widths, "depths": depths, "links": links}
        self.lists = {what: self._lists(what, text) for what, text in lists.items()}
        self.sizes = tuple(zip(*self.lists.values(), strict=True))
        if convolution not in ("plain", "separable"):
            raise UsageError(f"{self.name}: convolution {convolution!r}; one of plain, separable")
        self.separable = convolution == "separable"
        self.stem = self.whole_number("stem", stem, 1, 4096)
        self.stem_stride = self.whole_number("stem_stride", stem_stride, 1, 2)
        self.links_seed = self.whole_number("links_seed", links_seed, 0, 2**31)
        if (options := max(len(row.options) for row in self.rows)) > MOST:
            raise UsageError(
                f"{self.name}: a cell has {options} options, at most {MOST} can be told apart; shorten lists"
            )

    def _lists(self, what: str, text: str) -> tuple[tuple[int, ...], ...]:
        """The options of each cell that a text names; raises UsageError for a text that names none."""
        least, most = {"widths": (1, 4096), "depths": (1, 100), "links": (0, 100_000)}[what]
        parts = str(text).split("/")
        if len(parts) not in (1, self.cell_count):
            raise UsageError(
                f"{self.name}: {what} {text!r}: expected one list, or {self.cell_count}, one for each cell"
            )
        found = []
        for part in parts:
            names = [name.strip() for name in part.split(",")]
            numbers = tuple(int(name) for name in names if name.isascii() and name.isdigit())
            if len(numbers) < len(names) or not least <= min(numbers) <= max(numbers) <= most:
                raise UsageError(
                    f"{self.name}: {what} {text!r}: expected whole numbers from {least} to {most}, separated by commas"
                )
            found.append(tuple(sorted(set(numbers))))
        return tuple(found * self.cell_count if len(parts) == 1 else found)

    @property
    def settings(self) -> dict[str, Setting]:
        return {
            **super().settings,
            "cells": self.cell_count,
            **{what: _text(lists) for what, lists in self.lists.items()},
            "convolution": "separable" if self.separable else "plain",
            "stem": self.stem,
            "stem_stride": self.stem_stride,
            "links_seed": self.links_seed,
        }

    def stride(self, cell: int) -> int:
        """The stride of the first layer of a cell, counted from 0."""
        return 2 if cell else 1

    # --- what can be chosen

    @cached_property
    def choices(self) -> tuple[Choice, ...]:
        return tuple(
            Choice(f"cell{c}.{axis}", tuple(map(str, sizes)))
            for c, axes in enumerate(self.sizes, start=1)
            for axis, sizes in zip(AXES, axes, strict=True)
        )

    @cached_property
    def rows(self) -> tuple[Choice, ...]:
        """A row for each cell, whose operators are its widths, depths and links together."""
        return tuple(
            Choice(f"cell{c}", tuple(f"w{w}d{d}t{t}" for w, d, t in product(*axes)))
            for c, axes in enumerate(self.sizes, start=1)
        )

    @cached_property
    def _counts(self) -> list[tuple[int, ...]]:
        """How many options each of the three choices of a cell has, by cell."""
        return [tuple(map(len, axes)) for axes in self.sizes]

    def paths(self, genes_NC: Positions) -> Positions:
        genes_NLA = genes_NC.reshape(len(genes_NC), self.cell_count, len(AXES))
        return np.stack([np.ravel_multi_index(tuple(genes_NLA[:, c].T), n) for c, n in enumerate(self._counts)], 1)

    def best(self, scores_NLK: Floats) -> Positions:
        chosen_NL = super().best(scores_NLK)
        cells = [np.stack(np.unravel_index(chosen_NL[:, c], n), 1) for c, n in enumerate(self._counts)]
        return np.concatenate(cells, 1)

    def canonical(self, arch: Architecture) -> Architecture:
        """Where a cell has fewer channels to link to than it may link, the least option that takes them all."""
        genes = list(arch.genes)
        for c, (width, depth, most) in enumerate(self._cells(arch)):
            possible = width * max(0, depth - 2)  # those of the last layer, which has the most
            links = self.sizes[c][AXES.index("links")]
            genes[len(AXES) * c + AXES.index("links")] = str(next(t for t in links if t >= min(most, possible)))
        return Architecture(arch.space, tuple(genes))

    def _cells(self, arch: Architecture) -> list[tuple[int, int, int]]:
        """Width, depth and most links of each cell."""
        numbers = iter(map(int, arch.genes))
        return list(zip(numbers, numbers, numbers, strict=True))

    # --- networks

    def build(self, arch: Architecture) -> ChainNetwork:
        stem = conv_bn_act(3, self.stem, kernel=3, stride=self.stem_stride, affine=True, act=nn.ReLU)
        cells, cin = [], self.stem
        for c, (width, depth, most) in enumerate(self._cells(self.check(arch))):
            cells.append(self._cell(c, cin, width, depth, most))
            cin = width
        head = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(cin, self.classes))
        return ChainNetwork(stem, cells, head)

    def parts(self, arch: Architecture) -> list[tuple[str, nn.Module]]:
        return self.build(arch).parts([row.name for row in self.rows])

    def _cell(self, cell: int, cin: int, width: int, depth: int, most: int) -> ConcatCell:
        possible = [width * max(0, i - 1) for i in range(depth)]
        links = [draw_links(self.links_seed, cell, i, count, most) for i, count in enumerate(possible)]
        reads = [cin, *(width + len(channels) for channels in links[1:])]
        strides = [self.stride(cell), *[1] * (depth - 1)]
        return ConcatCell([self._layer(r, width, s) for r, s in zip(reads, strides, strict=True)], links)

    def _layer(self, cin: int, cout: int, stride: int) -> nn.Module:
        if self.separable:
            return separable_block(cin, cout, kernel=3, stride=stride, affine=True)
        return conv_bn_act(cin, cout, kernel=3, stride=stride, affine=True, act=nn.ReLU)

    def costs(self) -> CostTable:
        return _costs(self.spec.settings)

    # --- numbers

    def indices(self, archs: Sequence[Architecture]) -> dict[str, Floats]:
        genes = [arch.genes for arch in archs]
        return self.indices_at(np.array(genes, dtype=np.float64).reshape(len(archs), len(self.choices)))

    def axes(self) -> tuple[tuple[float, ...], ...]:
        return tuple(tuple(map(float, sizes)) for axes in self.sizes for sizes in axes)

    def indices_at(self, values_NC: Floats) -> dict[str, Floats]:
        width, depth, links = np.moveaxis(values_NC.reshape(len(values_NC), self.cell_count, len(AXES)), 2, 0)
        return {
            "mass": np.asarray(cell_mass(width, depth, links).sum(1)),
            "degree": np.asarray(cell_degree(width, depth, links).sum(1)),
        }

    def gates_at(self, values_NC: Floats) -> Floats:
        gates_NLK = np.zeros((len(values_NC), *self.offered.shape))
        shares = [_shares(options, values_N) for options, values_N in zip(self.axes(), values_NC.T, strict=True)]
        for c in range(self.cell_count):
            joint = np.einsum("na,nb,nc->nabc", *shares[len(AXES) * c : len(AXES) * (c + 1)])
            gates_NLK[:, c, : joint[0].size] = joint.reshape(len(values_NC), -1)
        return gates_NLK


def _text(lists: Sequence[Sequence[int]]) -> str:
    """The lists of all cells as a setting; one for all where they are alike."""
    texts = [",".join(map(str, numbers)) for numbers in lists]
    return texts[0] if len(set(texts)) == 1 else "/".join(texts)


def _shares(options: tuple[float, ...], values_N: Floats) -> Floats:
    """(N, options): how much of each value is the option below and above it, by where it lies between the two."""
    return np.stack([np.interp(values_N, options, one) for one in np.eye(len(options))], 1)


@lru_cache(maxsize=32)
def _costs(settings: tuple[tuple[str, Setting], ...]) -> CostTable:
    """The cost table of the space with these settings."""
    return count_costs(Concat(**dict(settings)))  # type: ignore[arg-type]
