"""How neural predictors are trained: the loss by a plain loop, the ensemble's spread, and units."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from surgenas.core.space import Floats
from surgenas.predictors.neural import TIE, NeuralPredictor, loss
from surgenas.spaces.mobile import Mobile

COSTS = Mobile(layout="small", resolution=16, classes=10).costs()
CODE = np.eye(7)[np.random.default_rng(0).integers(7, size=(60, 11))]


class Straight(NeuralPredictor):
    """A linear network: the cheapest that can be trained."""

    def make_network(self, layers: int, operators: int) -> nn.Module:
        return nn.Sequential(nn.Flatten(), nn.Linear(layers * operators, 1), nn.Flatten(0))


def fitted(ms: Floats, **how: int) -> Straight:
    return Straight(COSTS, steps=100, **how).fit(CODE, ms)


def by_loop(predicted: list[float], target: list[float]) -> float:
    """Huber's loss on size; on order, of every pair that is no tie, how much its distance falls short of .2."""
    size = [
        0.5 * e * e if e < 0.5 else 0.5 * (e - 0.25)
        for e in (abs(p - t) for p, t in zip(predicted, target, strict=True))
    ]
    hinges = []
    for i, (p, t) in enumerate(zip(predicted, target, strict=True)):
        for j, (q, u) in enumerate(zip(predicted, target, strict=True)):
            if i != j and abs(t - u) > TIE:
                agree = (p - q) if t > u else (q - p)
                hinges.append(max(0.0, min(abs(t - u), 0.2) - agree))
    return sum(size) / len(size) + (sum(hinges) / len(hinges) if hinges else 0.0)


values = st.lists(st.tuples(st.integers(-300, 300), st.integers(-30, 30)), min_size=1, max_size=8)


@given(values)
@settings(max_examples=40, deadline=None)
def test_the_loss_is_that_of_a_plain_loop(pairs):
    predicted, target = [p / 100 for p, _ in pairs], [t / 10 for _, t in pairs]
    found = loss(torch.tensor(predicted, dtype=torch.double), torch.tensor(target, dtype=torch.double))
    assert float(found) == pytest.approx(by_loop(predicted, target), abs=1e-9)


def test_a_perfect_prediction_costs_nothing_and_a_reversed_one_much():
    target = torch.tensor([-1.0, 0.0, 0.02, 1.0])
    assert float(loss(target, target)) == 0
    assert float(loss(-target, target)) > float(loss(0 * target, target)) > 0.2


def test_a_batch_of_ties_is_about_size_alone():
    target = torch.tensor([1.0, 1.0 + 0.5 * TIE], dtype=torch.double)
    assert float(loss(target.flip(0), target)) == pytest.approx(0.5 * (0.5 * TIE) ** 2)


def test_predictions_have_the_unit_of_what_was_measured():
    ms = 3 + (CODE * COSTS.macs).sum((1, 2)) * 1e-6
    one, thousand = fitted(ms), fitted(1000 * ms)
    assert np.allclose(thousand.predict(CODE), 1000 * one.predict(CODE), rtol=1e-3)
    assert np.allclose(thousand.uncertainty(CODE), 1000 * one.uncertainty(CODE), rtol=1e-2)


def test_a_prediction_is_the_mean_of_its_members():
    ms = np.random.default_rng(0).random(60)
    predictor = fitted(ms, members=3)
    gates = torch.from_numpy(CODE).float()
    members = torch.stack([network(gates) for network in predictor.networks])
    assert len(predictor.networks) == 3
    assert torch.allclose(predictor.predict_relaxed(gates), members.mean(0) * predictor.std + predictor.mean)
    assert np.all(predictor.uncertainty(CODE) >= predictor.left_out_ms)


def test_members_differ_since_each_left_out_a_part():
    predictor = fitted(np.random.default_rng(0).random(60))
    gates = torch.from_numpy(CODE).float()
    one, other, _ = (network(gates) for network in predictor.networks)
    assert not torch.allclose(one, other)


def test_what_members_left_out_tells_noise_from_what_can_be_learned():
    learned = 3 + (CODE * COSTS.macs).sum((1, 2)) * 1e-6
    noise = np.random.default_rng(0).normal(0, 1, 60)
    assert fitted(noise).left_out_ms > noise.std()
    assert fitted(learned).left_out_ms < 0.8 * learned.std()


def test_too_few_to_leave_out_are_told_by_an_infinite_uncertainty():
    predictor = Straight(COSTS, steps=20).fit(CODE[:11], np.arange(11.0))
    assert (predictor.uncertainty(CODE[:2]) == np.inf).all()
    assert np.isfinite(predictor.predict(CODE[:2])).all()


def test_latencies_that_are_all_the_same_are_predicted_as_that():
    assert np.allclose(fitted(np.full(60, 4.0)).predict(CODE), 4.0, atol=1e-3)


def test_training_leaves_the_weights_out_of_later_gradients():
    predictor = fitted(np.random.default_rng(0).random(60))
    assert not any(p.requires_grad for network in predictor.networks for p in network.parameters())
    assert not any(network.training for network in predictor.networks)
