"""Costs that are products of sums over choices, against a layer of two widths counted by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from surgenas.core.products import FACTORS, Products

OUTPUTS, INPUTS, KERNEL, RUNS, PIXELS = range(len(FACTORS))
K = 3
"""Options of each of five choices: outputs, inputs, kernel, whether it runs, input pixels. The last is the largest."""
SHARES = {OUTPUTS: (0.25, 0.5, 1.0), INPUTS: (0.5, 0.75, 1.0), KERNEL: (9 / 49, 25 / 49, 1.0), RUNS: (0.0, 1.0, 1.0),
          PIXELS: (0.25, 0.5, 1.0)}  # fmt: skip


def one_layer(by_channel: bool = False) -> Products:
    """A layer whose every factor hangs on a choice of its own."""
    slope = np.zeros((1, len(FACTORS), len(FACTORS), K))
    for factor, shares in SHARES.items():
        slope[0, factor, factor] = np.array(shares) - 1
    largest = np.array([[4900.0, 490.0, 100.0, 40.0]])
    return Products(largest, np.ones((1, len(FACTORS))), slope, np.array([by_channel]))


def gates(*positions: int) -> torch.Tensor:
    return torch.eye(K, dtype=torch.float64)[list(positions)][None]


@pytest.mark.parametrize("positions", [(2, 2, 2, 2, 2), (0, 1, 2, 2, 2), (1, 0, 0, 1, 0), (0, 0, 0, 1, 1)])
def test_a_layers_cost_is_the_product_of_what_is_left_of_its_sizes(positions):
    out, into, kernel, _, pixels = (SHARES[factor][k] for factor, k in enumerate(positions))
    macs, weights, moved = one_layer().counts(gates(*positions))[0, 0].tolist()
    assert macs == pytest.approx(4900 * out * into * kernel * pixels)
    assert weights == pytest.approx(490 * out * into * kernel), "as many, whatever the input"
    assert moved == pytest.approx(4 * (pixels * (100 * into + 40 * out) + weights))


def test_a_layer_that_does_not_run_costs_nothing():
    assert one_layer().counts(gates(2, 2, 2, 0, 2)).tolist() == [[[0.0, 0.0, 0.0]]]


def test_a_layer_that_works_by_channel_reads_what_it_writes():
    moved = [one_layer(by_channel).counts(gates(0, 2, 2, 2, 2))[0, 0, 2].item() for by_channel in (False, True)]
    assert moved[0] - moved[1] == pytest.approx(4 * 100 * (1 - 0.25))


def test_what_several_choices_take_from_one_size_adds_up():
    """As of a concatenation, whose parts have groups of their own."""
    slope = np.zeros((1, len(FACTORS), 2, 2))
    slope[0, INPUTS] = [[-0.3, 0.0], [-0.5, 0.0]]
    found = Products(np.array([[100.0, 1, 1, 1]]), np.ones((1, len(FACTORS))), slope, np.array([False]))
    code = torch.eye(2)[torch.tensor([[0, 0], [0, 1], [1, 0], [1, 1]])]
    assert found.counts(code)[:, 0, 0].tolist() == pytest.approx([20.0, 70.0, 50.0, 100.0])


def test_gates_that_are_probabilities_cost_what_the_mean_sizes_do():
    half = 0.5 * (gates(0, 2, 2, 2, 2) + gates(2, 2, 2, 2, 2))
    assert one_layer().counts(half)[0, 0, 0].item() == pytest.approx(4900 * (0.25 + 1) / 2)


def test_the_gradient_in_the_gates_is_exact():
    drawn = torch.rand(2, len(FACTORS), K, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    assert torch.autograd.gradcheck(one_layer().counts, drawn.requires_grad_())
    assert one_layer().counts(drawn.float()).dtype == torch.float32


def test_the_most_is_that_of_the_largest_network():
    assert one_layer().most.tolist() == [4900, 490, 4 * (100 + 40 + 490)]
    assert one_layer().counts(gates(2, 2, 2, 2, 2))[0, 0].tolist() == pytest.approx(one_layer().most.tolist())
