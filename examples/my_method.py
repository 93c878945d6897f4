"""A method from outside: hill climbing, which changes one choice of the best network so far.

    PYTHONPATH=examples surgenas search --method my_method:HillClimbing --set trials=8 --set first=2

One class is all that surgenas needs of it; docs/how_to/add_a_method.md says why each part is there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from surgenas.core import moves
from surgenas.core.architecture import Architecture
from surgenas.core.bounds import Count
from surgenas.core.space import Space
from surgenas.core.trial import Trial
from surgenas.methods.base import allow_all
from surgenas.methods.blackbox import BlackBox, draw_new, draw_new_at_random, sort_by_score, tried_keys
from surgenas.methods.sampling import Feasible


@dataclass(frozen=True, kw_only=True)
class HillClimbing(BlackBox):
    """first: random networks, the best of which the climb begins at. patience: mutations drawn for one that is new and
    feasible, before a random network is asked for instead."""

    name: ClassVar[str] = "my_method"
    first: Count = 4
    patience: Count = 100

    def ask(
        self, space: Space, history: Sequence[Trial], n: int, rng: np.random.Generator, feasible: Feasible = allow_all
    ) -> list[Architecture]:
        known, found = tried_keys(history), []
        if len(history) >= self.first:
            best = sort_by_score(history)[0].arch

            def draw(count: int) -> list[Architecture]:
                return [moves.mutate(space, best, rng) for _ in range(count)]

            found = draw_new(space, draw, n, known, feasible, most=self.patience)
        return found or draw_new_at_random(space, n, known, rng, feasible)
