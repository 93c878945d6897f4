"""What every catalogued predictor promises, whatever is in it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from surgenas.core.errors import UsageError
from surgenas.core.pairs import Pairs
from surgenas.core.products import FACTORS, Products
from surgenas.core.space import CostTable, Floats
from surgenas.predictors import CATALOG
from surgenas.predictors.base import FOLDS, Predictor, make_predictor
from surgenas.spaces.costs import coupled_costs
from surgenas.testing import check_predictor

names = pytest.mark.parametrize("name", CATALOG)
CHEAP = ("ridge", "lookup", "layers", "flops")


def code(count: int, L: int = 11, K: int = 7, seed: int = 0) -> Floats:
    return np.eye(K)[np.random.default_rng(seed).integers(K, size=(count, L))]


class Mean(Predictor):
    """The mean of what it saw, and how often it was asked to learn."""

    learned = 0

    def learn(self, code_NLK: Floats, latency_ms_N: Floats) -> None:
        type(self).learned += 1
        self.mean = float(latency_ms_N.mean())

    def predict_relaxed(self, gates_NLK: Tensor) -> Tensor:
        return self.mean + 0 * gates_NLK.sum((1, 2))


@pytest.fixture
def costs(small: Any) -> CostTable:
    return small.costs()


@names
def test_contract(costs, name):
    check_predictor(name, costs)


@pytest.fixture
def multiplied() -> CostTable:
    """Five layers in a row, whose widths are those of six choices of four options each: a quarter to all."""
    shares = np.arange(1, 5) / 4 - 1
    slope = np.zeros((5, len(FACTORS), 6, 4))
    for layer in range(5):
        slope[layer, 0, layer + 1] = slope[layer, 1, layer] = shares
    largest = np.array([[1000.0 * (layer + 1), 100, 10, 10] for layer in range(5)])
    products = Products(largest, np.ones((5, len(FACTORS))), slope, np.zeros(5, dtype=bool))
    table, nothing = np.tile(shares + 1, (6, 1)), np.zeros((0, 4))
    return CostTable(table, table, np.zeros((6, 4)), 0.0, 0.0, nothing, 0, table, coupled=products)


@pytest.fixture
def paired() -> CostTable:
    """Six rows of four widths, each of which costs its own width times that of the row before."""
    own, behind, widths = np.zeros((6, 4, 3)), np.zeros((6, 4, 4, 3)), np.arange(1.0, 5)
    own[0] = widths[:, None]
    behind[1:] = np.outer(widths, widths)[None, :, :, None]
    return coupled_costs(Pairs(own, np.tile(np.arange(4), (6, 1)), behind), [4] * 6)


@pytest.mark.parametrize("name", ["process", "mlp", "boosting"])
@pytest.mark.parametrize("kind", ["multiplied", "paired"])
def test_contract_where_costs_do_not_add_up(request, kind, name):
    check_predictor(name, request.getfixturevalue(kind))


@pytest.mark.parametrize("name", ["gnn", *CHEAP])
def test_what_adds_up_layers_is_refused_where_costs_do_not(multiplied, paired, costs, name):
    assert make_predictor(name, costs, 0).costs is costs
    for table in (multiplied, paired):
        with pytest.raises(UsageError, match=f"predictor '{name}' holds only where each choice is a layer by itself"):
            make_predictor(name, table, 0)


@pytest.mark.parametrize("name", ["gnn", "mlp", "boosting"])
def test_same_seed_same_predictions(costs, name):
    ms = np.random.default_rng(0).random(20)
    first, second = (make_predictor(name, costs, 3).fit(code(20), ms).predict(code(20)) for _ in range(2))
    assert np.array_equal(first, second)


@pytest.mark.parametrize("name", CHEAP)
def test_what_was_fitted_before_leaves_no_trace(costs, name):
    ms = np.random.default_rng(0).random(40)
    fresh = make_predictor(name, costs, 0).fit(code(20), ms[:20])
    again = make_predictor(name, costs, 0).fit(code(20, seed=1), ms[20:]).fit(code(20), ms[:20])
    assert np.array_equal(fresh.predict(code(9)), again.predict(code(9)))
    assert fresh.held_out_error_ms == again.held_out_error_ms


@pytest.mark.parametrize("name", CHEAP)
def test_an_unfitted_one_of_its_kind_knows_nothing(costs, name):
    predictor = make_predictor(name, costs, 5).fit(code(20), np.random.default_rng(0).random(20))
    other = predictor.make_unfitted()
    assert type(other) is type(predictor)
    assert (other.seed, other.costs) == (5, costs)
    with pytest.raises(AttributeError):
        other.predict(code(2))


def test_many_codes_are_predicted_in_parts_and_put_together_again(costs):
    class Parts(Mean):
        chunk = 4

        def predict_relaxed(self, gates_NLK: Tensor) -> Tensor:
            assert len(gates_NLK) <= 4
            return gates_NLK[:, 0].argmax(1).float()

    found = Parts(costs).fit(code(3), np.ones(3)).predict(code(11))
    assert found.dtype == np.float64
    assert found.tolist() == code(11)[:, 0].argmax(1).tolist()


def test_predicting_builds_no_graph(costs):
    class Learned(Mean):
        def predict_relaxed(self, gates_NLK: Tensor) -> Tensor:
            assert not torch.is_grad_enabled()
            return gates_NLK.sum((1, 2))

    assert Learned(costs).fit(code(3), np.ones(3)).predict(code(2)).tolist() == [11.0, 11.0]


def test_the_held_out_error_is_that_of_means_of_the_other_folds(costs):
    """Of a predictor that says the mean: the error by a plain loop lies near the deviation."""
    ms = np.random.default_rng(0).normal(10, 2, 90)
    predictor = Mean(costs).fit(code(90), ms)
    assert predictor.held_out_error_ms == pytest.approx(ms.std(), rel=0.05)
    assert predictor.held_out_error_ms > ms.std()
    assert predictor.uncertainty(code(4)).tolist() == [predictor.held_out_error_ms] * 4


def test_the_held_out_error_is_only_worked_out_when_asked_for_and_once(costs):
    Mean.learned = 0
    predictor = Mean(costs).fit(code(12), np.arange(12.0))
    assert Mean.learned == 1
    assert predictor.held_out_error_ms == predictor.held_out_error_ms
    assert Mean.learned == 1 + FOLDS


def test_too_few_to_leave_out_are_told_by_an_infinite_error(costs):
    few, enough = (Mean(costs).fit(code(n), np.arange(float(n))) for n in (2 * FOLDS - 1, 2 * FOLDS))
    assert few.held_out_error_ms == np.inf
    assert np.isfinite(enough.held_out_error_ms)


@pytest.mark.parametrize("name", CHEAP)
def test_the_global_random_state_is_left_alone(costs, name):
    torch.manual_seed(1)
    before, numpy_before = torch.get_rng_state(), np.random.get_state()[1].tolist()
    assert make_predictor(name, costs, 0).fit(code(20), np.arange(20.0)).held_out_error_ms > 0
    assert torch.equal(before, torch.get_rng_state())
    assert np.random.get_state()[1].tolist() == numpy_before


def test_a_predictor_of_another_package_goes_by_its_path(costs):
    predictor = make_predictor("surgenas.testing:ZeroPredictor", costs, 0).fit(code(3), np.ones(3))
    assert predictor.predict(code(2)).tolist() == [1.0, 1.0]


def test_a_predictor_that_there_is_not_is_named_with_those_there_are(costs):
    with pytest.raises(UsageError, match="unknown predictor 'gp'; one of boosting, flops, gnn, layers"):
        make_predictor("gp", costs, 0)
