"""The graph network: what it can tell apart, and that it follows the wiring."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from surgenas.predictors.base import make_predictor
from surgenas.predictors.graph import GraphPredictor
from surgenas.spaces.macro import Macro
from surgenas.spaces.nasbench201 import NASBench201


@pytest.mark.parametrize("space", [Macro(resolution=8), NASBench201(resolution=8)], ids=lambda space: space.name)
def test_its_network_takes_gates_of_any_wiring_and_passes_gradients_to_all_of_them(space):
    costs = space.costs()
    L, K = costs.macs.shape
    torch.manual_seed(0)
    network = GraphPredictor(costs).make_network(L, K)
    gates = torch.softmax(torch.randn(5, L, K), 2).requires_grad_()
    out = network(gates)
    assert out.shape == (5,)
    (gradient,) = torch.autograd.grad(out.sum(), gates)
    assert (gradient.abs().sum((0, 2)) > 0).all(), "every layer matters"


def test_architectures_do_not_look_at_each_other():
    costs = NASBench201(resolution=8).costs()
    network = GraphPredictor(costs).make_network(6, 5).eval()
    code = torch.from_numpy(np.eye(5)[np.random.default_rng(0).integers(5, size=(7, 6))]).float()
    alone = torch.cat([network(one) for one in code.split(1)])
    assert torch.allclose(network(code), alone, atol=1e-5)


def test_the_graph_sees_where_an_operator_stands(small):
    """One operator moved to another layer is another latency: the descriptors must tell layers apart."""
    rng = np.random.default_rng(0)
    code = np.eye(7)[rng.integers(7, size=(40, 11))]
    ms = (code * small.costs().macs).sum((1, 2)) * 1e-6
    gnn = make_predictor("gnn", small.costs(), 0).fit(code, ms)
    base = np.zeros((1, 11, 7))
    base[0, :, 6] = 1
    early, late = base.copy(), base.copy()
    early[0, 0], late[0, 10] = np.eye(7)[5], np.eye(7)[5]
    assert abs(float((gnn.predict(early) - gnn.predict(late))[0])) > 1e-3


def test_it_starts_from_a_straight_line_in_macs():
    """So ten samples in proportion to MACs are enough to order networks by them."""
    space = Macro(resolution=8)
    costs = space.costs()
    code = np.eye(3)[np.random.default_rng(0).integers(3, size=(60, 8))]
    macs = (code * costs.macs).sum((1, 2))
    found = GraphPredictor(costs, steps=100).fit(code[:10], macs[:10] * 1e-6).predict(code[10:])
    assert np.corrcoef(found, macs[10:])[0, 1] > 0.9
