"""A race: a few networks of about the limit, as different as can be, are trained as the found one will be. Every so
often the worse ones stop, and whoever is left trains on (successive halving: Jamieson and Talwalkar, AISTATS 2016,
arXiv 1502.07943). So what the winner took is not spent beside its training, but is the beginning of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, ClassVar

import numpy as np

from surgenas.core import moves
from surgenas.core.architecture import Architecture
from surgenas.core.bounds import Count, Share
from surgenas.core.cost import Effort, Failure
from surgenas.core.errors import LimitError, UsageError
from surgenas.core.seeds import generator
from surgenas.core.space import Space
from surgenas.core.trial import Trial
from surgenas.core.work import Judge, Price, Work
from surgenas.methods.base import Event, Latency, Needs, Problem
from surgenas.methods.blackbox import draw_new_at_random, sort_by_score
from surgenas.methods.inside import Inside
from surgenas.methods.spread import spread

POOL = 20
"""Networks are chosen among so many times as many, drawn at random."""
LONGER = 2
"""From one comparison to the next, networks are trained so many times as long."""
ROUNDS = 5
"""So often further networks are measured, if too few of those before are near the limit."""
INSIDE = 0.98
"""The share of the limit that a network may take, measured once: the rest is left for noise."""


@dataclass(frozen=True, kw_only=True)
class Race:
    """Trains a few different networks for a while, then the best of them for longer.

    networks: how many begin.
    rungs: how often they are compared, as long as there are two; each time they have been trained for twice as long as
    before, the last time for all of the search's epochs.
    eta: one in so many goes on.
    near: the share of the limit that a network must take at least.
    """

    name: ClassVar[str] = "race"
    default_space: ClassVar[str] = "compound"

    networks: Count = 5
    rungs: Count = 2
    eta: Count = 2
    near: Share = 0.8

    def __post_init__(self) -> None:
        if self.networks < 2 or self.eta < 2:
            raise UsageError("race: expected 2 or more networks, of which one in 2 or more goes on")

    def sizes(self, networks: int) -> list[int]:
        """How many of so many networks are trained at each rung, the first one first; it ends where one is left."""
        sizes = [networks // self.eta**rung for rung in range(self.rungs)]
        return [size for size in sizes if size > 1] or sizes[:1]

    def needs(self, space: Space) -> Needs:
        sizes = self.sizes(self.networks)
        lengths = [LONGER ** (rung + 1 - len(sizes)) for rung in range(len(sizes))]
        added = [longer - before for before, longer in pairwise([0.0, *lengths])]
        spent = sum(size * share for size, share in zip(sizes, added, strict=True))
        return Needs(
            data="held out", cost="any", priced=True, rungs=len(sizes), apart=LONGER, goes_on=True, trained=round(spent)
        )

    def begin(self, problem: Problem) -> RaceSearch:
        return RaceSearch(self, problem)


class RaceSearch:
    """Has networks measured until enough of them are near the limit, then has these trained and compared. Its only
    memory is what it was told."""

    def __init__(self, method: Race, problem: Problem) -> None:
        self.method, self.problem, self.space = method, problem, problem.space
        self.rng = generator(problem.seed, method.name)
        self.wanted = self.method.networks + problem.extra
        self.rounds = 0
        self.drawn: set[str] = set()
        self.ms: dict[Architecture, float] = {}
        self.history: list[Trial] = []
        self.waiting: list[Work] = []

    @property
    def most_events(self) -> int:
        return sum(self.method.sizes(self.wanted)[: len(self.problem.rungs)])

    # --- who runs

    @property
    def limit_ms(self) -> float:
        inside = self.problem.feasible
        return inside.limit() if isinstance(inside, Inside) else self.problem.limit_ms

    @property
    def running(self) -> list[Architecture]:
        """The networks of the race, in the order in which they were measured: near the limit, and, once no more are
        looked for, the slowest of those below."""
        inside = [arch for arch, ms in self.ms.items() if ms <= INSIDE * self.limit_ms]
        near = [arch for arch in inside if self.ms[arch] >= self.method.near * self.limit_ms]
        if self.rounds >= ROUNDS:
            near += sorted((arch for arch in inside if arch not in near), key=lambda arch: -self.ms[arch])
        return near[: self.wanted]

    def _further(self) -> list[Architecture]:
        """As many networks to measure as are missing, different from each other and from those before."""
        feasible, missing = self.problem.feasible, self.wanted - len(self.running)
        if isinstance(feasible, Inside):
            feasible = replace(feasible, least=self.method.near)
        pool = draw_new_at_random(self.space, POOL * self.wanted, set(self.drawn), self.rng, feasible)
        return spread(self.space, pool, list(self.ms), 2 * missing)

    # --- the race

    def ask(self) -> Sequence[Work]:
        """The price of networks until enough of them are near the limit; then the judgements of a rung."""
        if not self.waiting and self.rounds < ROUNDS and len(self.running) < self.wanted:
            archs = self._further()
            self.drawn |= {moves.canonical_key(self.space, arch) for arch in archs}
            self.waiting = [Price(tuple(archs), Effort.LEARN)] if archs else []
            self.rounds = self.rounds if archs else ROUNDS
        if not self.waiting:
            self.waiting = [work for work in self._rung() if not self._judged(work)]
        return list(self.waiting)

    def _rung(self) -> list[Judge]:
        """The judgements of the rung that is run now; those of the last one once all are made."""
        works = [Judge(arch, 0) for arch in self.running]
        for rung in range(1, len(self.problem.rungs)):
            trials = [trial for work in works if (trial := self._judged(work))]
            left = len(works) // self.method.eta
            if len(trials) < len(works) or left < 2:
                break
            works = [Judge(trial.arch, rung) for trial in sort_by_score(trials)[:left]]
        return works

    def _judged(self, work: Judge) -> Trial | None:
        return next((t for t in self.history if t.arch == work.arch and t.rung == work.rung), None)

    def tell(self, work: Work, result: Any) -> Sequence[Event]:
        """Costs are kept and give no event; a score gives one trial."""
        if work in self.waiting:
            self.waiting.remove(work)
        if isinstance(work, Price):
            self.rounds += 1
            known = zip(work.archs, result, strict=True)
            self.ms |= {arch: cost.ms for arch, cost in known if not isinstance(cost, Failure)}
            return []
        assert isinstance(work, Judge), "nothing else was asked for"
        key = moves.canonical_key(self.space, work.arch)
        trial = Trial(work.arch, key, float(result), self.ms[work.arch], work.rung)
        self.history.append(trial)
        return [trial]

    # --- who won

    def propose(
        self, latency_ms: Latency, window_ms: tuple[float, float], count: int, rng: np.random.Generator
    ) -> list[Architecture]:
        """The networks of the race inside the window: those that came furthest first, and among these the best score
        first."""
        ranked = self._ranked()
        low, high = window_ms
        return [a for a, ms in zip(ranked, latency_ms(ranked) if ranked else (), strict=True) if low <= ms <= high][
            :count
        ]

    def largest(self) -> Architecture:
        ranked = self._ranked()
        if not ranked:
            raise LimitError(f"race: none of {len(self.ms)} networks that were measured is inside the limit")
        return ranked[0]

    def _ranked(self) -> list[Architecture]:
        best = sorted(self.history, key=lambda trial: (-trial.rung, -trial.score))
        return list(dict.fromkeys(trial.arch for trial in best))

    def state_dict(self) -> dict[str, Any]:
        """Empty: to continue such a search, what it was told is told to it again."""
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Nothing to load."""
