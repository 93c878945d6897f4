"""Additive predictors find the tables that latencies were made of, each under its own assumption."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from surgenas.core.space import CostTable, Floats
from surgenas.predictors.linear import (
    AdditivePredictor,
    FlopsPredictor,
    LayerSumPredictor,
    LookupPredictor,
    RidgePredictor,
)
from surgenas.spaces.mobile import Mobile

COSTS = Mobile(layout="small", resolution=16, classes=10).costs()
L, K = COSTS.macs.shape
EACH = [RidgePredictor, LookupPredictor, LayerSumPredictor, FlopsPredictor]
each = pytest.mark.parametrize("kind", EACH, ids=lambda kind: kind.__name__)


def code(count: int, seed: int = 0) -> Floats:
    return np.eye(K)[np.random.default_rng(seed).integers(K, size=(count, L))]


class Given(AdditivePredictor):
    """A table that is set, not learned."""

    def learn(self, code_NLK: Floats, latency_ms_N: Floats) -> None:
        raise NotImplementedError


def error(kind: type[AdditivePredictor], ms: Floats) -> float:
    """Largest relative error on what it has not seen."""
    found = kind(COSTS).fit(code(200), ms[:200]).predict(code(260)[200:])
    return float(np.abs(found / ms[200:] - 1).max())


def sums(table: Floats, bias: float) -> Floats:
    return (code(260) * table).sum((1, 2)) + bias


@given(st.integers(0, 2**32))
@settings(max_examples=20, deadline=None)
def test_a_prediction_is_the_sum_of_what_the_table_says(seed):
    rng = np.random.default_rng(seed)
    table, bias = rng.normal(size=(L, K)), float(rng.normal())
    predictor = Given(COSTS)
    predictor.set(table, bias)
    codes = code(5, seed)
    by_hand = [sum(table[layer, k] for layer, k in enumerate(c.argmax(1))) + bias for c in codes]
    assert np.allclose(predictor.predict(codes), by_hand, atol=1e-4)


def test_the_gradient_of_a_sum_is_its_table():
    predictor = Given(COSTS)
    table = np.random.default_rng(0).normal(size=(L, K))
    predictor.set(table, 3.0)
    gates = torch.rand(2, L, K, requires_grad=True)
    predictor.predict_relaxed(gates).sum().backward()
    assert torch.allclose(gates.grad, torch.from_numpy(table).float().expand(2, L, K))


@each
def test_latency_in_proportion_to_macs_is_found_by_every_one(kind):
    ms = sums(COSTS.macs * 1e-6, 0.7)
    assert error(kind, ms) < 0.01


@pytest.mark.parametrize("kind", [RidgePredictor, LookupPredictor])
def test_a_table_without_a_pattern_is_found_by_those_that_have_an_entry_for_each(kind):
    table = np.random.default_rng(1).uniform(0.1, 1.0, (L, K))
    assert error(kind, sums(table, 2.0)) < 0.01
    assert error(FlopsPredictor, sums(table, 2.0)) > 0.05


def test_a_straight_line_for_each_operator_is_found_by_the_layer_sum():
    """A cost a byte and a cost a launch, other for each operator: what MACs alone cannot tell."""
    per_byte = np.random.default_rng(2).uniform(1, 4, K) * 1e-6
    table = COSTS.moved_bytes * per_byte + 0.05 * (COSTS.moved_bytes > 0)
    assert error(LayerSumPredictor, sums(table, 1.0)) < 0.02
    assert error(FlopsPredictor, sums(table, 1.0)) > 0.05


def test_no_entry_of_a_look_up_table_is_below_zero():
    noise = np.random.default_rng(0).normal(1, 1, 60)
    predictor = LookupPredictor(COSTS).fit(code(60), noise)
    assert (predictor.weight_LK >= 0).all()


def test_flops_know_a_slope_and_an_offset_of_the_whole_network():
    macs = (code(30) * COSTS.macs).sum((1, 2)) + COSTS.fixed_macs
    predictor = FlopsPredictor(COSTS).fit(code(30), 0.25 + 2e-6 * macs)
    nothing = Given(COSTS)
    nothing.set(np.zeros((L, K)), 0.25 + 2e-6 * COSTS.fixed_macs)
    assert predictor.bias == pytest.approx(nothing.bias)
    assert np.allclose(predictor.weight_LK, 2e-6 * COSTS.macs, rtol=1e-4)


@each
def test_latencies_that_are_all_the_same_are_predicted_as_that(kind):
    found = kind(COSTS).fit(code(30), np.full(30, 4.0)).predict(code(9, seed=1))
    assert np.allclose(found, 4.0, atol=1e-3)


def test_it_is_the_unit_of_latency_that_predictions_have():
    costs: CostTable = COSTS
    ms = sums(costs.macs * 1e-6, 0.7)
    for kind in EACH:
        one, thousand = (kind(costs).fit(code(200), scale * ms[:200]).predict(code(9)) for scale in (1, 1000))
        assert np.allclose(thousand, 1000 * one, rtol=0.01), kind
