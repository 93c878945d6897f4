"""A race: who enters, who goes on, who is proposed."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from surgenas.core import moves
from surgenas.core.cost import Effort, Estimate, Failure
from surgenas.core.errors import LimitError, SurgenasError, UsageError
from surgenas.core.work import Judge, Price
from surgenas.methods.base import Problem
from surgenas.methods.inside import Inside
from surgenas.methods.race import INSIDE, ROUNDS, Race
from surgenas.predictors.base import Predictor
from surgenas.spaces.macro import Macro

MACRO = Macro()


def ms_of(arch) -> float:
    return 1.0 + sum(moves.indices(MACRO, arch))


def price(work, *, failing=lambda arch: False):
    return [
        Failure(arch.key, SurgenasError("it does not run there")) if failing(arch)
        else Estimate(arch.key, "made", {"ms": ms_of(arch)}, "made", "1")
        for arch in work.archs
    ]  # fmt: skip


def run(search, score=ms_of, answer=price):
    """All that it asks for, in order."""
    done = []
    while asked := search.ask():
        for work in asked:
            search.tell(work, answer(work) if isinstance(work, Price) else score(work.arch))
            done.append(work)
    return done


def begin(limit_ms=9.0, extra=0, **how):
    method = Race(**how)
    return method.begin(Problem(MACRO, limit_ms, 0, extra=extra, rungs=(1.0,) * method.needs(MACRO).rungs))


def judged(done, rung):
    return [work.arch for work in done if isinstance(work, Judge) and work.rung == rung]


def test_the_better_half_trains_on_and_the_best_of_those_is_proposed_first():
    search = begin(networks=8, rungs=3)
    done = run(search)
    assert [len(judged(done, rung)) for rung in range(3)] == [8, 4, 2]
    for rung in (1, 2):
        assert min(map(ms_of, judged(done, rung))) >= np.median([*map(ms_of, judged(done, rung - 1))])
    found = search.propose(lambda archs: np.array([*map(ms_of, archs)]), (0.0, 9.0), 10, np.random.default_rng(0))
    assert [ms_of(arch) for arch in found] == sorted(map(ms_of, judged(done, 0)), reverse=True)
    assert found[0] == search.largest()
    assert sum(isinstance(work, Judge) for work in done) == search.most_events


def test_whoever_is_measured_near_the_limit_enters_and_nobody_is_judged_who_is_not():
    done = run(begin(limit_ms=11.0, networks=5, near=0.8))
    priced = [arch for work in done if isinstance(work, Price) for arch in work.archs]
    assert all(work.effort == Effort.LEARN for work in done if isinstance(work, Price))
    entered = judged(done, 0)
    assert all(0.8 * 11 <= ms_of(arch) <= INSIDE * 11 for arch in entered)
    near = [arch for arch in priced if 0.8 * 11 <= ms_of(arch) <= INSIDE * 11]
    assert entered == near[:5]
    assert len({moves.canonical_key(MACRO, arch) for arch in priced}) == len(priced), "nothing is measured twice"


def test_where_hardly_any_are_near_the_slowest_of_those_below_run():
    search = begin(limit_ms=60.0, networks=4)
    done = run(search)
    assert sum(isinstance(work, Price) for work in done) == ROUNDS
    all_ms = sorted(search.ms.values(), reverse=True)
    assert [ms_of(arch) for arch in judged(done, 0)] == all_ms[:4]


def test_a_network_that_does_not_run_there_does_not_enter():
    odd = lambda arch: sum(moves.indices(MACRO, arch)) % 2 == 1  # noqa: E731
    done = run(begin(networks=3), answer=lambda work: price(work, failing=odd))
    assert len(judged(done, 0)) == 3
    assert not any(odd(arch) for arch in judged(done, 0))


def test_of_what_a_predictor_puts_near_the_limit_the_networks_are_drawn():
    class Sure(Predictor):
        def learn(self, code_NLK, latency_ms_N):
            raise AssertionError("it knows")

        def predict_relaxed(self, gates_NLK):
            return 1.0 + (gates_NLK * torch.arange(3.0)).sum((1, 2))

    inside = Inside(MACRO, Sure(MACRO.costs()), lambda: 9.0)
    done = run(Race(networks=5).begin(Problem(MACRO, 1.0, 0, feasible=inside)))
    first = next(work for work in done if isinstance(work, Price))
    assert all(0.8 * 9 <= ms_of(arch) <= 9 for arch in first.archs), "the user's limit counts, not what is aimed at"


def test_after_a_limit_that_was_missed_more_of_them_run():
    before, after = run(begin(networks=4)), run(search := begin(networks=4, extra=2))
    assert (len(judged(before, 0)), len(judged(after, 0))) == (4, 6)
    assert search.most_events == 6 + 3


def test_where_nothing_is_inside_nothing_is_judged():
    search = begin(limit_ms=0.5)
    assert not any(isinstance(work, Judge) for work in run(search))
    assert search.propose(lambda archs: np.ones(len(archs)), (0, 9), 3, np.random.default_rng(0)) == []
    with pytest.raises(LimitError, match=r"race: none of \d+ networks that were measured is inside the limit"):
        search.largest()


def test_what_it_needs_is_what_it_spends():
    """In trainings at the last rung: 8 for a quarter, 4 for another, 2 for the half that is left."""
    assert Race(networks=8, rungs=3).needs(MACRO).trained == 4
    assert Race(rungs=3).sizes(8) == [8, 4, 2]
    assert Race(rungs=3).sizes(2) == [2]
    assert Race(networks=4, rungs=1).needs(MACRO).trained == 4


def test_the_last_comparison_is_after_all_of_its_epochs_however_few_networks_there_are():
    assert Race(networks=2, rungs=3).needs(MACRO).rungs == 1
    assert Race(networks=3).needs(MACRO).rungs == 1
    assert Race(networks=4).needs(MACRO).rungs == 2
    done = run(search := begin(networks=2, rungs=3))
    assert [len(judged(done, rung)) for rung in range(3)] == [2, 0, 0]
    assert search.most_events == 2


@pytest.mark.parametrize("how", [{"networks": 1}, {"eta": 1}])
def test_a_race_of_one_is_none(how):
    with pytest.raises(UsageError, match="race: expected 2 or more networks, of which one in 2 or more goes on"):
        Race(**how)
