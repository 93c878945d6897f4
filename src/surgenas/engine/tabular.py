"""Does a search's work by looking up results, in a space whose networks have all been judged already."""

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
from surgenas.methods.blackbox import ENUMERABLE, list_networks


class Lookup:
    """Looks up the values of architectures in a column of a table.

    Architectures that are the same network share a value: that in the row of their canonical architecture, or else in
    the first row of any of them.
    """

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
        """Does the table hold this network? arch: the canonical architecture of the network."""
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
    """All N networks of a space with everything that is known of them.

    scores: (R, N), what a search is told, for each of R fidelities, the cheapest first. reported: (N,), what the bench
    reports. latency_ms: (N,), None if no table gives it. limit_ms: a hard limit, or None. Raises LimitError if no
    network meets the limit.
    """

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
        """(N,) booleans: True for networks that meet the limit."""
        if self.limit_ms is None or self.latency_ms is None:
            return np.ones(len(self.reported), dtype=bool)
        return self.latency_ms <= self.limit_ms

    @cached_property
    def index(self) -> dict[tuple[str, ...], int]:
        """The index of the network that an architecture stands for, by the architecture's genes."""
        place = {key: i for i, key in enumerate(list_networks(self.space).keys)}
        return {arch.genes: place[moves.canonical_key(self.space, arch)] for arch in moves.enumerate_all(self.space)}

    @cached_property
    def optimum(self) -> float:
        """The best reported value among networks that meet the limit."""
        return float(self.reported[self.allowed].max())

    @cached_property
    def fingerprint(self) -> str:
        """16 hexadecimal digits that are the same for worlds with the same numbers and the same allowed networks."""
        parts = [self.scores, self.reported, self.allowed, *([] if self.latency_ms is None else [self.latency_ms])]
        return hashlib.sha256(b"".join(np.ascontiguousarray(part).tobytes() for part in parts)).hexdigest()[:16]

    def feasible(self, archs: Sequence[Architecture]) -> npt.NDArray[np.bool_]:
        """(N,) booleans for N architectures: True for those that meet the limit."""
        return self.allowed[[self.index[arch.genes] for arch in archs]]


@dataclass(frozen=True, eq=False)
class Tabular:
    """An engine that looks up judgements and latencies; nothing is trained or measured."""

    world: World

    def expect(self, works: Sequence[Work]) -> None:
        """A table answers at once."""

    def perform(self, work: Work) -> Any:
        """The result of this work, looked up. Raises UsageError for work on shared weights."""
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
    """The values (N,) of a column for every network of an enumerable space, in the order of `list_networks`.

    Raises DataError if the table lacks one of them.
    """
    look = Lookup(table, column)
    archs = list_networks(space).archs
    missing = [str(arch) for arch in archs if not look.knows(arch)]
    if missing:
        raise DataError(
            f"{column}: {len(missing)} of {len(archs)} networks are missing, for example {missing[0]}; a search may "
            "ask for any of them"
        )
    return look(archs)


def check_enumerable(space: Space) -> None:
    """Raise DataError for a space that has too many architectures for a table of all of them."""
    if moves.size(space) > ENUMERABLE:
        raise DataError(
            f"{space.name} has {moves.size(space):.3g} architectures, too many for a table of all; a search on a table "
            "needs a space like nasbench201 or macro"
        )
