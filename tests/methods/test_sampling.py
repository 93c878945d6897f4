"""How a method that sees scores alone becomes a search: what it asks for, what it pays, when it ends."""

from __future__ import annotations

import math

import numpy as np
import pytest

from surgenas.core import moves
from surgenas.core.catalog import look_up
from surgenas.core.cost import Effort, Estimate, Failure
from surgenas.core.errors import UsageError
from surgenas.core.work import Judge, Price
from surgenas.methods import CATALOG, make_method
from surgenas.methods.base import Problem
from surgenas.methods.halving import SuccessiveHalving
from surgenas.methods.inside import Inside
from surgenas.methods.random_search import RandomSearch
from surgenas.methods.sampling import Sampling
from surgenas.predictors.base import Predictor
from surgenas.spaces.macro import Macro
from surgenas.spaces.restricted import Restricted

PACKAGES = {"nsga2": "pymoo", "optuna-tpe": "optuna", "optuna-nsga2": "optuna", "nevergrad": "nevergrad"}
SMALL = Restricted(Macro(), dict.fromkeys(range(5), "k3e3"))


def begin(method=RandomSearch(trials=6, batch=4), space=SMALL, **how):  # noqa: B008  frozen
    return method.begin(Problem(space, math.inf, 0, **how))


def cost(arch, ms):
    return Estimate(arch.key, "made", {"ms": ms}, "made", "1")


def finish(search, judge=lambda arch: 0.5):
    """All judgements, in their order."""
    done = []
    while asked := search.ask():
        for work in asked:
            if isinstance(work, Price):
                search.tell(work, [cost(arch, 1.0 + judge(arch)) for arch in work.archs])
            else:
                search.tell(work, judge(work.arch))
                done.append(work)
    return done


@pytest.mark.parametrize("name", [name for name in CATALOG if issubclass(look_up("method", name, CATALOG), Sampling)])
def test_of_a_small_space_it_asks_until_it_knows_all_feasible_networks(name):
    pytest.importorskip(PACKAGES.get(name, "numpy"))
    archs = list(moves.enumerate_all(SMALL))
    scores = {SMALL.canonical(arch).genes: i / 7 % 1 for i, arch in enumerate(archs)}

    def feasible(some):
        return np.array([arch.genes.count("k5e6") < 2 for arch in some])

    method = make_method(name, {"batch": 3})
    rungs = (0.5, 1.0) if method.needs(SMALL).rungs > 1 else (1.0,)
    search = begin(method, feasible=feasible, rungs=rungs)
    done = finish(search, lambda arch: scores[SMALL.canonical(arch).genes])
    asked = [(moves.canonical_key(SMALL, work.arch), work.rung) for work in done]
    assert len(asked) == len(set(asked)), "nothing is asked for twice"
    assert feasible([work.arch for work in done]).all()
    wanted = {moves.canonical_key(SMALL, a) for a, ok in zip(archs, feasible(archs), strict=True) if ok}
    assert {key for key, _ in asked} == wanted
    assert len(asked) < method.trials, "its trials were not what ended it"


def test_it_asks_for_a_batch_and_for_its_price_until_the_trials_are_spent():
    search = begin()
    price, *judges = search.ask()
    assert price == Price(tuple(judge.arch for judge in judges), Effort.LEARN)
    assert len(judges) == 4
    assert search.tell(price, [cost(judge.arch, 2.0) for judge in judges]) == []
    for judge in judges:
        (trial,) = search.tell(judge, 0.25)
        assert (trial.arch, trial.score, trial.latency_ms, trial.rung) == (judge.arch, 0.25, 2.0, 0)
    price, *rest = search.ask()
    assert len(rest) == 2
    search.tell(price, [cost(judge.arch, 2.0) for judge in rest])
    for judge in rest:
        search.tell(judge, 0.5)
    assert search.ask() == []
    assert len(search.history) == 6


def test_without_a_cost_to_be_asked_for_none_is_asked_for():
    search = begin(priced=False)
    assert {type(work) for work in search.ask()} == {Judge}
    (trial,) = search.tell(search.ask()[0], 1.0)
    assert math.isnan(trial.latency_ms)


def test_a_cost_that_failed_is_not_known():
    search = begin()
    price, first, *_ = search.ask()
    search.tell(price, [Failure(arch.key, UsageError("too large")) for arch in price.archs])
    assert math.isnan(search.tell(first, 1.0)[0].latency_ms)


def test_each_extra_round_is_another_quarter_of_the_trials():
    assert [len(finish(begin(RandomSearch(trials=8), extra=extra))) for extra in (0, 1, 2)] == [8, 10, 12]


def test_a_cheap_rung_is_paid_by_its_share():
    done = finish(
        begin(SuccessiveHalving(trials=3, eta=4), Macro(), rungs=(0.25, 1.0)), lambda arch: len(set(arch.genes))
    )
    rungs = [work.rung for work in done]
    assert sum((0.25, 1.0)[rung] for rung in rungs) <= 3 < 3 + 1e-6 + rungs.count(1)
    assert rungs.count(0) > 3
    assert rungs.count(1) >= 1


def test_the_best_at_the_highest_rung_is_proposed_first_if_it_is_inside():
    search = begin(RandomSearch(trials=10))
    finish(search, lambda arch: float(sum(moves.indices(SMALL, arch))))

    def ms(archs):
        return np.array([float(arch.genes.count("k5e6")) for arch in archs])

    found = search.propose(ms, (0.0, 1.0), 3, np.random.default_rng(0))
    inside = sorted((t for t in search.history if ms([t.arch])[0] <= 1), key=lambda t: -t.score)
    assert found == [trial.arch for trial in inside[:3]]
    assert search.largest() == max(search.history, key=lambda trial: trial.score).arch
    assert search.propose(ms, (8.0, 9.0), 3, np.random.default_rng(0)) == []


def test_a_search_that_was_told_nothing_proposes_nothing():
    assert begin().propose(lambda archs: np.ones(len(archs)), (0.0, 2.0), 3, np.random.default_rng(0)) == []


def test_asked_again_before_it_is_told_it_asks_for_the_same():
    search = begin()
    assert search.ask() == search.ask()


def test_candidates_may_have_to_be_near_the_limit():
    space = Macro()
    place = space.choices[0].options.index("k3e3")

    class Counting(Predictor):
        def learn(self, code_NLK, latency_ms_N): ...

        def predict_relaxed(self, gates_NLK):
            return gates_NLK[:, :, place].sum(1) + 1

    inside = Inside(space, Counting(space.costs()), lambda: 5.0)
    search = RandomSearch(trials=30, near=0.6).begin(Problem(space, 5.0, 0, feasible=inside, priced=False))
    finish(search)
    assert {trial.arch.genes.count("k3e3") for trial in search.history} == {2, 3, 4}
    assert len(search.history) == 30
    with pytest.raises(UsageError, match=r"near 0.6: how near to a limit a network is, is not predicted here"):
        begin(RandomSearch(near=0.6))
