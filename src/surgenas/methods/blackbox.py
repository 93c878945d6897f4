"""Searches that see nothing of an architecture but its score, over any space and any way to judge.

A method is a frozen value, and its `ask` is a pure function of the history and the random stream, so the history is the
only memory. `AskTell` keeps that history for a loop of the user's own.
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
from surgenas.methods.base import allow_all
from surgenas.methods.sampling import Feasible, Sampling

Draw = Callable[[int], Sequence[Architecture]]
"""A function that draws about as many architectures as it is asked for; they may repeat."""

BATCH, MOST = 500, 20_000
"""BATCH: to which count further draws grow, after a first one of as many as are wanted. MOST: how many are drawn in all
before the search for new architectures is given up."""
ENOUGH = 20
"""In a space of n architectures no more than ENOUGH * n are drawn: by then, few can have been missed."""
ENUMERABLE = 50_000
"""A space of at most this many architectures is enumerated as a whole."""


@dataclass(frozen=True, kw_only=True)
class BlackBox(Sampling):
    """A method whose `ask` depends on the history and the random stream alone."""

    @abstractmethod
    def ask(
        self, space: Space, history: Sequence[Trial], n: int, rng: np.random.Generator, feasible: Feasible = allow_all
    ) -> list[Architecture]:
        """Up to n different feasible networks to judge next.

        None of them is in the history, except where the method asks for one again at the next fidelity. The list is
        empty only if no feasible new network could be found.
        """

    def start(self, space: Space, rng: np.random.Generator, feasible: Feasible = allow_all) -> AskTell:
        """The method in a loop that keeps its history."""
        return AskTell(space, self, rng, feasible)


class AskTell:
    """A method with its history, for a loop of the user's own.

    `arch, = search.ask()`, then `search.tell(Trial.of(space, arch, score))`.
    """

    def __init__(
        self, space: Space, method: BlackBox, rng: np.random.Generator, feasible: Feasible = allow_all
    ) -> None:
        self.space, self.method, self.rng, self.feasible = space, method, rng, feasible
        self.history: list[Trial] = []

    def ask(self, n: int = 1) -> list[Architecture]:
        """Up to n architectures to judge; empty if no feasible new one could be found."""
        return self.method.ask(self.space, self.history, n, self.rng, self.feasible)

    def tell(self, trial: Trial) -> None:
        """Add a trial to the history; its architecture need not have been asked for."""
        self.history.append(trial)


def tried_keys(history: Iterable[Trial]) -> set[str]:
    """The canonical keys of the networks that were tried."""
    return {trial.key for trial in history}


def sort_by_score(history: Iterable[Trial]) -> list[Trial]:
    """The trials by falling score; among equal scores the earlier one comes first."""
    return sorted(history, key=lambda trial: -trial.score)


def draw_new(
    space: Space, draw: Draw, n: int, known: set[str], feasible: Feasible = allow_all, most: int = MOST
) -> list[Architecture]:
    """Draw up to n different feasible networks whose canonical keys are not in `known`, and add their keys to `known`.

    draw: asked for n architectures first, then for more each time, up to BATCH. most: stop after so many draws. There
    may be fewer than n: drawing also stops when a large draw holds no new network.
    """
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


def draw_new_at_random(
    space: Space, n: int, known: set[str], rng: np.random.Generator, feasible: Feasible = allow_all
) -> list[Architecture]:
    """Draw up to n different feasible networks uniformly whose keys are not in `known`, and add their keys to `known`.

    Where uniform draws find too few, a small space is enumerated, in random order; a large one is sampled with skewed
    preferences (`moves.sample_skewed`), which reaches latencies far from the middle.
    """
    found = draw_new(space, lambda count: moves.sample_many(space, count, rng), n, known, feasible, most=4 * BATCH)
    if len(found) == n:
        return found
    if moves.size(space) <= ENUMERABLE:
        pool = list_networks(space)
        left = iter(rng.permutation([i for i, key in enumerate(pool.keys) if key not in known]))

        def draw(count: int) -> list[Architecture]:
            return [pool.archs[i] for _, i in zip(range(count), left, strict=False)]
    else:  # the limit may be far from most architectures

        def draw(count: int) -> list[Architecture]:
            return [moves.sample_skewed(space, rng) for _ in range(count)]

    return found + draw_new(space, draw, n - len(found), known, feasible)


@dataclass(frozen=True, eq=False)
class Pool:
    """N different networks: their architectures, canonical keys, and one-hot codes (N, L, K)."""

    archs: tuple[Architecture, ...]
    keys: tuple[str, ...]
    code: Floats


@lru_cache(maxsize=4)
def list_networks(space: Space) -> Pool:
    """Every network of an enumerable space, each once, represented by its canonical architecture."""
    archs = {space.canonical(arch): None for arch in moves.enumerate_all(space)}
    return Pool(tuple(archs), tuple(arch.key for arch in archs), moves.encode(space, list(archs)))
