"""Trees find how operators interact, and say that they are no part of a gradient search."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from surgenas.predictors.boosting import BoostingPredictor
from surgenas.predictors.linear import RidgePredictor
from surgenas.spaces.nasbench201 import NASBench201

COSTS = NASBench201().costs()
CODE = np.eye(5)[np.random.default_rng(0).integers(5, size=(500, 6))]


def interacting() -> np.ndarray:
    """Slow only where two edges hold a convolution at once."""
    convs = CODE[:, :, 3]
    return 1 + 2 * convs[:, 0] * convs[:, 5]


def test_it_finds_an_interaction_that_a_sum_cannot():
    ms = interacting()
    errors = {
        kind: np.abs(kind(COSTS).fit(CODE[:400], ms[:400]).predict(CODE[400:]) - ms[400:]).mean()
        for kind in (BoostingPredictor, RidgePredictor)
    }
    assert errors[BoostingPredictor] < 0.5 * errors[RidgePredictor]


def test_it_cannot_be_differentiated_and_says_so():
    assert not BoostingPredictor.differentiable
    predictor = BoostingPredictor(COSTS).fit(CODE[:40], interacting()[:40])
    gates = torch.from_numpy(CODE[:3]).float().requires_grad_()
    assert not predictor.predict_relaxed(gates).requires_grad


@pytest.mark.parametrize("count", [1, 3, 11])
def test_a_few_samples_are_enough_to_predict_within_their_range(count):
    ms = np.linspace(1, 2, count)
    found = BoostingPredictor(COSTS).fit(CODE[:count], ms).predict(CODE)
    assert found.min() >= 1 - 1e-6
    assert found.max() <= 2 + 1e-6


def test_seeds_of_a_run_are_too_large_for_scikit_learn_and_taken_all_the_same():
    found = [BoostingPredictor(COSTS, seed=2**62 + 5).fit(CODE[:30], interacting()[:30]).predict(CODE[:5])
             for _ in range(2)]  # fmt: skip
    assert np.array_equal(*found)
