"""The Gaussian process against its textbook form, against devices that do and do not delete dead layers, outliers."""

from __future__ import annotations

import math
from functools import partial

import numpy as np
import pytest
import torch

from surgenas.core import moves
from surgenas.predictors.base import make_predictor
from surgenas.predictors.messages import describe
from surgenas.predictors.process import GraphProcess
from surgenas.predictors.simplify import simplifications, stand_in
from surgenas.spaces.nasbench201 import NASBench201

SPACE = NASBench201()
COSTS = SPACE.costs()
RNG = np.random.default_rng(0)
EVERYTHING = np.eye(5)[RNG.integers(5, size=(900, 6))]
TRAIN, TEST = EVERYTHING[:200], EVERYTHING[200:]


def device(code, operators, deletes):
    """ms of a device that is charged for layers as built, or for live ones only."""
    groups = describe(COSTS, torch.from_numpy(code))
    gates = groups["live" if deletes else "built"].reshape(-1, 6, 5)
    return 1 + (gates.numpy() * np.array(operators)).sum((1, 2))


PLAIN, DELETING = [0.0, 0.1, 1.0, 3.0, 0.7], [0.0, 0.2, 0.5, 2.0, 1.5]


def test_where_all_samples_count_alike_prediction_and_uncertainty_are_the_textbooks():
    ms = device(TRAIN, PLAIN, deletes=True) + RNG.normal(0, 0.2, 200)
    process = GraphProcess(COSTS, outlier=1e9, features=describe, shares=[math.inf]).fit(TRAIN, ms)
    scale = process.scale
    order = np.random.default_rng(0).permutation(200)
    kernel = process.kernel

    def gram(one, other):
        x, y = [process.groups.normalise(describe(COSTS, torch.from_numpy(c))) for c in (one, other)]
        straight = sum(k * (a @ b.T) for k, a, b in zip(kernel.a, x, y, strict=True))
        far = sum(k * torch.cdist(a, b).square() for k, a, b in zip(kernel.b, x, y, strict=True))
        return straight + kernel.r * torch.exp(-0.5 * far)

    K = gram(TRAIN[order], TRAIN[order]) + kernel.noise * torch.eye(200)
    across = gram(TEST[:50], TRAIN[order])
    y = torch.from_numpy((ms[order] - scale.middle) / scale.size)
    mean = across @ torch.linalg.solve(K, y) * scale.size + scale.middle
    variance = gram(TEST[:50], TEST[:50]).diagonal() - (across * torch.linalg.solve(K, across.T).T).sum(1)
    assert np.allclose(process.predict(TEST[:50]), mean, atol=0.005)
    assert np.allclose(process.uncertainty(TEST[:50]), (variance + kernel.noise).sqrt() * scale.size, rtol=0.005)


@pytest.mark.slow
def test_it_learns_from_data_whether_dead_layers_are_deleted():
    for deletes in (False, True):
        ms, truth = device(TRAIN, PLAIN, deletes), device(TEST, PLAIN, deletes)
        error = {
            name: np.abs(make_predictor(name, COSTS, 0).fit(TRAIN, ms).predict(TEST) - truth).mean()
            for name in ("process", "ridge")
        }
        assert error["process"] < 0.1 * truth.std()
        assert (error["ridge"] > 0.2 * truth.std()) == deletes, "an additive model fails where layers are deleted"


def test_measurements_gone_wrong_count_less(monkeypatch):
    ms, truth = device(TRAIN, PLAIN, deletes=False), device(TEST, PLAIN, deletes=False)
    wrong = ms.copy()
    wrong[:4] *= 12

    reweighted, alike = (
        np.abs(process.fit(TRAIN, wrong).predict(TEST) - truth).mean()
        for process in (GraphProcess(COSTS), GraphProcess(COSTS, outlier=1e9))
    )
    assert reweighted < 0.6 * alike


def test_uncertainty_covers_what_it_says():
    noise = np.random.default_rng(1).normal(0, 0.3, 900)
    ms = device(EVERYTHING, DELETING, deletes=True) + noise
    process = GraphProcess(COSTS).fit(TRAIN, ms[:200])
    off = np.abs(process.predict(TEST) - ms[200:]) / process.uncertainty(TEST)
    assert 0.5 < (off < 1).mean() < 0.85
    assert (off < 2).mean() > 0.9


def test_two_samples_and_equal_ones_are_enough_not_to_fail():
    for code, ms in ((TRAIN[:2], np.array([1.0, 2.0])), (TRAIN[:1].repeat(3, 0), np.array([1.0, 1.1, 1.0]))):
        for name in ("process", "gnn", "boosting", "layers"):
            predicted = make_predictor(name, COSTS, 0).fit(code, ms).predict(TEST[:5])
            assert np.isfinite(predicted).all(), name


