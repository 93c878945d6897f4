"""How does a method that sees scores alone become a search? Each candidate that it asks for is judged by itself."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

import numpy as np
import numpy.typing as npt

from surgenas.core import moves
from surgenas.core.architecture import Architecture
from surgenas.core.bounds import Count
from surgenas.core.cost import Cost, Effort, Failure
from surgenas.core.seeds import generator
from surgenas.core.space import Space
from surgenas.core.trial import Trial
from surgenas.core.work import Judge, Price, Work
from surgenas.methods.base import Event, Latency, Needs, Problem, anywhere

Feasible = Callable[[Sequence[Architecture]], npt.NDArray[np.bool_]]
STREAM = "bench"
"""The place that random numbers are drawn for; the kept figures of benches were drawn there."""
ROUNDING = 1e-9


class Loop(Protocol):
    """An optimizer that is asked, and told what came of it. history: what it was told."""

    history: list[Trial]

    def ask(self, n: int = 1) -> list[Architecture]: ...
    def tell(self, trial: Trial) -> None: ...


@dataclass(frozen=True, kw_only=True)
class Sampling(ABC):
    """trials: how many candidates it may have judged, each a training of its own. batch: how many it wants to be asked
    for at a time.

    climbs: does an architecture that it asks for again mean the next fidelity? two_objectives: does it need latencies
    in the history?
    """

    name: ClassVar[str]
    default_space: ClassVar[str] = "mobile"
    climbs: ClassVar[bool] = False
    two_objectives: ClassVar[bool] = False

    trials: Count = 32
    batch: Count = 1

    @abstractmethod
    def start(self, space: Space, rng: np.random.Generator, feasible: Feasible = anywhere) -> Loop:
        """An optimizer of its own, nothing known yet."""

    def at_most(self, population: int) -> int:
        """A population, or a quarter of the trials where that is less: a search must have time to evolve."""
        return min(population, max(2, self.trials // 4))

    def needs(self, space: Space) -> Needs:
        return Needs(
            data="held out", cost="any", trained=self.trials, priced=self.two_objectives, rungs=2 if self.climbs else 1
        )

    def begin(self, problem: Problem) -> SamplingSearch:
        return SamplingSearch(self, problem)


class SamplingSearch:
    """Judges what a method asks for until its trials are spent; its history is its only memory."""

    def __init__(self, method: Sampling, problem: Problem) -> None:
        self.method, self.problem, self.space = method, problem, problem.space
        rng = generator(problem.seed, STREAM, method.name)
        self.loop = method.start(problem.space, rng, problem.feasible)
        self.spent, self.ended = 0.0, False
        self.climbed: dict[str, int] = {}
        self.asked: list[Judge] = []
        self.scores: dict[Judge, float] = {}
        self.costs: dict[str, Cost | Failure] = {}

    @property
    def budget(self) -> float:
        """Full judgements that may be spent; every extra round is another quarter of the trials."""
        return self.method.trials * (1 + self.problem.extra / 4)

    @property
    def history(self) -> list[Trial]:
        return self.loop.history

    def ask(self) -> Sequence[Work]:
        """As many candidates as the method takes at a time, and what they cost if there is a cost to be asked for."""
        left = self.budget - self.spent
        if self.ended:
            return []
        archs = self.loop.ask(max(1, min(self.method.batch, math.floor(left))))
        self.asked = [judge for arch in archs if (judge := self._affordable(arch))]
        if not self.asked:
            return []
        priced = [Price(tuple(judge.arch for judge in self.asked), Effort.LEARN)] if self.problem.priced else []
        return [*priced, *self.asked]

    def _affordable(self, arch: Architecture) -> Judge | None:
        """The judgement of the next fidelity, if there is enough left for it; else the search ends here."""
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
        """Nothing, until all that was asked for together is known; then a trial for each."""
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
        """The best of those that were judged."""
        best: dict[str, Trial] = {}
        for trial in sorted(self.history, key=lambda trial: (-trial.rung, -trial.score)):
            best.setdefault(trial.key, trial)
        archs = [trial.arch for trial in best.values()]
        low, high = window_ms
        inside = [arch for arch, ms in zip(archs, latency_ms(archs), strict=True) if low <= ms <= high] if archs else []
        return inside[:count]

    def largest(self) -> Architecture:
        return max(self.history, key=lambda trial: (trial.rung, trial.score)).arch

    def state_dict(self) -> dict[str, Any]:
        """Nothing: whoever goes on with it tells it its history again."""
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """The inverse."""
