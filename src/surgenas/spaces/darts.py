"""The DARTS space (Liu, Simonyan, Yang 2019, arXiv 1806.09055): two cells of two inputs and four nodes, repeated.

A network alternates normal cells with two reduction cells, which halve the image and double the channels. Each node
adds up two earlier nodes, each passed through one operator. docs/methods/darts.md says where each detail is from.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property, lru_cache, partial
from itertools import accumulate

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from surgenas.core.architecture import Architecture, Setting
from surgenas.core.capabilities import Cells
from surgenas.core.errors import UsageError
from surgenas.core.space import Choice, CostTable, Floats, Positions
from surgenas.nn.cells import Cell, ChoiceCell
from surgenas.nn.cost import count
from surgenas.nn.two_inputs import TwoInputCell, TwoInputNetwork, TwoInputSupernet
from surgenas.spaces.darts_operators import NONE, PAIRS, SETS, WIRING
from surgenas.spaces.darts_stack import (
    JOINED,
    STEM,
    Place,
    costs_at,
    make_auxiliary,
    make_normed,
    make_operator,
    make_ready,
    make_stem,
    places,
    stride_of,
)
from surgenas.spaces.genotypes import Pair, genotype_text, parse_genotype
from surgenas.spaces.images import ImageSpace

KINDS = ("normal", "reduce")
GENES = 3
"""Genes of a node: which two nodes it reads, and the operator of either."""


class Darts(ImageSpace):
    """Two cells of two inputs, from which networks are stacked.

    channels: of the first cell; reduction cells double them. layers: number of cells, 3 or more. stem: how many times
    smaller the stem makes images, 1, 2, 4 or 8. operators: which ones edges offer: all, or one of the small spaces s1
    to s4. The defaults are what DARTS searches with; it trains what it finds with 36 channels and 20 layers.
    """

    name = "darts"

    def __init__(
        self, *, classes: int = 10, resolution: int = 32, channels: int = 16, layers: int = 8, stem: int = 1,
        operators: str = "all",
    ) -> None:  # fmt: skip
        super().__init__(classes=classes, resolution=resolution)
        self.channels = self.whole_number("channels", channels, 4, 1024)
        self.layers = self.whole_number("layers", layers, 3, 100)
        self.stem = self.whole_number("stem", stem, 1, 8)
        self.operators = str(operators)
        if self.channels % 4:  # convolutions of a factorized reduction make half of them, and a single channel is
            # what torch 2.14 on CPUs fails at (docs/log.md, the space darts)
            raise UsageError(f"darts: channels {channels}: expected a multiple of 4, for example 16")
        if self.stem not in (1, 2, 4, 8):
            raise UsageError(f"darts: stem {stem}: expected 1, 2, 4 or 8")
        if self.resolution % (4 * self.stem):
            raise UsageError(f"darts: resolution {resolution}: expected a multiple of {4 * self.stem}, which the stem "
                             "and two reduction cells halve")  # fmt: skip
        if self.operators not in SETS:
            raise UsageError(f"darts: operators {operators!r}: expected one of {', '.join(SETS)}")

    @property
    def settings(self) -> dict[str, Setting]:
        own: dict[str, Setting] = {
            "channels": self.channels,
            "layers": self.layers,
            "stem": self.stem,
            "operators": self.operators,
        }
        return {**super().settings, **own}

    # --- genes say which two nodes a node reads; codes have a row for each edge, read or not

    @cached_property
    def rows(self) -> tuple[Choice, ...]:
        """The edges of the normal and of the reduction cell. `none` stands for an edge that is not there."""
        return tuple(
            Choice(f"{kind}{source}to{target}", (*(o for o in offers if o != NONE), NONE))
            for kind, edges in zip(KINDS, SETS[self.operators], strict=True)
            for (source, target), offers in zip(WIRING, edges, strict=True)
        )

    @cached_property
    def choices(self) -> tuple[Choice, ...]:
        alike = len({row.options for row in self.rows}) == 1
        operators = self.rows[0].options[:-1] if alike else ("first", "second")  # of the two that the edge offers
        return tuple(
            Choice(f"{kind}{node}.{gene}", options)
            for kind in KINDS
            for node, pairs in PAIRS.items()
            for gene, options in (
                ("inputs", tuple(f"{a}{b}" for a, b in pairs)), ("operator1", operators), ("operator2", operators),
            )
        )  # fmt: skip

    @cached_property
    def offered(self) -> npt.NDArray[np.bool_]:
        """Of the spaces only s3 lets a search weigh `none`; no found cell has it."""
        there = np.ones((len(self.rows), len(self.rows[0].options)), dtype=bool)
        there[:, -1] = NONE in SETS[self.operators][0][0]
        return there

    def paths(self, genes_NC: Positions) -> Positions:
        none = len(self.rows[0].options) - 1
        paths_NL = np.full((len(genes_NC), len(self.rows)), none)
        every = np.arange(len(genes_NC))
        for gene, row, pairs in _nodes():
            inputs_N2 = np.array(pairs)[genes_NC[:, gene]]
            for i in (0, 1):
                paths_NL[every, row + inputs_N2[:, i]] = genes_NC[:, gene + 1 + i]
        return paths_NL

    def best(self, scores_NLK: Floats) -> Positions:
        """The rule of DARTS: each node reads the two nodes whose best operators have the highest scores, through these
        operators; of equal ones the first. `none` is not counted."""
        scores = scores_NLK[:, :, : self.offered.shape[1] - 1]
        best_NL, strength_NL = scores.argmax(2), scores.max(2)
        genes_NC = np.zeros((len(scores), len(self.choices)), dtype=np.int64)
        every = np.arange(len(scores))
        for gene, row, pairs in _nodes():
            node = pairs[-1][1] + 1
            two_N2 = np.sort((-strength_NL[:, row : row + node]).argsort(1, kind="stable")[:, :2], axis=1)
            number = {pair: i for i, pair in enumerate(pairs)}
            genes_NC[:, gene] = [number[int(a), int(b)] for a, b in two_N2]
            for i in (0, 1):
                genes_NC[:, gene + 1 + i] = best_NL[every, row + two_N2[:, i]]
        return genes_NC

    def kinds(self) -> tuple[tuple[tuple[int, ...], ...], ...]:
        rows = [tuple(range(row, row + pairs[-1][1] + 1)) for _, row, pairs in _nodes()]
        return tuple(rows[: len(PAIRS)]), tuple(rows[len(PAIRS) :])

    # --- genotypes

    def parse(self, text: str) -> Architecture:
        """The architecture of a published genotype (spaces/genotypes.py); raises UsageError for any other text, and for
        operators that this space has not."""
        if "(" not in text:
            return super().parse(text)
        genes: list[str] = []
        for kind, pairs in zip(KINDS, parse_genotype(text), strict=True):
            for node, two in enumerate(zip(pairs[::2], pairs[1::2], strict=True), start=2):
                (one, a), (other, b) = sorted(two, key=lambda pair: pair[1])
                genes += [f"{a}{b}", self._gene(kind, node, a, one), self._gene(kind, node, b, other)]
        return self.architecture(tuple(genes))

    def genotype(self, arch: Architecture) -> str:
        """The text of an architecture as publications print it: the inverse of `parse`."""
        return genotype_text(*self.pairs(arch))

    def pairs(self, arch: Architecture) -> tuple[list[Pair], list[Pair]]:
        """The operators and the nodes that they read, two for each node, of the normal and of the reduction cell."""
        genes = self.check(arch).genes
        found: tuple[list[Pair], list[Pair]] = ([], [])
        for number, (gene, row, _) in enumerate(_nodes()):
            for i, source in enumerate(map(int, genes[gene])):
                options = self.rows[row + source].options
                position = self.choices[gene + 1 + i].options.index(genes[gene + 1 + i])
                found[number // len(PAIRS)].append((options[position], source))
        return found

    def cells(self, arch: Architecture) -> Cells:
        return {
            kind: [(source, 2 + i // 2, operator) for i, (operator, source) in enumerate(pairs)]
            for kind, pairs in zip(KINDS, self.pairs(arch), strict=True)
        }

    def _gene(self, kind: str, node: int, source: int, operator: str) -> str:
        names = {row.name: row.options[:-1] for row in self.rows}
        offers, first = names[f"{kind}{source}to{node}"], self.choices[1].options
        if operator not in offers:
            raise UsageError(f"not a genotype of {self.spec}: its edge from node {source} to {node} of {kind} offers "
                             f"{', '.join(offers)}, not {operator!r}")  # fmt: skip
        return first[offers.index(operator)]

    # --- networks

    def build(self, arch: Architecture) -> TwoInputNetwork:
        of_kind = dict(zip(KINDS, self.pairs(arch), strict=True))

        def inside(place: Place) -> Cell:
            pairs = of_kind[KINDS[place.reduction]]
            wiring = tuple((source, 2 + i // 2) for i, (_, source) in enumerate(pairs))
            operators = [
                make_operator(name, place.channels, stride_of(place, source), affine=True) for name, source in pairs
            ]
            return Cell(operators, wiring)

        last = max(i for i, place in enumerate(self._places) if place.reduction)
        second = partial(make_auxiliary, self._places[last], self.classes)
        return TwoInputNetwork(*self._parts(inside, affine=True), (second, last))

    def supernet(self) -> TwoInputSupernet:
        E = len(WIRING)

        def inside(place: Place) -> ChoiceCell:
            strides = [stride_of(place, source) for source, _ in WIRING]
            rows = self.rows[E:] if place.reduction else self.rows[:E]
            operators = [
                [make_normed(name, place.channels, stride) for name in row.options]
                for row, stride in zip(rows, strides, strict=True)
            ]
            return ChoiceCell(operators, WIRING, strides)

        reductions = [i for i, place in enumerate(self._places) if place.reduction]
        return TwoInputSupernet(*self._parts(inside, affine=False), reductions)

    def _parts(
        self, inside: Callable[[Place], Cell | ChoiceCell], *, affine: bool
    ) -> tuple[nn.Module, list[TwoInputCell], nn.Module]:
        cells = [TwoInputCell(make_ready(place, affine=affine), inside(place)) for place in self._places]
        last = JOINED * self._places[-1].channels
        head = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(last, self.classes))
        return make_stem(self.channels, self.stem), cells, head

    @cached_property
    def _places(self) -> list[Place]:
        return places(self.channels, self.layers, self.resolution // self.stem)

    def costs(self) -> CostTable:
        return _costs(self.channels, self.layers, self.stem, self.operators, self.classes, self.resolution)

    def count_costs(self) -> CostTable:
        """The cost table, counted anew. All cells of a kind are the same, so an edge's cost is that in all of them."""
        E = len(WIRING)
        table = np.zeros((len(self.rows), len(self.rows[0].options), 3))
        geometry: dict[int, list[float]] = {}
        with torch.device("meta"):
            for place in self._places:
                for e, (source, _) in enumerate(WIRING):
                    stride, row = stride_of(place, source), e + E * place.reduction
                    size = place.size if stride == 2 or not place.reduction else place.size // 2
                    known = costs_at(self.rows[row].options, place.channels, size, stride)
                    table[row] += known
                    width = math.log(place.channels)
                    geometry.setdefault(row, [width, width, 2 * math.log(size), float(stride)])
            fixed = [count(make_stem(self.channels, self.stem), self.input_shape)]
            for place in self._places:
                sizes = (place.size * 2 if place.halved else place.size, place.size)
                fixed += [
                    count(ready, (cin, size, size))
                    for ready, cin, size in zip(make_ready(place, affine=True), place.cin, sizes, strict=True)
                ]
        last = self._places[-1]
        features = JOINED * last.channels
        fixed.append((features * self.classes, (features + 1) * self.classes))
        macs, params = (float(sum(column)) for column in zip(*fixed, strict=True))
        first = [math.log(3), math.log(STEM * self.channels), 2 * math.log(self.resolution), float(self.stem)]
        return CostTable(
            macs=table[:, :, 0],
            params=table[:, :, 1],
            geometry=np.array([geometry[row] for row in range(len(self.rows))]),
            fixed_macs=macs,
            fixed_params=params,
            fixed_geometry=np.array([first, [math.log(features), math.log(self.classes), 0.0, 1.0]]),
            fixed_before=1,
            moved_bytes=table[:, :, 2],
            wiring=(*WIRING, *((source + 6, target + 6) for source, target in WIRING)),
        )


@lru_cache(maxsize=32)
def _costs(channels: int, layers: int, stem: int, operators: str, classes: int, resolution: int) -> CostTable:
    return Darts(
        channels=channels, layers=layers, stem=stem, operators=operators, classes=classes, resolution=resolution
    ).count_costs()


def _nodes() -> Iterator[tuple[int, int, Sequence[tuple[int, int]]]]:
    """For each inner node of both cells: its first gene, the row of its first edge, the pairs that it may read."""
    starts = [0, *accumulate(PAIRS)]
    for kind in range(len(KINDS)):
        for i, pairs in enumerate(PAIRS.values()):
            yield GENES * (kind * len(PAIRS) + i), kind * len(WIRING) + starts[i], pairs
