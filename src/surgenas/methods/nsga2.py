"""NSGA-II (Deb, Pratap, Agarwal & Meyarivan 2002) for score and latency together; sorting and crowding are pymoo's."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from surgenas.core import moves
from surgenas.core.architecture import Architecture
from surgenas.core.errors import EnvironmentFault, UsageError
from surgenas.core.space import Space
from surgenas.core.trial import Trial
from surgenas.methods.base import allow_all
from surgenas.methods.blackbox import BlackBox, draw_new, draw_new_at_random, tried_keys
from surgenas.methods.sampling import Feasible

TRIES = 200
"""Children drawn, at most, for each wanted one that is new and feasible."""


@dataclass(frozen=True, kw_only=True)
class NSGA2(BlackBox):
    """NSGA-II, which keeps the networks with the best trade-offs of score and latency.

    population: how many of all tried networks may have children; as many random ones are judged first.
    mutation_rate: probability that a gene is drawn anew after crossover; 0 stands for one gene in expectation.
    """

    name: ClassVar[str] = "nsga2"
    batch: int = 10
    population: int = 40
    mutation_rate: float = 0.0
    two_objectives: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if self.population < 2 or not 0 <= self.mutation_rate <= 1:
            raise UsageError("nsga2: expected a population of 2 or more, and a mutation_rate from 0 to 1")

    def ask(
        self, space: Space, history: Sequence[Trial], n: int, rng: np.random.Generator, feasible: Feasible = allow_all
    ) -> list[Architecture]:
        known = tried_keys(history)
        population = self.at_most(self.population)
        priced = [trial for trial in history if not math.isnan(trial.latency_ms)]  # else nothing dominates it
        if len(priced) < population:
            return draw_new_at_random(space, min(n, population - len(priced)), known, rng, feasible)
        alive = select_survivors(priced, population)
        rate = self.mutation_rate or 1 / len(space.choices)

        def parent() -> Architecture:
            return alive[int(min(rng.integers(len(alive), size=2)))].arch  # the better ranked of two

        def child() -> Architecture:
            return moves.mutate_each(space, moves.crossover(space, parent(), parent(), rng), rate, rng)

        found = draw_new(space, lambda count: [child() for _ in range(count)], n, known, feasible, most=TRIES * n)
        return found or draw_new_at_random(space, n, known, rng, feasible)


def select_survivors(history: Sequence[Trial], count: int) -> list[Trial]:
    """The best `count` trials: by non-dominated front of score and latency, and within a front by falling crowding
    distance.

    Raises EnvironmentFault if pymoo is not installed.
    """
    try:
        from pymoo.operators.survival.rank_and_crowding.metrics import calc_crowding_distance
        from pymoo.util.nds.non_dominated_sorting import NonDominatedSorting
    except ImportError as error:
        raise EnvironmentFault("nsga2 needs pymoo: pip install 'surgenas[lab]'") from error

    objectives = np.array([[-trial.score, trial.latency_ms] for trial in history])  # both minimised
    kept: list[Trial] = []
    for front in NonDominatedSorting().do(objectives, n_stop_if_ranked=count):
        order = np.argsort(-calc_crowding_distance(objectives[front]), kind="stable")
        kept += [history[front[i]] for i in order]
        if len(kept) >= count:
            break
    return kept[:count]
