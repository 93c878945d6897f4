"""Scores are what scipy and a plain loop say; what is held out is held out."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from torch import Tensor

from surgenas.core.space import Floats
from surgenas.predictors.base import Predictor, make_predictor
from surgenas.predictors.evaluate import cross_validate, noise_ceiling, score

latencies = st.lists(st.integers(1, 1000), min_size=3, max_size=20, unique=True).map(lambda x: np.array(x) / 10)
few = settings(max_examples=30, deadline=None)


def test_scores():
    found = score("x", np.array([1.0, 2.2, 2.7]), np.array([1.0, 2.0, 3.0]), fit_seconds=0.5)
    assert found.kendall == pytest.approx(1.0)
    assert found.mape == pytest.approx((0 + 0.1 + 0.1) / 3)
    assert found.within_5 == pytest.approx(1 / 3)
    assert found.rmse_ms == pytest.approx(np.sqrt((0.04 + 0.09) / 3))
    assert found.to_json() == {
        "name": "x", "kendall": found.kendall, "spearman": found.spearman, "mape": found.mape, "within_5": 1 / 3,
        "within_10": found.within_10, "rmse_ms": found.rmse_ms, "fit_seconds": 0.5, "mean_ms": pytest.approx(0.5 / 3),
        "off": pytest.approx(found.mape), "near_limit": None,
    }  # fmt: skip


@given(latencies, st.randoms())
@few
def test_correlations_are_scipys(measured, random):
    predicted = measured.copy()
    random.shuffle(predicted)
    found = score("x", predicted, measured)
    assert found.kendall == pytest.approx(stats.kendalltau(predicted, measured).statistic)
    assert found.spearman == pytest.approx(stats.spearmanr(predicted, measured).statistic)


@given(latencies, st.floats(0.01, 100))
@few
def test_relative_errors_do_not_depend_on_the_unit_and_the_absolute_one_does(measured, factor):
    predicted = measured[::-1].copy()
    one, other = score("x", predicted, measured), score("x", factor * predicted, factor * measured)
    assert (other.kendall, other.mape) == (pytest.approx(one.kendall), pytest.approx(one.mape))
    assert other.rmse_ms == pytest.approx(factor * one.rmse_ms)


@given(latencies)
@few
def test_a_perfect_prediction_has_a_perfect_score(measured):
    found = noise_ceiling(measured, measured)
    assert (found.kendall, found.spearman) == (pytest.approx(1), pytest.approx(1))
    assert (found.mape, found.within_5, found.within_10, found.rmse_ms) == (0, 1, 1, 0)
    assert found.name == "noise ceiling"


def test_what_is_the_same_everywhere_orders_nothing():
    for predicted, measured in ((np.ones(4), np.arange(1.0, 5)), (np.arange(1.0, 5), np.ones(4))):
        found = score("flat", predicted, measured)
        assert found.kendall == found.spearman == 0.0


def test_relative_errors_leave_out_what_took_no_time():
    found = score("x", np.array([1.0, 1.0, 2.2]), np.array([0.0, 1.0, 2.0]))
    assert found.mape == pytest.approx(0.05)
    assert found.rmse_ms == pytest.approx(np.sqrt((1 + 0.04) / 3))


def test_an_error_of_next_to_nothing_counts_by_the_median():
    """The median is 2 ms, so what takes less than .2 ms counts as if it took that."""
    found = score("x", np.array([0.02, 2.2, 3.0]), np.array([0.0, 2.0, 3.0]))
    assert found.off == pytest.approx((0.02 / 0.2 + 0.2 / 2) / 3)
    assert found.mean_ms == pytest.approx(0.22 / 3)


def test_near_the_limit_only_those_count_that_are():
    predicted, measured = np.array([1.0, 2.2, 2.7, 9.0]), np.array([2.0, 2.0, 3.0, 3.5])
    assert score("x", predicted, measured, limit_ms=2.5).near_limit == pytest.approx((0.5 + 0.1 + 0.1) / 3)
    assert score("x", predicted, measured, limit_ms=10.0).near_limit is None


def test_cross_validation_never_scores_what_it_fitted(small):
    """Pure noise: a predictor that remembers would score well, one that is held out cannot."""
    rng = np.random.default_rng(0)
    code, ms = np.eye(7)[rng.integers(7, size=(60, 11))], 1 + rng.random(60)
    makers = {name: partial(make_predictor, name, small.costs(), 0) for name in ("ridge", "lookup", "flops")}
    scores = cross_validate(makers, code, ms)
    assert [s.rmse_ms for s, _ in scores] == sorted(s.rmse_ms for s, _ in scores)
    assert {s.name for s, _ in scores} == set(makers)
    assert all(abs(s.kendall) < 0.35 for s, _ in scores)
    assert all(len(predicted) == 60 for _, predicted in scores)


@pytest.mark.parametrize("folds", [2, 5])
def test_every_sample_is_predicted_once_by_one_that_has_not_seen_it(small, folds):
    """Samples are told apart by their latency; what was learned is looked up in them."""
    asked: list[int] = []

    class Remembers(Predictor):
        def learn(self, code_NLK: Floats, latency_ms_N: Floats) -> None:
            self.seen = {sample.tobytes() for sample in code_NLK}

        def predict(self, code_NLK: Floats) -> Floats:
            assert not self.seen & {sample.tobytes() for sample in code_NLK}
            asked.append(len(code_NLK))
            return np.zeros(len(code_NLK))

        def predict_relaxed(self, gates_NLK: Tensor) -> Tensor:
            raise NotImplementedError

    code = np.eye(7)[np.random.default_rng(0).integers(7, size=(20, 11))]
    ((found, predicted),) = cross_validate({"r": partial(Remembers, small.costs())}, code, np.ones(20), folds=folds)
    assert asked == [20 // folds] * folds
    assert (predicted == 0).all()
    assert found.rmse_ms == 1.0


def test_the_seed_decides_the_folds(small):
    rng = np.random.default_rng(0)
    code, ms = np.eye(7)[rng.integers(7, size=(30, 11))], 1 + rng.random(30)
    makers = {"flops": partial(make_predictor, "flops", small.costs(), 0)}
    one, again, other = (cross_validate(makers, code, ms, seed=seed)[0][1].tolist() for seed in (0, 0, 1))
    assert one == again != other
