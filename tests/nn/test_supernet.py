"""The choice supernet: gates decide what runs, gradients reach what they should, memory is that of one path."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.multiprocessing.reductions import StorageWeakRef

from surgenas.core import moves
from surgenas.nn.supernet import Gates
from surgenas.spaces.mobile import Mobile
from surgenas.testing import Planted, held_bytes

SPACE = Planted()
SUPERNET = SPACE.supernet().eval()


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


def test_a_network_that_is_not_the_path_is_refused():
    net = SPACE.supernet()
    path, other = (0,) * 6, (1,) * 6
    with pytest.raises(ValueError, match="path and network differ"):
        net.cut(path, SPACE.build(moves.from_indices(SPACE, other)))


@given(st.lists(st.integers(0, 3), min_size=6, max_size=6), st.sampled_from([0.0, 0.5]))
@settings(max_examples=20, deadline=None)
def test_a_path_is_its_one_hot_gates(path, eta):
    net, x = SUPERNET, torch.randn(2, *SPACE.input_shape)
    with torch.no_grad():
        by_path, by_gates = net.at(x, path, eta), net(x, Gates.of(SPACE, moves.from_indices(SPACE, path)), eta)
    assert torch.equal(by_path, by_gates)


def test_a_stem_that_ran_before_need_not_run_again():
    x, gates = torch.randn(2, *SPACE.input_shape), Gates.one_hot((0, 2, 3, 0, 2, 3), 4)
    with torch.no_grad():
        assert torch.equal(SUPERNET.after_stem(SUPERNET.stem(x), gates), SUPERNET(x, gates))


def test_a_forward_pass_leaves_no_trace_of_its_gates():
    x, path = torch.randn(2, *SPACE.input_shape), (0, 2, 3, 0, 2, 3)
    with torch.no_grad():
        before = SUPERNET.at(x, path)
        SUPERNET.at(x, (3,) * 6, eta=1.0)
        assert torch.equal(SUPERNET.at(x, path), before)
