"""Costs that hang on two neighbouring choices, against a sum over pairs written as a loop."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch

from surgenas.core.pairs import Pairs

L, K, G = 3, 4, 2
KIND = np.array([[0, 0, 1, 1], [1, 0, 1, 0], [0, 0, 0, 0]])


def pairs(seed: int = 0) -> Pairs:
    rng = np.random.default_rng(seed)
    return Pairs(rng.uniform(1, 9, (L, K, 3)), KIND, rng.uniform(1, 9, (L, K, G, 3)))


def gates(*positions: int) -> torch.Tensor:
    return torch.eye(K, dtype=torch.float64)[list(positions)][None]


def looped(found: Pairs, *positions: int) -> list[list[float]]:
    rows = []
    for row, k in enumerate(positions):
        before = found.behind[row, k, KIND[row - 1, positions[row - 1]]] if row else np.zeros(3)
        rows.append((found.own[row, k] + before).tolist())
    return rows


@pytest.mark.parametrize("positions", [(0, 0, 0), (1, 2, 3), (3, 1, 0), (2, 3, 1)])
def test_a_row_costs_what_it_is_and_what_it_is_behind_the_row_before(positions):
    found = pairs()
    assert found.counts(gates(*positions))[0].numpy() == pytest.approx(np.array(looped(found, *positions)))
    macs = sum(row[0] for row in looped(found, *positions))
    assert found.macs_of(gates(*positions).numpy()) == pytest.approx([macs])


def test_a_convolution_between_two_widths_by_hand():
    """Rows write 2 or 3 channels; a pixel of 1 x 1 convolutions, the first of one channel, costs their product."""
    own = np.array([[[2.0] * 3, [3.0] * 3], [[0.0] * 3] * 2])
    behind = np.zeros((2, 2, 2, 3))
    behind[1] = np.array([[2 * 2, 2 * 3], [3 * 2, 3 * 3]])[..., None]
    found = Pairs(own, np.array([[0, 1], [0, 1]]), behind)
    code = np.eye(2)[[[0, 0], [0, 1], [1, 0], [1, 1]]]
    assert found.macs_of(code).tolist() == [2 + 4, 2 + 6, 3 + 6, 3 + 9]
    assert found.most.tolist() == [9.0, 9.0, 9.0]


def test_the_most_is_that_of_the_dearest_row_of_all_networks():
    found = pairs(1)
    every = torch.cat([gates(*positions) for positions in itertools.product(range(K), repeat=L)])
    assert found.most == pytest.approx(found.counts(every).amax((0, 1)).numpy())


def test_a_single_row_has_nothing_before_it():
    found = Pairs(pairs().own[:1], KIND[:1], pairs().behind[:1])
    assert found.counts(torch.eye(K)[:, None]).shape == (K, 1, 3)
    assert found.most == pytest.approx(found.own[0].max(0))


def test_gates_that_are_probabilities_cost_what_networks_drawn_so_cost_on_average():
    found, chances = pairs(), torch.softmax(torch.randn(L, K, generator=torch.Generator().manual_seed(0)).double(), 1)
    mean = torch.zeros(L, 3, dtype=torch.float64)
    for positions in itertools.product(range(K), repeat=L):
        chance = torch.stack([chances[row, k] for row, k in enumerate(positions)]).prod()
        mean += chance * found.counts(gates(*positions))[0]
    assert torch.allclose(found.counts(chances[None])[0], mean)


def test_the_gradient_in_the_gates_is_exact():
    drawn = torch.rand(2, L, K, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    assert torch.autograd.gradcheck(pairs().counts, drawn.requires_grad_())
    assert pairs().counts(drawn.float()).dtype == torch.float32
