"""Successive halving that never waits (ASHA: Li et al., MLSys 2020): many architectures are judged at a cheap fidelity,
and the best of each fidelity are judged at the next one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from surgenas.core.architecture import Architecture
from surgenas.core.errors import UsageError
from surgenas.core.space import Space
from surgenas.core.trial import Trial
from surgenas.methods.base import Needs, allow_all
from surgenas.methods.blackbox import BlackBox, draw_new_at_random, sort_by_score, tried_keys
from surgenas.methods.sampling import Feasible


@dataclass(frozen=True, kw_only=True)
class SuccessiveHalving(BlackBox):
    """Asynchronous successive halving; a rung is one fidelity.

    rungs: how many fidelities there are.
    eta: one in so many architectures of a rung is judged at the next rung.
    """

    name: ClassVar[str] = "halving"
    rungs: int = 2
    eta: int = 4
    climbs: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if self.rungs < 2 or self.eta < 2:
            raise UsageError("halving: expected 2 or more rungs, from the cheapest fidelity up, and eta 2 or more")

    def needs(self, space: Space) -> Needs:
        return replace(super().needs(space), rungs=self.rungs)

    def ask(
        self, space: Space, history: Sequence[Trial], n: int, rng: np.random.Generator, feasible: Feasible = allow_all
    ) -> list[Architecture]:
        rungs = [[trial for trial in history if trial.rung == rung] for rung in range(self.rungs)]
        found: list[Architecture] = []
        for rung in reversed(range(self.rungs - 1)):
            above = tried_keys(rungs[rung + 1])
            best = sort_by_score(rungs[rung])[: len(rungs[rung]) // self.eta]
            found += [trial.arch for trial in best if trial.key not in above][: n - len(found)]
        return found or draw_new_at_random(space, n, tried_keys(history), rng, feasible)
