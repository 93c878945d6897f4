"""Every catalogued predictor keeps the contract; scores are what scipy and a plain loop say."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest

from surgenas.predictors import CATALOG
from surgenas.predictors.base import make_predictor
from surgenas.predictors.evaluate import cross_validate, noise_ceiling, score
from surgenas.testing import check_predictor


@pytest.mark.parametrize("name", CATALOG)
def test_contract(small, name):
    check_predictor(name, small.costs())


def test_same_seed_same_predictions(small):
    rng = np.random.default_rng(0)
    code, ms = np.eye(7)[rng.integers(7, size=(20, 11))], rng.random(20)
    for name in ("gnn", "mlp"):
        first, second = (make_predictor(name, small.costs(), 3).fit(code, ms).predict(code) for _ in range(2))
        assert np.array_equal(first, second)


def test_the_graph_sees_where_an_operator_stands(small):
    """One operator moved to another layer is another latency: the descriptors must tell layers apart."""
    rng = np.random.default_rng(0)
    code = np.eye(7)[rng.integers(7, size=(120, 11))]
    ms = (code * small.costs().macs).sum((1, 2)) * 1e-6
    gnn = make_predictor("gnn", small.costs(), 0).fit(code, ms)
    base = np.zeros((1, 11, 7))
    base[0, :, 6] = 1
    early, late = base.copy(), base.copy()
    early[0, 0], late[0, 10] = np.eye(7)[5], np.eye(7)[5]
    assert abs(float((gnn.predict(early) - gnn.predict(late))[0])) > 1e-3


def test_scores():
    found = score("x", np.array([1.0, 2.2, 2.7]), np.array([1.0, 2.0, 3.0]))
    assert found.kendall == pytest.approx(1.0)
    assert found.mape == pytest.approx((0 + 0.1 + 0.1) / 3)
    assert found.within_5 == pytest.approx(1 / 3)
    assert found.rmse_ms == pytest.approx(np.sqrt((0.04 + 0.09) / 3))
    assert noise_ceiling(np.array([1.0, 2.0]), np.array([1.0, 2.0])).mape == 0


def test_what_is_the_same_everywhere_orders_nothing():
    found = score("flat", np.ones(4), np.array([1.0, 2, 3, 4]))
    assert found.kendall == found.spearman == 0.0


def test_cross_validation_never_scores_what_it_fitted(small):
    """Pure noise: a predictor that remembers would score well, one that is held out cannot."""
    rng = np.random.default_rng(0)
    code, ms = np.eye(7)[rng.integers(7, size=(60, 11))], 1 + rng.random(60)
    makers = {name: partial(make_predictor, name, small.costs(), 0) for name in ("ridge", "lookup", "flops")}
    scores = cross_validate(makers, code, ms)
    assert [s.rmse_ms for s, _ in scores] == sorted(s.rmse_ms for s, _ in scores)
    assert all(abs(s.kendall) < 0.35 for s, _ in scores)
    assert all(len(predicted) == 60 for _, predicted in scores)
