"""Regularized evolution (Real, Aggarwal, Huang & Le, AAAI 2019): the population is the last networks that were judged,
and the winner of a tournament among them has a child that differs in one choice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from surgenas.core import moves
from surgenas.core.architecture import Architecture
from surgenas.core.errors import UsageError
from surgenas.core.space import Space
from surgenas.core.trial import Trial
from surgenas.methods.base import allow_all
from surgenas.methods.blackbox import BlackBox, draw_new, draw_new_at_random, tried_keys
from surgenas.methods.sampling import Feasible

TRIES = 200
"""Children drawn, at most, for each wanted one that is new and feasible."""


@dataclass(frozen=True, kw_only=True)
class RegularizedEvolution(BlackBox):
    """Evolution whose oldest network dies whenever a new one is judged.

    population: how many of the last judged networks are alive; as many random ones are judged first.
    tournament: how many of them compete to have a child.
    """

    name: ClassVar[str] = "regularized"
    population: int = 50
    tournament: int = 10

    def __post_init__(self) -> None:
        if not 1 <= self.tournament <= self.population:
            raise UsageError(f"tournament {self.tournament}: expected 1 to the population, {self.population}")

    def ask(
        self, space: Space, history: Sequence[Trial], n: int, rng: np.random.Generator, feasible: Feasible = allow_all
    ) -> list[Architecture]:
        known = tried_keys(history)
        population = self.at_most(self.population)
        if len(history) < population:
            return draw_new_at_random(space, n, known, rng, feasible)
        alive = history[-population:]

        def child() -> Architecture:
            rivals = rng.choice(len(alive), min(self.tournament, len(alive)), replace=False)
            return moves.mutate(space, max((alive[i] for i in rivals), key=lambda trial: trial.score).arch, rng)

        found = draw_new(space, lambda count: [child() for _ in range(count)], n, known, feasible, most=TRIES * n)
        return found or draw_new_at_random(space, n, known, rng, feasible)
