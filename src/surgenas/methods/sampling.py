"""How does a method that sees scores alone become a search? Each candidate that it asks for is judged by itself."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Protocol

import numpy as np
import numpy.typing as npt

from surgenas.core import moves
from surgenas.core.architecture import Architecture
from surgenas.core.bounds import Count, Share
from surgenas.core.cost import Cost, Effort, Failure
from surgenas.core.errors import UsageError
from surgenas.core.seeds import generator
from surgenas.core.space import Space
from surgenas.core.trial import Trial
from surgenas.core.work import Judge, Price, Work
from surgenas.methods.base import Event, Latency, Needs, Problem, allow_all
from surgenas.methods.inside import Inside

Feasible = Callable[[Sequence[Architecture]], npt.NDArray[np.bool_]]
"""A function from N architectures to (N,) booleans: True for those that meet the limit."""
STREAM = "bench"
"""Names the random stream of these searches (core/seeds.py). Recorded results of benches were drawn from it, so it
stays."""
ROUNDING = 1e-9
"""Tolerance for rounding errors when costs of judgements are added up, in full judgements."""


class Loop(Protocol):
    """An optimizer that is asked for architectures and told their trials. history: all trials that it was told, in
    order."""

    history: list[Trial]

    def ask(self, n: int = 1) -> list[Architecture]:
        """Up to n architectures to judge; empty if no feasible one is left."""

    def tell(self, trial: Trial) -> None:
        """Take the trial of an architecture."""


@dataclass(frozen=True, kw_only=True)
class Sampling(ABC):
    """A method that sees nothing of a candidate but its score.

    trials: how many candidates may be judged, each by a training of its own.
    batch: how many candidates it asks for at a time.
    near: the share of the limit that a candidate must take by prediction; 0 for none. Brief trainings favour networks
    that are smaller than the limit allows, which long ones do not.

    climbs: asking again for an architecture means judging it at the next fidelity. two_objectives: the method uses the
    latencies in the history beside the scores.
    """

    name: ClassVar[str]
    default_space: ClassVar[str] = "mobile"
    climbs: ClassVar[bool] = False
    two_objectives: ClassVar[bool] = False

    trials: Count = 32
    batch: Count = 1
    near: Share = 0.0

    @abstractmethod
    def start(self, space: Space, rng: np.random.Generator, feasible: Feasible = allow_all) -> Loop:
        """A new optimizer with an empty history."""

    def at_most(self, population: int) -> int:
        """The population to use: a quarter of the trials if that is less, so that most trials are left for the search
        itself."""
        return min(population, max(2, self.trials // 4))

    def needs(self, space: Space) -> Needs:
        return Needs(
            data="held out", cost="any", trained=self.trials, priced=self.two_objectives, rungs=2 if self.climbs else 1
        )

    def begin(self, problem: Problem) -> SamplingSearch:
        return SamplingSearch(self, problem)


class SamplingSearch:
    """Has the candidates judged that a method asks for, until its trials are spent. Its only memory is its history."""

    def __init__(self, method: Sampling, problem: Problem) -> None:
        self.method, self.problem, self.space = method, problem, problem.space
        rng = generator(problem.seed, STREAM, method.name)
        self.loop = method.start(problem.space, rng, self._wanted())
        self.spent, self.ended = 0.0, False
        self.climbed: dict[str, int] = {}
        self.waiting: list[Work] = []
        self.scores: dict[Judge, float] = {}
        self.costs: dict[str, Cost | Failure] = {}

    def _wanted(self) -> Feasible:
        """The networks that may be judged. Raises UsageError if nothing predicts how near to the limit they are."""
        feasible, near = self.problem.feasible, self.method.near
        if not near:
            return feasible
        if not isinstance(feasible, Inside):
            raise UsageError(f"near {near:g}: how near to a limit a network is, is not predicted here; leave it out")
        return replace(feasible, least=near)

    @property
    def budget(self) -> float:
        """How much may be spent, in full judgements. Each extra round adds a quarter of the trials."""
        return self.method.trials * (1 + self.problem.extra / 4)

    @property
    def most_events(self) -> int:
        return math.floor(self.budget / self.problem.rungs[0] + ROUNDING)

    @property
    def history(self) -> list[Trial]:
        return self.loop.history

    def ask(self) -> Sequence[Work]:
        """Judgements of as many candidates as the method takes at a time, preceded by the request for their costs if
        the problem has costs. Asked again before all of it is told, it asks for the rest."""
        if self.waiting:
            return list(self.waiting)
        left = self.budget - self.spent
        if self.ended:
            return []
        archs = self.loop.ask(max(1, min(self.method.batch, math.floor(left))))
        asked = [judge for arch in archs if (judge := self._affordable(arch))]
        priced = [Price(tuple(judge.arch for judge in asked), Effort.LEARN)] if asked and self.problem.priced else []
        self.waiting = [*priced, *asked]
        return list(self.waiting)

    def _affordable(self, arch: Architecture) -> Judge | None:
        """The judgement of this architecture at its next fidelity, its cost counted as spent; None, and the search
        ends, if the budget does not allow it."""
        key = moves.canonical_key(self.space, arch)
        last = len(self.problem.rungs) - 1
        rung = min(self.climbed.get(key, -1) + 1, last) if self.method.climbs else last
        spent = self.spent + self.problem.rungs[rung]
        self.ended = self.ended or spent > self.budget + ROUNDING
        if self.ended:
            return None
        self.spent, self.climbed[key] = spent, rung
        return Judge(arch, rung)

    def tell(self, work: Work, result: Any) -> Sequence[Event]:
        """Costs are kept and give no event; a score gives one trial, with the cost that was told before it."""
        if work in self.waiting:
            self.waiting.remove(work)
        if isinstance(work, Price):
            self.costs |= {arch.key: cost for arch, cost in zip(work.archs, result, strict=True)}
            return []
        assert isinstance(work, Judge), "nothing else was asked for"
        self.scores[work] = float(result)
        trial = self._trial(work)
        self.loop.tell(trial)
        return [trial]

    def _trial(self, judge: Judge) -> Trial:
        cost = self.costs.get(judge.arch.key)
        latency_ms = math.nan if cost is None or isinstance(cost, Failure) else cost.ms
        key = moves.canonical_key(self.space, judge.arch)
        return Trial(judge.arch, key, self.scores[judge], latency_ms, judge.rung)

    def propose(
        self, latency_ms: Latency, window_ms: tuple[float, float], count: int, rng: np.random.Generator
    ) -> list[Architecture]:
        """Judged networks inside the window: those judged at the highest fidelity first, and among these the best score
        first."""
        best: dict[str, Trial] = {}
        for trial in sorted(self.history, key=lambda trial: (-trial.rung, -trial.score)):
            best.setdefault(trial.key, trial)
        archs = [trial.arch for trial in best.values()]
        low, high = window_ms
        inside = [arch for arch, ms in zip(archs, latency_ms(archs), strict=True) if low <= ms <= high] if archs else []
        return inside[:count]

    def largest(self) -> Architecture:
        if not self.history:
            raise UsageError(f"{self.method.name} judged nothing: no architecture met the limit")
        return max(self.history, key=lambda trial: (trial.rung, trial.score)).arch

    def state_dict(self) -> dict[str, Any]:
        """Empty: to continue such a search, its history is told to it again."""
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Nothing to load."""
