"""LightNAS's predictor has the size that its paper says."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from surgenas.predictors.mlp import LpmPredictor, MlpPredictor
from surgenas.spaces.mobile import Mobile

COSTS = Mobile(layout="small", resolution=16, classes=10).costs()


@pytest.mark.parametrize(("layers", "operators"), [(21, 7), (11, 7), (6, 5)])
def test_its_network_is_two_hidden_layers_on_the_code(layers, operators):
    """147-128-64-1 for 21 layers of 7 operators."""
    network = MlpPredictor(COSTS).make_network(layers, operators)
    shapes = [tuple(p.shape) for p in network.parameters() if p.ndim == 2]
    assert shapes == [(128, layers * operators), (64, 128), (1, 64)]
    assert network(torch.zeros(3, layers, operators)).shape == (3,)


def test_that_of_la_darts_is_wider():
    """512, 512 and 256 on the 196 entries of two cells of 14 edges and 7 operators."""
    shapes = [tuple(p.shape) for p in LpmPredictor(COSTS).make_network(28, 7).parameters() if p.ndim == 2]
    assert shapes == [(512, 196), (512, 512), (256, 512), (1, 256)]


def test_it_learns_what_it_is_shown():
    code = np.eye(7)[np.random.default_rng(0).integers(7, size=(150, 11))]
    ms = 1 + (code * COSTS.macs).sum((1, 2)) * 1e-6
    found = MlpPredictor(COSTS).fit(code[:120], ms[:120]).predict(code[120:])
    assert np.corrcoef(found, ms[120:])[0, 1] > 0.9
