"""Local search (White, Nolen & Savani, UAI 2021): judges the neighbours of the best network, moves to the first one
that is better, and starts anew from a random network when no neighbour is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

import numpy as np

from surgenas.core import moves
from surgenas.core.architecture import Architecture
from surgenas.core.bounds import Count
from surgenas.core.space import Space
from surgenas.core.trial import Trial
from surgenas.methods.base import allow_all
from surgenas.methods.blackbox import BlackBox, draw_new_at_random, sort_by_score, tried_keys
from surgenas.methods.sampling import Feasible


@dataclass(frozen=True, kw_only=True)
class LocalSearch(BlackBox):
    """Local search with random restarts.

    starts: how many random architectures are judged first; the first climb begins at the best of them.
    """

    name: ClassVar[str] = "local"
    starts: Count = 10

    def ask(
        self, space: Space, history: Sequence[Trial], n: int, rng: np.random.Generator, feasible: Feasible = allow_all
    ) -> list[Architecture]:
        known = tried_keys(history)
        if len(history) < self.starts:
            return draw_new_at_random(space, n, known, rng, feasible)
        left = _left(space, history, self.starts, feasible)
        if not left:
            return draw_new_at_random(space, n, known, rng, feasible)
        archs = list(left.values())
        return [archs[i] for i in rng.permutation(len(archs))[:n]]


def _left(space: Space, history: Sequence[Trial], starts: int, feasible: Feasible) -> dict[str, Architecture]:
    """The feasible neighbours of the present centre that were not tried, by canonical key. The centre follows from the
    history, which is gone through again."""
    tried = tried_keys(history[:starts])
    centre = sort_by_score(history[:starts])[0]
    left = _around(space, centre, tried, feasible)
    for trial in history[starts:]:
        tried.add(trial.key)
        if not left or trial.score > centre.score:  # restart, or climb
            centre, left = trial, _around(space, trial, tried, feasible)
        else:
            left.pop(trial.key, None)
    return left


def _around(space: Space, centre: Trial, tried: set[str], feasible: Feasible) -> dict[str, Architecture]:
    """The feasible neighbours of a network that were not tried, by canonical key."""
    new = {key: arch for key, arch in _near(space, centre.arch).items() if key not in tried}
    allowed = feasible(list(new.values())) if new else ()
    return {key: arch for (key, arch), ok in zip(new.items(), allowed, strict=True) if ok}


@lru_cache(maxsize=4096)
def _near(space: Space, arch: Architecture) -> dict[str, Architecture]:
    return {moves.canonical_key(space, near): near for near in moves.neighbours(space, arch)}
