"""Does a search's work by looking it up: a space whose every network was judged already."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from surgenas.core import moves
from surgenas.core.architecture import Architecture
from surgenas.core.cost import Cost, Estimate
from surgenas.core.errors import DataError, LimitError, UsageError
from surgenas.core.space import Floats, Space
from surgenas.core.units import show_ms
from surgenas.core.work import Judge, Price, Work
from surgenas.engine.tables import Table
from surgenas.methods.blackbox import ENUMERABLE, whole


class Lookup:
    """A column by architecture. Isomorphic ones share a row: that of their representative, else the first of theirs;
    what is in no row is an error, never a guess."""

    def __init__(self, table: Table, column: str) -> None:
        self.space, self.table, self.column = table.space, table, column
        own: dict[str, float] = {}
        first: dict[str, float] = {}
        for arch, value in zip(table.archs, table.of(column), strict=True):
            representative = self.space.canonical(arch)
            first.setdefault(representative.key, float(value))
            if arch == representative:
                own[arch.key] = float(value)
        self._values = first | own

    def knows(self, arch: Architecture) -> bool:
        """arch: the representative of its network."""
        return arch.key in self._values

    def __call__(self, archs: Sequence[Architecture]) -> Floats:
        """(N,) values; raises DataError for an architecture that the table does not hold."""
        keys = [moves.canonical_key(self.space, arch) for arch in archs]
        for arch, key in zip(archs, keys, strict=True):
            if key not in self._values:
                raise DataError(f"{self.column}: {arch} is not in the table, which has {len(self.table)} architectures")
        return np.array([self._values[key] for key in keys])


@dataclass(frozen=True, eq=False)
class World:
    """All networks of a space, an index for each. scores: (R, N), what steers, the cheapest fidelity first. reported:
    (N,), what is reported. latency_ms: (N,), where a table says so. Raises LimitError if nothing meets the limit."""

    space: Space
    scores: Floats
    reported: Floats
    latency_ms: Floats | None = None
    limit_ms: float | None = None

    def __post_init__(self) -> None:
        if not self.allowed.any():
            assert self.latency_ms is not None
            raise LimitError(
                f"--limit {show_ms(float(self.limit_ms or 0))}: no architecture of {self.space.name} is that fast; the "
                f"fastest takes {show_ms(float(self.latency_ms.min()))}"
            )

    @cached_property
    def allowed(self) -> npt.NDArray[np.bool_]:
        """(N,) does it meet the limit?"""
        if self.limit_ms is None or self.latency_ms is None:
            return np.ones(len(self.reported), dtype=bool)
        return self.latency_ms <= self.limit_ms

    @cached_property
    def index(self) -> dict[tuple[str, ...], int]:
        """Of every gene string, isomorphic ones too."""
        place = {key: i for i, key in enumerate(whole(self.space).keys)}
        return {arch.genes: place[moves.canonical_key(self.space, arch)] for arch in moves.enumerate_all(self.space)}

    @cached_property
    def optimum(self) -> float:
        """The best reported value inside the limit."""
        return float(self.reported[self.allowed].max())

    @cached_property
    def fingerprint(self) -> str:
        parts = [self.scores, self.reported, self.allowed, *([] if self.latency_ms is None else [self.latency_ms])]
        return hashlib.sha256(b"".join(np.ascontiguousarray(part).tobytes() for part in parts)).hexdigest()[:16]

    def feasible(self, archs: Sequence[Architecture]) -> npt.NDArray[np.bool_]:
        """For methods: which of these meet the limit?"""
        return self.allowed[[self.index[arch.genes] for arch in archs]]


@dataclass(frozen=True, eq=False)
class Tabular:
    """The engine: judgements and latencies from the world. Nothing is trained."""

    world: World

    def perform(self, work: Work) -> Any:
        world = self.world
        match work:
            case Judge(arch, rung):
                return float(world.scores[rung, world.index[arch.genes]])
            case Price(archs):
                assert world.latency_ms is not None, "a search without latencies asks for none"
                return [self._cost(arch, float(world.latency_ms[world.index[arch.genes]])) for arch in archs]
            case _:
                raise UsageError(
                    "a table knows finished networks: methods that share weights train on images; use `surgenas search`"
                )

    def _cost(self, arch: Architecture, ms: float) -> Cost:
        return Estimate(arch.key, "table", {"ms": ms}, tool="table", version=self.world.fingerprint)


def look_up_all(space: Space, table: Table, column: str) -> Floats:
    """(N,) a column for every network of the space, in the order of `whole`; raises DataError if some are missing."""
    look = Lookup(table, column)
    missing = [str(arch) for arch in whole(space).archs if not look.knows(arch)]
    if missing:
        raise DataError(
            f"{column}: {len(missing)} of {len(whole(space).archs)} networks are missing, for example {missing[0]}; a "
            "search may ask for any of them"
        )
    return look(whole(space).archs)


def check_enumerable(space: Space) -> None:
    """Raise DataError for a space of which no table can hold everything."""
    if moves.size(space) > ENUMERABLE:
        raise DataError(
            f"{space.name} has {moves.size(space):.3g} architectures, too many for a table of all; a search on a table "
            "needs a space like nasbench201 or macro"
        )
