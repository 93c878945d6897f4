"""NAS-Bench-201 (Dong & Yang 2020): one cell of four nodes and six edges, five operators an edge, repeated 15 times."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from functools import cached_property, lru_cache
from itertools import product

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from surgenas.core.architecture import Architecture, Setting
from surgenas.core.capabilities import Cells
from surgenas.core.errors import UsageError
from surgenas.core.space import Choice, CostTable
from surgenas.nn.cell_operators import Nothing, relu_conv_bn
from surgenas.nn.cells import Cell, CellNetwork, CellSupernet, ChoiceCell
from surgenas.nn.cost import cost_of, count
from surgenas.spaces.images import ImageSpace

OPERATORS = ("none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3")
WIRING = ((0, 1), (0, 2), (1, 2), (0, 3), (1, 3), (2, 3))
"""For each edge the node that it reads and the node that its output is added to."""
NOTHING = "#"
SHUFFLED_WITH = 88
"""The seed that put the cells in the benchmark's order."""
WIDTH, REPEATS = 16, 5
"""The published channels of the first of three stages, and number of cells in each stage."""


class NASBench201(ImageSpace):
    """The cell space. classes: number of classes. resolution: input height and width.

    channels: of the first of three stages, 16 in the benchmark. repeats: number of cells in each stage, 5 in the
    benchmark. Its tables are of these two.
    """

    name = "nasbench201"

    def __init__(
        self, *, classes: int = 10, resolution: int = 32, channels: int = WIDTH, repeats: int = REPEATS
    ) -> None:
        super().__init__(classes=classes, resolution=resolution)
        self.channels = self.whole_number("channels", channels, 2, 1024)
        self.repeats = self.whole_number("repeats", repeats, 1, 100)
        if resolution % 4:  # halved twice, by convolutions and by pooling beside them
            raise UsageError(f"nasbench201: resolution {resolution}: expected a multiple of 4, for example 32")

    @property
    def settings(self) -> dict[str, Setting]:
        """The published channels and repeats go without saying, so that keys of before stay."""
        own: dict[str, Setting] = {"channels": self.channels, "repeats": self.repeats}
        usual = {"channels": WIDTH, "repeats": REPEATS}
        return {**super().settings, **{name: value for name, value in own.items() if value != usual[name]}}

    @cached_property
    def choices(self) -> tuple[Choice, ...]:
        return tuple(Choice(f"edge{source}to{target}", OPERATORS) for source, target in WIRING)

    def build(self, arch: Architecture) -> CellNetwork:
        genes = self.check(arch).genes
        return CellNetwork(self._parts(lambda c: Cell([_operator(gene, c) for gene in genes], WIRING)))

    def supernet(self) -> CellSupernet:
        edges = [OPERATORS] * len(WIRING)
        return CellSupernet(
            self._parts(lambda c: ChoiceCell([[_operator(gene, c) for gene in edge] for edge in edges], WIRING))
        )

    def parse(self, text: str) -> Architecture:
        """The architecture behind the benchmark's notation; raises UsageError for any other text.

        The notation is |op~0|+|op~0|op~1|+|op~0|op~1|op~2|.
        """
        found = re.fullmatch(r"\|(\w+)~0\|\+\|(\w+)~0\|(\w+)~1\|\+\|(\w+)~0\|(\w+)~1\|(\w+)~2\|", text.strip())
        if not found:
            raise UsageError(
                f"not an architecture of nasbench201: {text!r}; expected |op~0|+|op~0|op~1|+|op~0|op~1|op~2|"
            )
        return self.architecture(found.groups())

    def cells(self, arch: Architecture) -> Cells:
        return {"cell": [(*edge, gene) for edge, gene in zip(WIRING, self.check(arch).genes, strict=True)]}

    def canonical(self, arch: Architecture) -> Architecture:
        """The first, in the order of operators, of the cells isomorphic to this one; there are 6,466 such firsts."""
        return Architecture(arch.space, _representatives()[self.check(arch).genes])

    def costs(self) -> CostTable:
        return _costs(self.channels, self.repeats, self.classes, self.resolution)

    def _parts(self, cell: Callable[[int], nn.Module]) -> list[nn.Module]:
        """Stem, three stages of cells with residual blocks of stride 2 between them, head."""
        C = self.channels
        parts: list[nn.Module] = [nn.Sequential(nn.Conv2d(3, C, 3, padding=1, bias=False), nn.BatchNorm2d(C))]
        for width in (C, 2 * C, 4 * C):
            parts += [_Reduction(width // 2, width)] if width > C else []
            parts += [cell(width) for _ in range(self.repeats)]
        pool = (nn.AdaptiveAvgPool2d(1), nn.Flatten())
        return [*parts, nn.Sequential(nn.BatchNorm2d(width), nn.ReLU(), *pool, nn.Linear(width, self.classes))]

    def count_costs(self) -> CostTable:
        """The cost table, counted anew. All cells are the same, so an edge's cost is that in all of them together."""
        C, size, of_edge = self.channels, self.resolution, np.zeros((len(OPERATORS), 3))
        with torch.device("meta"):
            for width in (C, 2 * C, 4 * C):
                costs = [np.array(cost_of(_operator(gene, width), (width, size, size))) for gene in OPERATORS]
                of_edge += self.repeats * np.array(costs)
                size = size // 2
            macs, params = count(nn.Sequential(*self._parts(lambda _: nn.Identity())), self.input_shape)
        L = len(WIRING)
        cell = [np.log(C), np.log(C), 2 * np.log(self.resolution), 1.0]
        ends = [[np.log(3), np.log(C), cell[2], 1.0], [np.log(4 * C), np.log(self.classes), 0, 1]]
        return CostTable(
            macs=np.tile(of_edge[:, 0], (L, 1)),
            params=np.tile(of_edge[:, 1], (L, 1)),
            geometry=np.tile(cell, (L, 1)),
            fixed_macs=macs,
            fixed_params=params,
            fixed_geometry=np.array(ends),
            fixed_before=1,
            moved_bytes=np.tile(of_edge[:, 2], (L, 1)),
            wiring=WIRING,
            nothing=(OPERATORS.index("none"),),
            stand_ins=_stand_ins(),
        )


def _operator(gene: str, channels: int) -> nn.Module:
    """The module of one edge, which keeps the shape (N, C, H, W)."""
    if gene == "none":
        return Nothing()
    if gene == "skip_connect":
        return nn.Identity()
    if gene == "avg_pool_3x3":
        return nn.AvgPool2d(3, stride=1, padding=1, count_include_pad=False)
    return relu_conv_bn(channels, channels, int(gene[-1]))


class _Reduction(nn.Module):
    """(N, C, H, W) -> (N, 2C, H/2, W/2): a residual block of two convolutions."""

    def __init__(self, cin: int, cout: int) -> None:
        super().__init__()
        self.convs = nn.Sequential(relu_conv_bn(cin, cout, 3, stride=2), relu_conv_bn(cout, cout, 3))
        self.shortcut = nn.Sequential(nn.AvgPool2d(2), nn.Conv2d(cin, cout, 1, bias=False))

    def forward(self, x_NCHW: Tensor) -> Tensor:
        return self.shortcut(x_NCHW) + self.convs(x_NCHW)


def _meaning(genes: tuple[str, ...]) -> str:
    """What the last node of a cell computes, as an expression in the benchmark's notation.

    An identity is its input, the order of a sum does not matter, and an operator on nothing is nothing. (For some equal
    cells the benchmark has different expressions: a sum of nothing and x, and some sums of sums.)
    """
    nodes = {0: "0"}
    for node in (1, 2, 3):
        terms = []
        for gene, (source, target) in zip(genes, WIRING, strict=True):
            if target == node:
                nothing = gene == "none" or nodes[source] == NOTHING
                read = nodes[source] if gene == "skip_connect" else f"({nodes[source]})@{gene}"
                terms.append(NOTHING if nothing else read)
        nodes[node] = "+".join(sorted(terms))
    return nodes[3]


@lru_cache(maxsize=1)
def _representatives() -> dict[tuple[str, ...], tuple[str, ...]]:
    """For the genes of every cell, those of the first cell that computes the same."""
    first: dict[str, tuple[str, ...]] = {}
    cells = product(OPERATORS, repeat=len(WIRING))
    return {genes: first.setdefault(_meaning(genes), genes) for genes in cells}


@lru_cache(maxsize=1)
def _stand_ins() -> npt.NDArray[np.float32]:
    """For each cell in the order of operators the code of the first in the benchmark's order that is isomorphic.

    The benchmark's order is that of operators, shuffled by Python's generator. Whoever measures one cell of each kind
    (HW-NAS-Bench-360) takes the first.
    """
    cells = list(product(range(len(OPERATORS)), repeat=len(WIRING)))
    kinds = [_representatives()[tuple(OPERATORS[k] for k in cell)] for cell in cells]
    first: dict[tuple[str, ...], tuple[int, ...]] = {}
    numbers = list(range(len(cells)))
    random.Random(SHUFFLED_WITH).shuffle(numbers)
    for number in numbers:
        first.setdefault(kinds[number], cells[number])
    return np.eye(len(OPERATORS), dtype=np.float32)[[first[kind] for kind in kinds]]


@lru_cache(maxsize=32)
def _costs(channels: int, repeats: int, classes: int, resolution: int) -> CostTable:
    return NASBench201(channels=channels, repeats=repeats, classes=classes, resolution=resolution).count_costs()
