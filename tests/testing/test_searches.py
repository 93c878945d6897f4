"""The contract check of searches: good ones pass, and one that breaks a single promise is found."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pytest

from surgenas.core import moves
from surgenas.core.space import Choice, Space
from surgenas.core.work import Epochs, Judge, Price
from surgenas.engine.tabular import Tabular, World
from surgenas.methods.base import Needs, Problem, allow_all
from surgenas.methods.blackbox import draw_new_at_random, tried_keys
from surgenas.methods.random_search import RandomSearch
from surgenas.methods.sampling import SamplingSearch
from surgenas.testing.searches import check_search


class Letters(Space):
    """81 architectures that nobody builds."""

    name = "letters"
    choices = tuple(Choice(f"letter{i}", ("a", "b", "c")) for i in range(4))
    settings: Mapping[str, Any] = {}
    input_shape = (3, 8, 8)

    def build(self, arch):
        raise NotImplementedError


SPACE = Letters()
TURNS = itertools.count()


@pytest.fixture(scope="module")
def world() -> World:
    """Later letters score more and take longer; some are too slow."""
    places = np.array([moves.indices(SPACE, arch) for arch in moves.enumerate_all(SPACE)])
    score = places @ np.array([1.0, 0.9, 0.8, 0.7])
    return World(SPACE, score[None], score, latency_ms=1.0 + places.sum(1), limit_ms=6.0)


@pytest.fixture
def problem(world) -> Problem:
    return Problem(SPACE, 6.0, 0, feasible=world.feasible)


@dataclass(frozen=True)
class Other:
    """A random search that does all as a good one, but for these members.

    method: draws the candidates. needs_too: what it says it needs beside. sees: what it makes of the problem.
    """

    members: Mapping[str, Any] = field(default_factory=dict)
    method: RandomSearch = RandomSearch(trials=8, batch=2)  # noqa: RUF009  a frozen value
    needs_too: Mapping[str, Any] = field(default_factory=dict)
    sees: Callable[[Problem], Problem] = lambda problem: problem

    def needs(self, space):
        return replace(self.method.needs(space), **self.needs_too)

    def begin(self, problem):
        return type("OtherSearch", (SamplingSearch,), dict(self.members))(self.method, self.sees(problem))


class Stubborn(RandomSearch):
    """It asks for the same network again and again."""

    def ask(self, space, history, n, rng, feasible=allow_all):
        return [moves.uniform_architecture(space, "a")]


class Moody(RandomSearch):
    """What it draws depends on what was asked of others before."""

    def ask(self, space, history, n, rng, feasible=allow_all):
        return draw_new_at_random(space, n, tried_keys(history), np.random.default_rng(next(TURNS)), feasible)


def endless(search):
    """All that is fast enough, one after the other, whatever its trials are."""
    archs = [arch for arch in moves.enumerate_all(search.space) if search.problem.feasible([arch])[0]]
    arch = archs[len(search.history)]
    return [Price((arch,)), Judge(arch)]


def twice(search, latency_ms, window_ms, count, rng):
    return SamplingSearch.propose(search, latency_ms, window_ms, count, rng)[:1] * 2


def too_many(search, latency_ms, window_ms, count, rng):
    return SamplingSearch.propose(search, latency_ms, window_ms, count + 1, rng)


def too_slow(search, latency_ms, window_ms, count, rng):
    return [trial.arch for trial in search.history if latency_ms([trial.arch])[0] > window_ms[1]][:count]


def in_turns(search, latency_ms, window_ms, count, rng):
    found = SamplingSearch.propose(search, latency_ms, window_ms, count, rng)
    k = next(TURNS) % len(found)
    return found[k:] + found[:k]


def any_of_them(search):
    return search.history[next(TURNS) % len(search.history)].arch


def test_a_good_search_passes_and_its_work_is_returned(problem, world):
    work = check_search(Other(), problem, Tabular(world))
    assert sum(isinstance(done, Judge) for done in work) == 8
    assert sum(isinstance(done, Price) for done in work) == 4
    unpriced = check_search(Other(), replace(problem, priced=False), Tabular(world))
    assert [done for done in work if isinstance(done, Judge)] == unpriced


BROKEN = {
    "it does not end": Other({"ask": endless, "most_events": 99}),
    "it never asks for costs": Other(sees=lambda problem: replace(problem, priced=False)),
    "it judges where it says that it shares weights": Other(needs_too={"shares": ("choice",)}),
    "it gives more events than it said": Other({"most_events": 7}),
    "it judges a network twice": Other(method=Stubborn(trials=8)),
    "it judges what is too slow": Other(sees=lambda problem: replace(problem, feasible=allow_all)),
    "it proposes a network twice": Other({"propose": twice}),
    "it proposes more than it was asked for": Other({"propose": too_many}),
    "it proposes what is outside the window": Other({"propose": too_slow}),
    "it proposes something else to the same question": Other({"propose": in_turns}),
    "its largest is another each time": Other({"largest": any_of_them}),
    "what it asks for does not follow from what it was told": Other(method=Moody(trials=8)),
}


@pytest.mark.parametrize("what", BROKEN)
def test_a_search_that_breaks_a_promise_is_found(what, problem, world):
    with pytest.raises(AssertionError):
        check_search(BROKEN[what], problem, Tabular(world), most=20)


@pytest.mark.parametrize(
    "other",
    [Other(needs_too={"priced": True}), Other(sees=lambda problem: replace(problem, priced=True))],
    ids=["it needs costs", "it asks for costs"],
)
def test_a_search_that_wants_costs_where_there_are_none_is_found(other, problem, world):
    with pytest.raises(AssertionError):
        check_search(other, replace(problem, priced=False), Tabular(world))


class Passes:
    """An engine of which a pass over the images is three numbers."""

    def expect(self, works):
        pass

    def perform(self, work):
        assert isinstance(work, Epochs)
        return iter(10 * work.number + np.arange(3.0))


@dataclass(frozen=True)
class Sharing:
    """A search of four epochs, whose weights are the sum of all that it saw. kept: what of it is saved."""

    kept: tuple[str, ...] = ("done", "weights")

    def needs(self, space):
        return Needs(shares=("choice",))

    def begin(self, problem):
        return SharingSearch(self, problem)


class SharingSearch:
    most_events = 4

    def __init__(self, method, problem):
        self.method, self.space = method, problem.space
        self.done, self.weights = 0, 0.0

    def ask(self):
        return [Epochs(self.done)] if self.done < 4 else []

    def tell(self, work, result):
        self.weights += sum(result)
        self.done += 1
        return []

    def propose(self, latency_ms, window_ms, count, rng):
        archs = [arch for arch in moves.enumerate_all(self.space) if latency_ms([arch])[0] <= window_ms[1]]
        return archs[int(self.weights) % 7 :][:count]

    def largest(self):
        return moves.uniform_architecture(self.space, "c")

    def state_dict(self):
        return {name: getattr(self, name) for name in self.method.kept}

    def load_state_dict(self, state):
        vars(self).update(state)


def test_a_good_search_of_shared_weights_passes(problem):
    assert check_search(Sharing(), problem, Passes()) == [Epochs(number) for number in range(4)]


@pytest.mark.parametrize("kept", [("done",), ("weights",)])
def test_a_search_that_forgets_a_part_of_its_state_is_found(problem, kept):
    with pytest.raises(AssertionError):
        check_search(Sharing(kept), problem, Passes())
