"""The choice supernet: gates decide what runs, gradients reach what they should, memory is that of one path."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.multiprocessing.reductions import StorageWeakRef

from surgenas.core import moves
from surgenas.nn.blocks import shortcut
from surgenas.nn.supernet import Gates
from surgenas.spaces.mobile import Mobile
from surgenas.testing import Planted, held_bytes

SPACE = Planted()


def test_all_paths_with_one_hot_gates_is_that_path():
    net = SPACE.supernet().eval()
    x = torch.randn(2, *SPACE.input_shape)
    hard = Gates.of(SPACE, moves.sample(SPACE, np.random.default_rng(0)))
    with torch.no_grad():
        for eta in (0.0, 0.7):
            one = net(x, hard, eta)
            assert torch.allclose(one, net(x, Gates(hard.weights, None), eta), atol=1e-5)


@pytest.mark.parametrize("eta", [0.0, 0.5])
def test_gate_gradient_is_the_inner_product(eta):
    """q_sel = <dL/dh, o_sel(x)>, the others 0: the memory-free form agrees with the plain product y o + eta a."""
    net = SPACE.supernet().train()
    x = torch.randn(4, *SPACE.input_shape)
    path = (0, 2, 3, 0, 2, 3)
    fast = Gates.one_hot(path, 4).weights.requires_grad_()
    torch.manual_seed(1)
    net(x, Gates(fast, path), eta).square().sum().backward()
    plain = Gates.one_hot(path, 4).weights.requires_grad_()
    h = net.stem(x)
    for layer, block in enumerate(net.layers):
        k = path[layer]
        out = plain[layer, k] * block.ops[k](h)
        h = out + eta * block.shortcut(h) if eta else out
    torch.manual_seed(1)
    net.head(h).square().sum().backward()
    assert torch.allclose(fast.grad, plain.grad, rtol=1e-3, atol=1e-4)
    assert (fast.grad != 0).sum() <= 6


def test_leak_gives_unselected_gates_the_sum_of_the_gradient():
    net = SPACE.supernet().train()
    x = torch.randn(2, *SPACE.input_shape)
    weights = Gates.one_hot((0,) * 6, 4).weights.requires_grad_()
    net(x, Gates(weights, (0,) * 6, leak=True)).square().sum().backward()
    assert torch.allclose(weights.grad[:, 1], weights.grad[:, 3])
    assert (weights.grad[-1, 1:] != 0).all()


def test_gates_hold_no_activations_of_their_own():
    net = SPACE.supernet().train()
    x = torch.randn(16, *SPACE.input_shape)
    path = (0, 2, 3, 0, 2, 3)
    without = held_bytes(lambda: net(x, Gates.one_hot(path, 4)))
    weights = Gates.one_hot(path, 4).weights.requires_grad_()
    assert held_bytes(lambda: net(x, Gates(weights, path))) <= 1.01 * without
    everything = Gates(torch.full((6, 4), 0.25), None)
    assert held_bytes(lambda: net(x, everything)) > 2.5 * without


def test_shortcuts_hold_next_to_nothing():
    """Less than the 2 % that a search step may add, with and without gates, which need a shortcut's result."""
    space = Mobile(layout="small", resolution=32, classes=10)
    net, x = space.supernet().train(), torch.randn(32, *space.input_shape)
    path = moves.indices(space, moves.uniform_architecture(space, "k7e6"))
    without = held_bytes(lambda: net(x, Gates.one_hot(path, 7)))
    assert without < held_bytes(lambda: net(x, Gates.one_hot(path, 7), eta=1.0)) <= 1.02 * without
    weights = Gates.one_hot(path, 7).weights.requires_grad_()
    assert held_bytes(lambda: net(x, Gates(weights, path), eta=1.0)) <= 1.02 * without


def test_only_the_chosen_operators_run():
    net = SPACE.supernet()
    calls = []
    for block in net.layers:
        for k, op in enumerate(block.ops):
            op.register_forward_hook(lambda *_, k=k: calls.append(k))
    net(torch.randn(2, *SPACE.input_shape), Gates.one_hot((3, 1, 2, 0, 0, 1), 4))
    assert calls == [3, 1, 2, 0, 0, 1]


def test_gates_are_let_go_after_the_backward_pass():
    """The graph lives as long as its loss; what the gates looked at must not."""
    net, path = SPACE.supernet().train(), (0, 2, 3, 0, 2, 3)
    seen = []
    for block, k in zip(net.layers, path, strict=True):
        block.ops[k].register_forward_hook(lambda *args: seen.append(StorageWeakRef(args[-1].untyped_storage())))
    weights = Gates.one_hot(path, 4).weights.requires_grad_()
    loss = net(torch.randn(4, *SPACE.input_shape), Gates(weights, path)).square().sum()
    loss.backward()
    assert len(seen) == 6
    assert all(storage.expired() for storage in seen)


@pytest.mark.parametrize("stride", [1, 2])
def test_gradient_of_the_projected_shortcut(stride):
    """Written by hand, so held against finite differences; odd sizes, where pooling rounds up."""
    net, x = shortcut(3, 4, stride=stride).double(), torch.randn(2, 3, 5, 5, dtype=torch.double, requires_grad=True)
    ((name, weight),) = net.named_parameters()
    run = lambda x, weight: torch.func.functional_call(net, {name: weight}, (x,))  # noqa: E731
    assert torch.autograd.gradcheck(run, (x, weight))


def test_shortcut_follows_the_shapes():
    x = torch.randn(2, 8, 7, 7)
    assert shortcut(8, 8, stride=1)(x) is x
    assert shortcut(8, 8, stride=2)(x).shape == (2, 8, 4, 4)
    assert shortcut(8, 12, stride=1)(x).shape == (2, 12, 7, 7)
    assert shortcut(8, 12, stride=2)(x).shape == (2, 12, 4, 4)
