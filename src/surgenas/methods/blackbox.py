"""Searches that see of an architecture its score alone, over any space and any way to judge.

A method is a frozen value whose `ask` is pure: what it asks for follows from the history and the random stream, so the
history is the only memory. `AskTell` keeps that history for loops that are not ours.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from surgenas.core import moves
from surgenas.core.architecture import Architecture
from surgenas.core.space import Floats, Space
from surgenas.core.trial import Trial
from surgenas.methods.base import anywhere
from surgenas.methods.sampling import Feasible, Sampling

Draw = Callable[[int], Sequence[Architecture]]

BATCH, MOST = 500, 20_000
"""Drawn at once, and in all, before it is said that drawing finds nothing more."""
ENOUGH = 20
"""Draws for each architecture of a small space, after which none is likely to have been missed."""
ENUMERABLE = 50_000
"""Spaces of at most as many gene strings are known as a whole."""


@dataclass(frozen=True, kw_only=True)
class BlackBox(Sampling):
    """A method whose `ask` is pure: what it asks for follows from the history and the random stream alone."""

    @abstractmethod
    def ask(
        self, space: Space, history: Sequence[Trial], n: int, rng: np.random.Generator, feasible: Feasible = anywhere
    ) -> list[Architecture]:
        """Up to n different feasible networks, new ones unless it climbs; none only if there are no more."""

    def start(self, space: Space, rng: np.random.Generator, feasible: Feasible = anywhere) -> AskTell:
        return AskTell(space, self, rng, feasible)


class AskTell:
    """A method in anybody's loop: `arch, = search.ask()`, then `search.tell(Trial.of(space, arch, score))`."""

    def __init__(self, space: Space, method: BlackBox, rng: np.random.Generator, feasible: Feasible = anywhere) -> None:
        self.space, self.method, self.rng, self.feasible = space, method, rng, feasible
        self.history: list[Trial] = []

    def ask(self, n: int = 1) -> list[Architecture]:
        """Up to n architectures to judge; none if nothing feasible is left."""
        return self.method.ask(self.space, self.history, n, self.rng, self.feasible)

    def tell(self, trial: Trial) -> None:
        """What was found of an architecture, asked for or not."""
        self.history.append(trial)


def seen(history: Iterable[Trial]) -> set[str]:
    """The networks that were tried."""
    return {trial.key for trial in history}


def ranked(history: Iterable[Trial]) -> list[Trial]:
    """The best first; the earlier of equal ones."""
    return sorted(history, key=lambda trial: -trial.score)


def fresh(
    space: Space, draw: Draw, n: int, known: set[str], feasible: Feasible = anywhere, most: int = MOST
) -> list[Architecture]:
    """n different feasible networks that are not known, as drawn; fewer after `most` draws, or where a whole batch
    holds nothing new. What is found becomes known."""
    found: list[Architecture] = []
    most = min(most, ENOUGH * moves.size(space))
    drawn, size = 0, n
    while len(found) < n and drawn < most:
        batch = {moves.canonical_key(space, arch): arch for arch in draw(size)}
        drawn, size = drawn + size, min(2 * size, BATCH)
        new = {key: arch for key, arch in batch.items() if key not in known}
        if not new and size == BATCH:
            break
        allowed = feasible(list(new.values())) if new else ()
        inside = [item for item, ok in zip(new.items(), allowed, strict=True) if ok][: n - len(found)]
        known.update(key for key, _ in inside)
        found += [arch for _, arch in inside]
    return found


def fresh_at_random(
    space: Space, n: int, known: set[str], rng: np.random.Generator, feasible: Feasible = anywhere
) -> list[Architecture]:
    """As `fresh`, drawn uniformly; where that finds too few, from all there are, or from all over the space."""
    found = fresh(space, lambda count: moves.sample_many(space, count, rng), n, known, feasible, most=4 * BATCH)
    if len(found) == n:
        return found
    if moves.size(space) <= ENUMERABLE:
        pool = whole(space)
        left = iter(rng.permutation([i for i, key in enumerate(pool.keys) if key not in known]))

        def draw(count: int) -> list[Architecture]:
            return [pool.archs[i] for _, i in zip(range(count), left, strict=False)]
    else:  # limits far from the middle of the space

        def draw(count: int) -> list[Architecture]:
            return [moves.sample_skewed(space, rng) for _ in range(count)]

    return found + fresh(space, draw, n - len(found), known, feasible)


@dataclass(frozen=True, eq=False)
class Pool:
    """Different networks with their keys and one-hot codes (N, L, K)."""

    archs: tuple[Architecture, ...]
    keys: tuple[str, ...]
    code: Floats


@lru_cache(maxsize=4)
def whole(space: Space) -> Pool:
    """Every network of an enumerable space, each once."""
    archs = {space.canonical(arch): None for arch in moves.enumerate_all(space)}
    return Pool(tuple(archs), tuple(arch.key for arch in archs), moves.encode(space, list(archs)))