def test_gradients_are_finite_differences():
    """Of the relaxed input, in both spaces' fashion: with and without dead layers; however little was learnt."""
    few = TRAIN[:25]
    ms = device(few, DELETING, deletes=True)
    for name in ("process", "gnn", "mlp"):
        predictor = make_predictor(name, COSTS, 0).fit(few, ms)
        gates = torch.softmax(torch.randn(1, 6, 5, generator=torch.Generator().manual_seed(0)), 2).requires_grad_()
        (gradient,) = torch.autograd.grad(predictor.predict_relaxed(gates).sum(), gates)
        direction = torch.randn(gates.shape, generator=torch.Generator().manual_seed(1))
        step = 1e-2
        with torch.no_grad():
            ahead, behind = (predictor.predict_relaxed(gates + sign * step * direction).item() for sign in (1, -1))
        assert abs((ahead - behind) / (2 * step) - (gradient * direction).sum().item()) < 0.05 * gradient.norm()


def test_canonical_cells_are_predicted_alike_by_a_device_that_deletes():
    """Which of two dead branches was built does not matter to the live features."""
    archs = [SPACE.parse(f"|{op}~0|+|none~0|none~1|+|nor_conv_1x1~0|none~1|none~2|") for op in ("none", "avg_pool_3x3")]
    live = describe(COSTS, torch.from_numpy(moves.encode(SPACE, archs)))["live"]
    assert torch.equal(live[0], live[1])


def charged(way, code):
    """ms of a device that is charged for what this simplification leaves, by operator."""
    features = way(COSTS, torch.from_numpy(code))
    layers = features["kept"].reshape(-1, 6, 5).numpy()
    return 1 + (layers * np.array(PLAIN)).sum((1, 2))


@pytest.mark.parametrize("which", range(4))
def test_the_simplification_under_which_samples_were_made_is_found(which):
    way = simplifications(COSTS)[which]
    ms, truth = charged(way, TRAIN[:100]), charged(way, TEST)
    process = GraphProcess(COSTS, shares=[math.inf]).fit(TRAIN[:100], ms)
    assert isinstance(process.simplify, partial) == (which >= 2), "whether stand-ins were measured"
    assert np.abs(process.predict(TEST) - truth).mean() < 0.1 * truth.std()


def test_cells_with_one_stand_in_are_told_alike_where_stand_ins_were_measured():
    ms = charged(simplifications(COSTS)[2], TRAIN[:60])
    process = GraphProcess(COSTS, shares=[math.inf]).fit(TRAIN[:60], ms)
    stands = stand_in(COSTS, torch.from_numpy(TEST)).numpy()
    assert not np.array_equal(stands, TEST)
    assert np.allclose(process.predict(TEST), process.predict(stands))


def test_latency_in_shares_is_fitted_in_shares_and_stays_in_milliseconds_where_it_adds_up():
    rng = np.random.default_rng(2)
    times, added = rng.normal(0, 0.02, (2, 900))
    operators = (EVERYTHING * np.array([-2.0, -1.0, 0.3, 1.2, -0.5])).sum((1, 2))
    shares = GraphProcess(COSTS, features=describe).fit(TRAIN[:100], np.exp(operators + times)[:100])
    assert math.isfinite(shares.scale.c)
    ms = device(EVERYTHING, PLAIN, deletes=False) + added
    assert math.isinf(GraphProcess(COSTS, features=describe).fit(TRAIN[:100], ms[:100]).scale.c)


def test_shares_are_told_from_microseconds_on_and_uncertainty_is_in_milliseconds():
    operators = (EVERYTHING * np.array([-2.0, -1.0, 0.3, 1.2, -0.5])).sum((1, 2))
    ms = np.exp(operators + np.random.default_rng(3).normal(0, 0.1, 900))
    process = GraphProcess(COSTS, features=describe).fit(TRAIN, ms[:200])
    predicted, deviation = process.predict(TEST), process.uncertainty(TEST)
    assert np.median(np.abs(predicted / ms[200:] - 1)) < 0.15
    assert 0.5 < (np.abs(predicted - ms[200:]) < deviation).mean() < 0.85
    small, large = ms[200:] < np.quantile(ms, 0.1), ms[200:] > np.quantile(ms, 0.9)
    assert deviation[large].mean() > 10 * deviation[small].mean()


def test_predictions_are_above_zero_also_where_a_sum_would_not_be():
    few = TRAIN[:60]
    ms = np.maximum(device(few, PLAIN, deletes=False) - 4, 1e-4)
    for shares in ([math.inf], [0.3]):
        assert GraphProcess(COSTS, features=describe, shares=shares).fit(few, ms).predict(EVERYTHING).min() > 0
