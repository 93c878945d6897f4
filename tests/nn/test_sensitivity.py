"""Curvature against known Hessians, and rounding by hand."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from surgenas.nn.sensitivity import hessian_traces, layer_weights, rounding_error


def test_traces_of_a_quadratic_are_those_of_its_blocks():
    """x' A x / 2 has the Hessian A; a block of it for each of two tensors."""
    torch.manual_seed(0)
    root = torch.randn(12, 12)
    A = root @ root.T
    first, second = torch.randn(2, 4, requires_grad=True), torch.randn(4, requires_grad=True)

    def loss():
        x = torch.cat([first.flatten(), second])
        return x @ A @ x / 2

    found = hessian_traces(loss, {"first": first, "second": second}, 1000, seed=0)
    for name, block in (("first", A[:8, :8]), ("second", A[8:, 8:])):
        estimates = found[name]
        assert len(estimates) == 1000
        error = float(estimates.std()) / 1000**0.5
        assert float(estimates.mean()) == pytest.approx(float(block.trace()), abs=3 * error)
        assert error < 0.1 * float(block.trace()), "or the test says nothing"


def test_a_diagonal_hessian_is_exact_with_one_probe():
    w = torch.randn(3, 3, requires_grad=True)
    curved = torch.arange(9.0).view(3, 3)
    found = hessian_traces(lambda: (curved * w.square()).sum() / 2, {"w": w}, 1, seed=0)
    assert float(found["w"]) == pytest.approx(36.0)


def test_the_same_seed_says_the_same_of_a_network_and_other_seeds_do_not():
    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.SiLU(), nn.Flatten(), nn.Linear(64, 3))
    images, labels = torch.randn(8, 3, 6, 6), torch.randint(3, (8,))

    def traces(seed):
        return hessian_traces(lambda: nn.functional.cross_entropy(net(images), labels), layer_weights(net), 3, seed)

    assert list(traces(0)) == ["0", "3"]
    assert torch.equal(traces(0)["0"], traces(0)["0"])
    assert not torch.equal(traces(0)["0"], traces(1)["0"])


def test_attention_has_curvature_too():
    q = torch.randn(1, 2, 8, 4, requires_grad=True)
    found = hessian_traces(lambda: nn.functional.scaled_dot_product_attention(q, q, q).square().sum(), {"q": q}, 2, 0)
    assert found["q"].isfinite().all()
    assert found["q"].abs().max() > 0


def test_rounding_by_hand():
    """In 3 bits a channel has three steps on either side: of 3 they are 1 wide, of .6 they are .2."""
    weight = torch.tensor([[[[3.0]], [[1.4]]], [[[0.6]], [[-0.5]]]])
    assert rounding_error(weight, 3) == pytest.approx(0.4**2 + 0.1**2, abs=1e-6)


def test_more_bits_are_nearer_and_zeros_stay():
    weight = torch.randn(8, 4, 3, 3)
    errors = [rounding_error(weight, bits) for bits in (4, 6, 8)]
    assert errors[0] > 10 * errors[1] > 100 * errors[2] > 0
    assert rounding_error(torch.zeros(2, 2), 4) == 0
