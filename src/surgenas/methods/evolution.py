"""Evolution inside a hard limit, over any space and any way to judge its architectures.

The method is that of SPOS (Guo et al. 2020; docs/methods/hurricane.md, 5). The history of trials is its only memory.
Every loop is bounded, however few architectures meet the limit.
"""

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
from surgenas.methods.base import allow_all
from surgenas.methods.blackbox import MOST, BlackBox, Draw, draw_new, sort_by_score, tried_keys
from surgenas.methods.sampling import Feasible

Judge = Callable[[Sequence[Architecture]], Sequence[float]]
"""A function that returns the scores of architectures, in their order; larger is better."""


@dataclass(frozen=True, kw_only=True)
class Evolution:
    """Settings of the evolution of SPOS. Each generation holds mutated networks, crossed networks, and random ones to
    fill it up.

    population: networks in a generation.
    generations: how many generations are judged after the networks that the evolution starts from.
    parents: how many of the best networks so far have children.
    mutations, crossovers: how many networks of a generation come from mutation, and how many from crossover.
    mutation_rate: probability that a gene is drawn anew in a mutation.
    draws: how many are drawn at most to find the new networks of each kind in a generation.
    """

    population: int = 50
    generations: int = 20
    parents: int = 10
    mutations: int = 25
    crossovers: int = 25
    mutation_rate: float = 0.1
    draws: int = MOST

    def __post_init__(self) -> None:
        if min(self.population, self.generations, self.parents) < 1 or not 0 < self.mutation_rate <= 1:
            raise UsageError("evolution: population, generations and parents 1 or more, mutation_rate in (0, 1]")


def ask(
    space: Space, history: Sequence[Trial], settings: Evolution, feasible: Feasible, rng: np.random.Generator
) -> list[Architecture]:
    """The next generation: up to `population` different feasible networks that are not in the history; fewer, or none,
    if no more are found."""
    known = tried_keys(history)
    best = [trial.arch for trial in sort_by_score(history)[: settings.parents]]
    found: list[Architecture] = []

    def take(draw: Draw, count: int) -> None:
        wanted = min(count, settings.population - len(found))
        found.extend(draw_new(space, draw, wanted, known, feasible, settings.draws))

    def parent() -> Architecture:
        return best[int(rng.integers(len(best)))]

    if best:
        take(_each(lambda: moves.mutate_each(space, parent(), settings.mutation_rate, rng)), settings.mutations)
        take(_each(lambda: moves.crossover(space, parent(), parent(), rng)), settings.crossovers)
    take(lambda count: moves.sample_many(space, count, rng), settings.population)
    take(_each(lambda: moves.sample_skewed(space, rng)), settings.population)  # far from the mean
    return found


def evolve(
    space: Space,
    judge: Judge,
    settings: Evolution,
    feasible: Feasible,
    rng: np.random.Generator,
    seeds: Sequence[Architecture] = (),
) -> list[Trial]:
    """All networks that were judged, as trials, the best first. Ends early if a generation finds no new feasible
    network.

    seeds: judged first, whether feasible or not; useful where so few architectures are feasible that random draws miss
    them.
    """
    known: list[Trial] = []
    generation = list({moves.canonical_key(space, arch): arch for arch in seeds}.values())
    for turn in range(settings.generations + 1):
        if turn:
            generation = ask(space, known, settings, feasible, rng)
        if turn and not generation:
            break
        known += [Trial.of(space, arch, float(s)) for arch, s in zip(generation, judge(generation), strict=True)]
    return sort_by_score(known)


@dataclass(frozen=True, kw_only=True)
class Generations(BlackBox):
    """The evolution of `evolve` in a loop that asks for candidates, one generation at a time.

    population: networks in a generation.
    parents: how many of the best networks so far have children.
    mutations, crossovers: how many networks of a generation come from mutation, and how many from crossover; random
    ones fill it up.
    mutation_rate: probability that a gene is drawn anew in a mutation.
    """

    name: ClassVar[str] = "evolution"
    batch: Count = 50
    population: Count = 50
    parents: Count = 10
    mutations: int = 25
    crossovers: int = 25
    mutation_rate: float = 0.1

    def ask(
        self, space: Space, history: Sequence[Trial], n: int, rng: np.random.Generator, feasible: Feasible = allow_all
    ) -> list[Architecture]:
        settings = Evolution(
            population=self.at_most(self.population), generations=1, parents=self.parents, mutations=self.mutations,
            crossovers=self.crossovers, mutation_rate=self.mutation_rate,
        )  # fmt: skip
        return ask(space, history, settings, feasible, rng)[:n]


def _each(draw: Callable[[], Architecture]) -> Draw:
    return lambda count: [draw() for _ in range(count)]
