"""Evolution inside a hard limit, over any space and any way to judge its architectures (SPOS, Guo et al. 2020; sheet,
"SPOS base"). What was judged is its only memory; every loop is bounded, however few architectures meet the limit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
import numpy.typing as npt

from surgenas.core import moves
from surgenas.core.architecture import Architecture
from surgenas.core.errors import UsageError
from surgenas.core.space import Space

Judge = Callable[[Sequence[Architecture]], Sequence[float]]
"""Scores, the larger the better."""
Feasible = Callable[[Sequence[Architecture]], npt.NDArray[np.bool_]]

DRAWS = 40
"""Rounds of drawing before it is said that there is nothing more; each draws BATCH."""
BATCH = 500


@dataclass(frozen=True)
class Judged:
    """An architecture and its score."""

    arch: Architecture
    score: float


@dataclass(frozen=True, kw_only=True)
class Evolution:
    """As the authors have it: of each generation `mutations` from mutating the `parents` best, as many `crossovers`,
    the rest at random. mutation_rate: by gene."""

    population: int = 50
    generations: int = 20
    parents: int = 10
    mutations: int = 25
    crossovers: int = 25
    mutation_rate: float = 0.1

    def __post_init__(self) -> None:
        if min(self.population, self.generations, self.parents) < 1 or not 0 < self.mutation_rate <= 1:
            raise UsageError("evolution: population, generations and parents 1 or more, mutation_rate in (0, 1]")


def ask(
    space: Space, history: Sequence[Judged], settings: Evolution, feasible: Feasible, rng: np.random.Generator
) -> list[Architecture]:
    """The next generation: feasible networks that were not judged yet, `population` of them or as many as are found."""
    seen = {moves.canonical_key(space, judged.arch) for judged in history}
    best = [judged.arch for judged in ranked(history)[: settings.parents]]
    found: list[Architecture] = []

    def take(draw: Callable[[], Architecture], count: int) -> None:
        for _ in range(DRAWS):
            wanted = min(count, settings.population - len(found))
            if wanted <= 0:
                return
            fresh = {key: arch for arch in _drawn(draw) if (key := moves.canonical_key(space, arch)) not in seen}
            if not fresh:
                return
            allowed = feasible(list(fresh.values()))
            new = list(islice((item for item, ok in zip(fresh.items(), allowed, strict=True) if ok), wanted))
            seen.update(key for key, _ in new)
            found.extend(arch for _, arch in new)
            count -= len(new)

    def parent() -> Architecture:
        return best[int(rng.integers(len(best)))]

    if best:
        take(lambda: moves.mutate_each(space, parent(), settings.mutation_rate, rng), settings.mutations)
        take(lambda: moves.crossover(space, parent(), parent(), rng), settings.crossovers)
    take(lambda: moves.sample(space, rng), settings.population)
    take(lambda: moves.sample_skewed(space, rng), settings.population)  # limits far from the middle of the space
    return found


def evolve(
    space: Space,
    judge: Judge,
    settings: Evolution,
    feasible: Feasible,
    rng: np.random.Generator,
    seeds: Sequence[Architecture] = (),
) -> list[Judged]:
    """Everything judged, the best first; ends early once nothing new is feasible.

    seeds: judged before anything is drawn; where few architectures are feasible, the first ones are hard to meet.
    """
    known: list[Judged] = []
    generation = list({moves.canonical_key(space, arch): arch for arch in seeds}.values())
    for turn in range(settings.generations + 1):
        if turn:
            generation = ask(space, known, settings, feasible, rng)
        if turn and not generation:
            break
        known += [Judged(arch, float(score)) for arch, score in zip(generation, judge(generation), strict=True)]
    return ranked(known)


def ranked(history: Sequence[Judged]) -> list[Judged]:
    """The best first; the earlier of equal ones."""
    return sorted(history, key=lambda judged: -judged.score)


def _drawn(draw: Callable[[], Architecture]) -> list[Architecture]:
    return [draw() for _ in range(BATCH)]
