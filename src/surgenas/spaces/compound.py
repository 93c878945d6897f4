"""How large are the images, how wide and how deep the network, and of which operator? Chosen together, at one latency:
a whole network takes one answer each (compound scaling: Tan & Le, EfficientNet, ICML 2019, arXiv 1905.11946)."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property, lru_cache
from itertools import product
from typing import TypeVar

import numpy as np
from torch import nn

from surgenas.core.architecture import Architecture, Setting, SpaceSpec
from surgenas.core.errors import UsageError
from surgenas.core.moves import uniform_architecture
from surgenas.core.space import Choice, CostTable, Floats, Positions
from surgenas.spaces.compound_costs import chain_cost
from surgenas.spaces.images import ImageSpace
from surgenas.spaces.mobile import OPERATORS, Mobile

AXES = ("side", "width", "depth", "operator")
SHARES = (0.375, 0.5, 0.625, 0.75, 0.875, 1.0)
"""Sides of images that are offered, of the largest, rounded to multiples of 8."""
OPTIONS = 1000
"""Networks that there may be, since predictors see each as a number of its own."""
LEAST, MOST = {"sides": 8, "widths": 0.05, "depths": 0.05}, {"sides": 2048, "widths": 16, "depths": 16}
Number = TypeVar("Number", int, float)


class Compound(ImageSpace):
    """Chains of MBConv blocks that are all of one operator, on images of a size that is chosen, too.

    classes: number of classes. resolution: height and width of the largest images. layout: as of `mobile`. sides: the
    heights and widths of images that may be chosen, separated by commas; empty for some up to the resolution. widths,
    depths: what may multiply the layout's channels, and the layers of each of its stages. operators: names of those of
    `mobile`. dropout: before the classifier.
    """

    name = "compound"

    def __init__(
        self,
        *,
        classes: int = 10,
        resolution: int = 64,
        layout: str = "small",
        sides: str = "",
        widths: str = "0.2,0.25,0.35,0.45,0.6,0.75,0.9,1.1,1.4",
        depths: str = "0.6,1,1.6",
        operators: str = "k3e3,k3e6,k5e3,k5e6",
        dropout: float = 0.2,
    ) -> None:
        super().__init__(classes=classes, resolution=resolution)
        usual = {max(8, 8 * round(share * self.resolution / 8)) for share in SHARES}
        self.sides = self._list("sides", sides, int) if sides else tuple(sorted(min(s, self.resolution) for s in usual))
        self.widths, self.depths = self._list("widths", widths, float), self._list("depths", depths, float)
        self.operators = tuple(dict.fromkeys(name.strip() for name in operators.split(",")))
        if unknown := [name for name in self.operators if name not in OPERATORS]:
            raise UsageError(f"{self.name}: operators {operators!r}: {unknown[0]!r} is none of {', '.join(OPERATORS)}")
        if max(self.sides) > self.resolution:
            raise UsageError(f"{self.name}: sides {sides!r}: images have {self.resolution} x {self.resolution} pixels")
        if (options := len(self.rows[0].options)) > OPTIONS:
            raise UsageError(f"{self.name}: {options} networks, at most {OPTIONS} can be told apart; shorten lists")
        self.layout, self.dropout = layout, dropout
        for side, width, depth in product(self.sides[:1], self.widths, self.depths):
            self.chains(side, width, depth)  # which refuses what no network can have

    def _list(self, what: str, text: str, number: Callable[[str], Number]) -> tuple[Number, ...]:
        """The rising numbers that a text names; raises UsageError for a text that names none."""
        try:
            found = {number(f"{number(part):g}") for part in str(text).split(",")}  # as a gene says it
        except ValueError:
            raise UsageError(f"{self.name}: {what} {text!r}: expected numbers, separated by commas") from None
        if not all(LEAST[what] <= value <= MOST[what] for value in found):
            raise UsageError(f"{self.name}: {what} {text!r}: expected {LEAST[what]:g} to {MOST[what]:g} each")
        return tuple(sorted(found))

    @property
    def settings(self) -> dict[str, Setting]:
        lists = {"sides": self.sides, "widths": self.widths, "depths": self.depths, "operators": self.operators}
        texts = {name: ",".join(f"{v:g}" if isinstance(v, float) else str(v) for v in vs) for name, vs in lists.items()}
        return {**super().settings, "layout": self.layout, **texts, "dropout": self.dropout}

    # --- what can be chosen

    @cached_property
    def choices(self) -> tuple[Choice, ...]:
        numbers = (self.sides, self.widths, self.depths)
        named = [tuple(f"{value:g}" for value in values) for values in numbers]
        return tuple(Choice(axis, options) for axis, options in zip(AXES, (*named, self.operators), strict=True))

    @cached_property
    def rows(self) -> tuple[Choice, ...]:
        """One row, whose operators are whole networks."""
        every = product(*(choice.options for choice in self.choices))
        return (Choice("network", tuple(f"s{s}w{w}d{d}{operator}" for s, w, d, operator in every)),)

    @property
    def _counts(self) -> tuple[int, ...]:
        return tuple(len(choice.options) for choice in self.choices)

    def paths(self, genes_NC: Positions) -> Positions:
        return np.ravel_multi_index(tuple(genes_NC.T), self._counts)[:, None]

    def best(self, scores_NLK: Floats) -> Positions:
        chosen_NL = super().best(scores_NLK)
        return np.stack(np.unravel_index(chosen_NL[:, 0], self._counts), 1)

    def canonical(self, arch: Architecture) -> Architecture:
        """Channels and layers are rounded: of those that become the same, the least."""
        side, width, depth, operator = arch.genes
        return Architecture(arch.space, (side, *self._least[width, depth], operator))

    @cached_property
    def _least(self) -> dict[tuple[str, str], tuple[str, str]]:
        """For each width and depth those that stand for the same network."""
        first: dict[object, tuple[str, str]] = {}
        _, widths, depths, _ = self.choices
        return {
            (w, d): first.setdefault(self.chains(self.sides[0], float(w), float(d)).layout, (w, d))
            for w, d in product(widths.options, depths.options)
        }

    # --- networks

    def chains(self, side: int, width: float, depth: float) -> Mobile:
        """The chains of this size."""
        return Mobile(
            layout=self.layout, resolution=side, width=width, depth=depth, classes=self.classes, dropout=self.dropout
        )

    def input_of(self, arch: Architecture) -> tuple[int, int, int]:
        side = int(self.check(arch).genes[0])
        return (3, side, side)

    def build(self, arch: Architecture) -> nn.Module:
        side, width, depth, operator = self.check(arch).genes
        chains = self.chains(int(side), float(width), float(depth))
        return chains.build(uniform_architecture(chains, operator))

    def costs(self) -> CostTable:
        return _costs(self.spec)


@lru_cache(maxsize=8)
def _costs(spec: SpaceSpec) -> CostTable:
    """The cost table of all spaces with these settings: one row of whole networks."""
    space = Compound(**dict(spec.settings))  # type: ignore[arg-type]
    sizes = product(space.sides, space.widths, space.depths)
    chains = [space.chains(*size) for size in sizes]
    every = [chain_cost(some, OPERATORS[name]) for some in chains for name in space.operators]
    macs, params, moved = np.array(every).T[:, None]
    taken = np.array([*product(*(range(len(choice.options)) for choice in space.choices))]).T
    numbers = (space.sides, space.widths, space.depths)
    traits = {axis: np.log(values)[at][:, None] for axis, values, at in zip(AXES, numbers, taken, strict=False)}
    traits[AXES[-1]] = np.eye(len(space.operators))[taken[-1]]
    return CostTable(
        macs=macs, params=params, geometry=np.zeros((1, 4)), fixed_macs=0.0, fixed_params=0.0,
        fixed_geometry=np.zeros((0, 4)), fixed_before=0, moved_bytes=moved, traits=traits,
    )  # fmt: skip
