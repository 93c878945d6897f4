"""A frozen network: the same gradients of all else, in less memory, and as before afterwards."""

from __future__ import annotations

import pytest
import torch

from surgenas.nn.frozen import frozen
from surgenas.nn.supernet import Gates
from surgenas.spaces.darts import Darts
from surgenas.testing import held_bytes


def test_gates_learn_the_same_in_less_memory():
    net = Darts(channels=4, layers=3, resolution=8).supernet()
    images, gates = torch.randn(16, 3, 8, 8), torch.full((28, 8), 0.1, requires_grad=True)

    def gradient():
        return torch.autograd.grad(net(images, Gates(gates, None)).sum(), gates)[0]

    there = gradient()
    held = held_bytes(lambda: net(images, Gates(gates, None)), net)
    with frozen(net):
        assert torch.equal(gradient(), there)
        assert held_bytes(lambda: net(images, Gates(gates, None)), net) <= 0.9 * held


def interrupted(net: torch.nn.Module) -> None:
    with frozen(net):
        assert not any(parameter.requires_grad for parameter in net.parameters())
        raise KeyboardInterrupt


def test_what_wanted_gradients_wants_them_again_and_nothing_else():
    net = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.Linear(2, 2).requires_grad_(False))
    with pytest.raises(KeyboardInterrupt):
        interrupted(net)
    assert [parameter.requires_grad for parameter in net.parameters()] == [True, True, False, False]
