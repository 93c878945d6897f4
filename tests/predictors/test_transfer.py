"""A new device from known ones: few samples do where it is like them, and many do where it is not."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.stats import spearmanr

from surgenas.core.space import Floats
from surgenas.predictors.active import choose
from surgenas.predictors.messages import describe
from surgenas.predictors.process import GraphProcess
from surgenas.predictors.transfer import KnownDevices, TransferPredictor
from surgenas.spaces.nasbench201 import NASBench201

COSTS = NASBench201().costs()
EVERYTHING = np.eye(5)[np.random.default_rng(0).integers(5, size=(600, 6))]
TRAIN, TEST = EVERYTHING[:150], EVERYTHING[150:]


def device(code: Floats, operators: list[float], deletes: bool) -> Floats:
    """ms of a device that is charged for layers as built, or for live ones only."""
    groups = describe(COSTS, torch.from_numpy(code))
    gates = groups["live" if deletes else "built"].reshape(-1, 6, 5)
    return 1 + (gates.numpy() * np.array(operators)).sum((1, 2))


PLAIN = device(EVERYTHING, [0.0, 0.1, 1.0, 3.0, 0.7], deletes=False)
DELETING = device(EVERYTHING, [0.0, 0.2, 0.5, 2.0, 1.5], deletes=True)
NEW = 0.7 * PLAIN + 0.9 * DELETING


@pytest.fixture(scope="module")
def known() -> KnownDevices:
    return KnownDevices(COSTS, TRAIN, np.stack([PLAIN, DELETING, PLAIN + 2 * DELETING], 1)[:150])


@pytest.fixture(scope="module")
def ten(known: KnownDevices) -> list[int]:
    return choose(known.design(TEST), 10)


def test_ten_samples_of_a_new_device_do_with_known_ones(known, ten):
    """It mixes two others, one of which deletes dead layers."""
    new = NEW[150:]
    transfer = TransferPredictor(COSTS, known).fit(TEST[ten], new[ten])
    alone = GraphProcess(COSTS).fit(TEST[ten], new[ten])
    rank = [spearmanr(p.predict(TEST), new).statistic for p in (transfer, alone)]
    assert rank[0] > 0.98
    assert rank[0] > rank[1]
    assert (transfer.uncertainty(TEST) > 0).all()


def test_what_is_common_and_what_differs_have_a_mean_square_of_one(known):
    common, differences, graph = known.features(torch.from_numpy(TRAIN).float())
    assert float(common.square().mean()) == pytest.approx(1, rel=0.02)
    assert float(differences.sum(1).abs().max()) == pytest.approx(0, abs=1e-5), "differences are from the mean"
    assert float(graph.square().sum(1).mean()) == pytest.approx(1, rel=0.02)
    assert (common.shape, differences.shape) == ((150, 1), (150, 3))


def test_the_design_is_the_features_with_an_offset(known):
    design = known.design(TRAIN)
    parts = known.features(torch.from_numpy(TRAIN).float())
    assert design.shape == (150, 1 + sum(part.shape[1] for part in parts))
    assert len(set(design[:, 0].tolist())) == 1
    assert np.allclose(design[:, 1:2], parts[0])


def test_the_unit_of_a_new_device_is_its_own(known, ten):
    one, thousand = (TransferPredictor(COSTS, known).fit(TEST[ten], scale * NEW[150:][ten]) for scale in (1.0, 1000.0))
    assert np.allclose(thousand.predict(TEST), 1000 * one.predict(TEST), rtol=1e-4)
    assert np.allclose(thousand.uncertainty(TEST), 1000 * one.uncertainty(TEST), rtol=1e-3)


def test_more_samples_leave_less_uncertain_and_it_covers_the_errors(known):
    spreads = []
    for count in (10, 100):
        predictor = TransferPredictor(COSTS, known).fit(TEST[:count], NEW[150 : 150 + count])
        spread, off = predictor.uncertainty(TEST[100:]), np.abs(predictor.predict(TEST[100:]) - NEW[250:])
        assert (off < 3 * spread).mean() > 0.9
        spreads.append(spread.mean())
    assert spreads[1] < spreads[0]


def test_a_device_that_turns_the_order_round_is_learned_too(known):
    """Nothing says that a new device must be like the known ones."""
    predictor = TransferPredictor(COSTS, known).fit(TEST[:100], 30 - NEW[150:250])
    assert spearmanr(predictor.predict(TEST[100:]), 30 - NEW[250:]).statistic > 0.95


def test_another_one_of_its_kind_knows_the_same_devices(known, ten):
    predictor = TransferPredictor(COSTS, known, seed=4).fit(TEST[ten], NEW[150:][ten])
    assert predictor.make_unfitted().known is known
    assert predictor.make_unfitted().seed == 4
    assert predictor.held_out_error_ms < NEW.std()


def test_equal_samples_are_enough_not_to_fail(known):
    predictor = TransferPredictor(COSTS, known).fit(TEST[:1].repeat(2, 0), np.array([2.0, 2.0]))
    assert np.isfinite(predictor.predict(TEST[:5])).all()
    assert np.isfinite(predictor.uncertainty(TEST[:5])).all()
