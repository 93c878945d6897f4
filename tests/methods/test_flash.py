"""FLASH: first networks far apart, then those that the model of the least held-out error favours, then the end."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from surgenas.core import moves
from surgenas.core.errors import LimitError, UsageError
from surgenas.core.trial import Trial
from surgenas.core.work import Judge
from surgenas.methods import make_method
from surgenas.methods.base import Problem
from surgenas.methods.flash import Flash
from surgenas.methods.inside import Inside
from surgenas.spaces.macro import Macro
from tests.accuracy.toys import Links, Megas, drawn, planted

SPACE, MACRO = Links(), Macro()


def inside_of(limit_ms):
    return Inside(SPACE, Megas(SPACE.costs()), lambda: limit_ms)


def judge(arch):
    return float(planted(SPACE, [arch])[0])


QUICK = Flash(models="degree,macs,ridge")


def search_of(method=QUICK, limit_ms=60.0, truth=judge, **how):
    """A search that is told all that it asks for, and what it asked for at a time."""
    problem = Problem(SPACE, limit_ms, 0, feasible=inside_of(limit_ms), priced=False, **how)
    search, batches = method.begin(problem), []
    while asked := search.ask():
        batches.append([work.arch for work in asked])
        for work in asked:
            assert isinstance(work, Judge)
            search.tell(work, truth(work.arch))
    return search, batches


def test_it_judges_25_then_the_ten_that_are_best_inside_the_limit():
    search, batches = search_of()
    assert [len(batch) for batch in batches] == [10, 10, 5, 10]
    assert inside_of(60.0)([arch for batch in batches for arch in batch]).all()
    everything = list(moves.enumerate_all(SPACE))
    inside = [arch for arch, ok in zip(everything, inside_of(60.0)(everything), strict=True) if ok]
    known = {arch.key for batch in batches[:3] for arch in batch}
    best = sorted((judge(arch) for arch in inside if arch.key not in known), reverse=True)
    assert sorted(map(judge, batches[3]), reverse=True) == pytest.approx(best[:10])
    assert search.largest() == max(inside, key=judge)


def test_it_tells_what_explains_the_first_networks_whatever_comes_later():
    search, _ = search_of(Flash())
    found = search.explained()
    assert (found.samples, found.chosen) == (25, "degree")
    assert {row.name for row in found.models} == {
        "degree",
        "mass",
        "macs",
        "params",
        "depth",
        "ridge",
        "process",
        "svr",
    }
    assert found.models[0].error < 0.1 * found.spread
    quick = search_of(replace(QUICK, trials=45))[0].explained()
    assert quick.models == tuple(row for row in found.models if row.name in ("degree", "macs", "ridge"))
    assert Flash().begin(Problem(SPACE, 60.0, 0)).explained() is None


def test_an_index_with_which_accuracy_falls_is_refused_and_another_model_serves():
    method = Flash(models="degree, ridge")
    search, batches = search_of(method, truth=lambda arch: 1.5 - judge(arch))
    found = search.explained()
    assert [row.name for row in found.models] == ["ridge", "degree"]
    assert found.models[1].refusal == "degree does not explain these samples: accuracy falls with it"
    assert max(map(judge, batches[3])) < np.median([judge(arch) for batch in batches[:3] for arch in batch])


def test_where_nothing_explains_the_rest_is_drawn_at_random():
    search, batches = search_of(Flash(models="degree"), truth=lambda arch: 0.5)
    assert search.explained().chosen == ""
    assert len({arch.key for batch in batches for arch in batch}) == 35


@pytest.mark.parametrize(("trials", "samples"), [(1, 1), (2, 1), (6, 3), (20, 10), (35, 25), (300, 25)])
def test_with_few_trials_half_of_them_is_left_for_the_best(trials, samples):
    assert Flash(trials=trials).samples == samples


def test_given_more_trials_it_goes_on_in_rounds_each_after_a_fit():
    batches = search_of(replace(QUICK, trials=45))[1]
    assert [len(batch) for batch in batches] == [10, 10, 5, 10, 10]
    assert len(search_of(extra=1)[0].history) == 43, "the run missed its limit: a quarter more"


def test_a_limit_that_nothing_meets_is_refused_and_the_nearest_named():
    with pytest.raises(
        LimitError, match=r"no network is predicted to be inside 1 ms; the nearest of 1000 takes"
    ) as refused:
        search_of(limit_ms=1.0)
    assert "\n" not in str(refused.value)
    assert str(refused.value).split(": ")[-1].startswith("8-8-8-"), "the fastest of all that were drawn"


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"models": "degree,,ridge"}, "names joined by commas"),
        ({"form": "square"}, "'exp', 'inverse' or 'log'"),
        ({"first": 0}, "greater than or equal to 1"),
    ],
)
def test_bad_settings_are_refused(settings, says):
    with pytest.raises(UsageError, match=says):
        make_method("flash", settings)


def test_a_model_that_the_space_does_not_allow_is_refused_before_anything_runs():
    with pytest.raises(UsageError, match="'macro': its networks have no topology numbers"):
        Flash(models="degree").needs(MACRO)
    with pytest.raises(UsageError, match="unknown accuracy predictor 'oracle'"):
        Flash(models="oracle").needs(MACRO)


def test_what_it_needs():
    needs = Flash().needs(SPACE)
    assert (needs.trained, needs.cost, needs.shares, needs.data) == (35, "relaxed", (), "held out")
    assert Flash().needs(MACRO).cost == "any"


def test_the_form_is_that_of_all_formulas():
    models = Flash(form="log").predictors(SPACE)
    assert {model.form for name, model in models.items() if hasattr(model, "form")} == {"log"}


def test_on_a_space_of_operators_it_finds_better_than_random():
    def truth(arch):
        places = moves.indices(MACRO, arch)
        return 0.5 + 0.01 * sum(places) + 0.02 * (places[3] == 2)

    found, random = [], []
    for seed in range(3):
        problem = Problem(MACRO, math.inf, seed, priced=False)
        for name, settings, ends in (("flash", {"models": "macs,ridge"}, found), ("random", {}, random)):
            search = make_method(name, {"trials": 35, **settings}).begin(problem)
            while asked := search.ask():
                for work in asked:
                    search.tell(work, truth(work.arch))
            ends.append(max(trial.score for trial in search.history))
    assert np.mean(found) > np.mean(random)


def test_asked_again_with_the_same_history_it_asks_for_the_same():
    history = [Trial.of(SPACE, arch, judge(arch)) for arch in drawn(SPACE, 25)]
    one, other = (QUICK.ask(SPACE, history, 10, np.random.default_rng(0), inside_of(60.0)) for _ in range(2))
    assert one == other
    assert len(one) == 10
