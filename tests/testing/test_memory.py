"""What a forward pass keeps for the backward pass, byte by byte."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from surgenas.testing.memory import held_bytes

N = 100
FLOAT = 4


def leaf(*shape):
    return torch.randn(*shape, requires_grad=True)


def test_a_product_holds_both_its_factors():
    x, y = leaf(N), leaf(N)
    assert held_bytes(lambda: (x * y).sum()) == 2 * N * FLOAT


def test_what_needs_no_gradient_holds_nothing():
    x = torch.randn(N)
    assert held_bytes(lambda: (x * x).sum()) == 0
    with torch.no_grad():
        assert held_bytes(lambda: (leaf(N) * leaf(N)).sum()) == 0


def test_a_storage_counts_once_however_often_it_is_kept_and_as_a_whole():
    """Ten numbers out of a hundred keep the hundred alive."""
    x, y = leaf(N), leaf(10)
    assert held_bytes(lambda: (x * x * x).sum()) == 2 * N * FLOAT, "x and its square"
    assert held_bytes(lambda: (x[:10] * y + x[10:20] * y).sum()) == (N + 10) * FLOAT


@pytest.mark.parametrize("depth", [1, 3])
def test_every_layer_adds_what_it_keeps(depth):
    x, network = leaf(N), nn.Sequential(*[nn.Tanh() for _ in range(depth)])
    assert held_bytes(lambda: network(x)) == depth * N * FLOAT


class Scaled(nn.Module):
    """A linear layer and a buffer."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(8, 8, bias=False)
        self.register_buffer("scale", torch.ones(8))

    def forward(self, x):
        return self.linear(x) * self.scale


def test_weights_and_buffers_of_the_network_are_there_anyway():
    network, x = Scaled(), leaf(4, 8)
    activations, own = 4 * 8 * FLOAT, (8 * 8 + 8) * FLOAT
    assert held_bytes(lambda: network(x)) == activations + own
    assert held_bytes(lambda: network(x), network) == activations
    assert held_bytes(lambda: network(x), Scaled()) == activations + own, "another network's"


def test_nothing_is_left_behind():
    x = leaf(N)
    held_bytes(lambda: x.tanh())
    x.tanh().sum().backward()
    assert torch.allclose(x.grad, 1 - x.detach().tanh() ** 2)
