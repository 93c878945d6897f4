"""Local search (White, Nolen & Savani, UAI 2021): all neighbours of the best, from the first that is better on; where
none is, a new start."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

import numpy as np

from surgenas.core import moves
from surgenas.core.architecture import Architecture
from surgenas.core.space import Space
from surgenas.core.trial import Trial
from surgenas.methods.base import anywhere
from surgenas.methods.blackbox import BlackBox, fresh_at_random, ranked, seen
from surgenas.methods.sampling import Feasible


@dataclass(frozen=True, kw_only=True)
class LocalSearch(BlackBox):
    """starts: random architectures, the best of which the first climb begins at."""

    name: ClassVar[str] = "local"
    starts: int = 10

    def ask(
        self, space: Space, history: Sequence[Trial], n: int, rng: np.random.Generator, feasible: Feasible = anywhere
    ) -> list[Architecture]:
        known = seen(history)
        if len(history) < self.starts:
            return fresh_at_random(space, n, known, rng, feasible)
        left = _left(space, history, self.starts, feasible)
        if not left:
            return fresh_at_random(space, n, known, rng, feasible)
        archs = list(left.values())
        return [archs[i] for i in rng.permutation(len(archs))[:n]]


def _left(space: Space, history: Sequence[Trial], starts: int, feasible: Feasible) -> dict[str, Architecture]:
    """Of the present centre the feasible neighbours that were never tried: the history played again."""
    tried = seen(history[:starts])
    centre = ranked(history[:starts])[0]
    left = _around(space, centre, tried, feasible)
    for trial in history[starts:]:
        tried.add(trial.key)
        if not left or trial.score > centre.score:  # a new start, or a step
            centre, left = trial, _around(space, trial, tried, feasible)
        else:
            left.pop(trial.key, None)
    return left


def _around(space: Space, centre: Trial, tried: set[str], feasible: Feasible) -> dict[str, Architecture]:
    new = {key: arch for key, arch in _near(space, centre.arch).items() if key not in tried}
    allowed = feasible(list(new.values())) if new else ()
    return {key: arch for (key, arch), ok in zip(new.items(), allowed, strict=True) if ok}


@lru_cache(maxsize=4096)
def _near(space: Space, arch: Architecture) -> dict[str, Architecture]:
    return {moves.canonical_key(space, near): near for near in moves.neighbours(space, arch)}
