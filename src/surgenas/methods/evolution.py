"""Evolution inside a hard limit, over any space and any way to judge its architectures (SPOS, Guo et al. 2020;
docs/methods/hurricane.md, 5). What was judged is its only memory; every loop is bounded, however few architectures meet
the limit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from surgenas.core import moves
from surgenas.core.architecture import Architecture
from surgenas.core.bounds import Count
from surgenas.core.errors import UsageError
from surgenas.core.space import Space
from surgenas.core.trial import Trial
from surgenas.methods.base import anywhere
from surgenas.methods.blackbox import BlackBox, Draw, fresh, ranked, seen
from surgenas.methods.sampling import Feasible

Judge = Callable[[Sequence[Architecture]], Sequence[float]]
"""Scores, the larger the better."""


@dataclass(frozen=True, kw_only=True)
class Evolution:
    """The authors' shares: of each generation some from mutation, some from crossover, the rest at random.

    population: networks of a generation.
    generations: after the first.
    parents: the best that children come from.
    mutations, crossovers: children of a generation that come so.
    mutation_rate: chance of every gene to be drawn anew.
    """

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
    space: Space, history: Sequence[Trial], settings: Evolution, feasible: Feasible, rng: np.random.Generator
) -> list[Architecture]:
    """The next generation: feasible networks that were not judged yet, `population` of them or as many as are found."""
    known = seen(history)
    best = [trial.arch for trial in ranked(history)[: settings.parents]]
    found: list[Architecture] = []

    def take(draw: Draw, count: int) -> None:
        wanted = min(count, settings.population - len(found))
        found.extend(fresh(space, draw, wanted, known, feasible))

    def parent() -> Architecture:
        return best[int(rng.integers(len(best)))]

    if best:
        take(_each(lambda: moves.mutate_each(space, parent(), settings.mutation_rate, rng)), settings.mutations)
        take(_each(lambda: moves.crossover(space, parent(), parent(), rng)), settings.crossovers)
    take(lambda count: moves.sample_many(space, count, rng), settings.population)
    take(_each(lambda: moves.sample_skewed(space, rng)), settings.population)  # limits far from the space's middle
    return found


def evolve(
    space: Space,
    judge: Judge,
    settings: Evolution,
    feasible: Feasible,
    rng: np.random.Generator,
    seeds: Sequence[Architecture] = (),
) -> list[Trial]:
    """Everything judged, the best first; ends early once nothing new is feasible.

    seeds: judged before anything is drawn; where few architectures are feasible, the first ones are hard to meet.
    """
    known: list[Trial] = []
    generation = list({moves.canonical_key(space, arch): arch for arch in seeds}.values())
    for turn in range(settings.generations + 1):
        if turn:
            generation = ask(space, known, settings, feasible, rng)
        if turn and not generation:
            break
        known += [Trial.of(space, arch, float(s)) for arch, s in zip(generation, judge(generation), strict=True)]
    return ranked(known)


@dataclass(frozen=True, kw_only=True)
class Generations(BlackBox):
    """The same evolution in a loop that asks: a generation at a time.

    population: networks of a generation.
    parents: the best that children come from.
    mutations, crossovers: children of a generation that come so; the rest is drawn at random.
    mutation_rate: chance of every gene to be drawn anew.
    """

    name: ClassVar[str] = "evolution"
    batch: Count = 50
    population: Count = 50
    parents: Count = 10
    mutations: int = 25
    crossovers: int = 25
    mutation_rate: float = 0.1

    def ask(
        self, space: Space, history: Sequence[Trial], n: int, rng: np.random.Generator, feasible: Feasible = anywhere
    ) -> list[Architecture]:
        settings = Evolution(
            population=self.at_most(self.population), generations=1, parents=self.parents, mutations=self.mutations,
            crossovers=self.crossovers, mutation_rate=self.mutation_rate,
        )  # fmt: skip
        return ask(space, history, settings, feasible, rng)[:n]


def _each(draw: Callable[[], Architecture]) -> Draw:
    return lambda count: [draw() for _ in range(count)]
