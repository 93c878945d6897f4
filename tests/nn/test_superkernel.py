"""Superkernels: what is decided is what runs, gradients are those of the relaxed form, and nothing more is held."""

from __future__ import annotations

import itertools

import pytest
import torch
from timm.models._efficientnet_blocks import InvertedResidual

from surgenas.core import moves
from surgenas.nn.superkernel import E3, E6, K5, SE25, Rule
from surgenas.spaces.single_path import SinglePath, SinglePathSE
from surgenas.testing import held_bytes

SMALL = {"layout": "small", "resolution": 16, "classes": 4}
SPACES = [SinglePath(**SMALL), SinglePathSE(**SMALL)]


@pytest.fixture(params=SPACES, ids=lambda space: space.name)
def space(request):
    return request.param


def trained(space):
    """A supernet whose statistics are not those of a fresh network."""
    supernet = space.supernet().train()
    for _ in range(2):
        supernet.at(torch.randn(4, *space.input_shape), [space.operators.__len__() - 1] * len(space.choices))
    return supernet


def test_the_decoded_network_computes_what_the_supernet_does_for_every_operator_of_a_layer(space):
    """Of layer 2, which may be skipped, and layer 1, which may not; in eval, with the same statistics."""
    supernet = trained(space).eval()
    images = torch.randn(2, *space.input_shape)
    for layer in (0, 1):
        for k in range(len(space.choices[layer].options)):
            path = [0] * len(space.choices)
            path[layer] = k
            network = supernet.cut(path, space.build(moves.from_indices(space, path))).eval()
            with torch.no_grad():
                assert torch.allclose(network(images), supernet.at(images, path), rtol=1e-4, atol=1e-5)


def test_a_masked_kernel_is_exactly_the_smaller_one_in_training():
    """k3e3 inside k5e6: the same output and the same gradient of what is left, on the same batch."""
    space = SPACES[0]
    supernet, arch = space.supernet().train(), moves.uniform_architecture(space, "k3e3")
    network = supernet.cut(moves.indices(space, arch), space.build(arch)).train()
    network.head[-2].p = supernet.head[-2].p = 0.0  # dropout draws
    images = torch.randn(8, *space.input_shape)
    for at_kernel in (False, True):
        decisions = supernet.hard[[0] * len(space.choices)]
        supernet.zero_grad()
        out = supernet(images, decisions, at_kernel=at_kernel)
        out.square().sum().backward()
        network.zero_grad()
        expected = network(images)
        expected.square().sum().backward()
        assert torch.allclose(out, expected, rtol=1e-3, atol=1e-4)
        whole, part = supernet.layers[1].block.conv_dw.weight.grad, network.layers[1].conv_dw.weight.grad
        half = len(part)
        assert torch.allclose(whole[:half, :, 1:4, 1:4], part, rtol=1e-2, atol=1e-3 * float(part.abs().max()))
        if not at_kernel:
            assert whole[half:].abs().max() == 0, "what is off learns nothing"


def test_gates_are_one_hot_where_decisions_are_hard_and_sum_to_one_where_not(space):
    supernet = space.supernet()
    for k, decisions in enumerate(supernet.hard.nan_to_num(0.0)):
        assert supernet.gates(decisions[None]).argmax(1).tolist() == [k]
        assert supernet.gates(decisions[None]).sum() == 1
    soft = torch.rand(5, supernet.hard.shape[1])
    assert torch.allclose(supernet.gates(soft).sum(1), torch.ones(5))
    expected = soft[:, K5] * soft[:, E3] * (1 - soft[:, E6])
    if space.name == "single_path":
        assert torch.allclose(supernet.gates(soft)[:, list(space.operators).index("k5e3")], expected)


@pytest.mark.parametrize("rule", [Rule(soft=True), Rule(soft=True, normalised=False, squared=True, temperature=2.0)])
def test_the_gradient_of_every_threshold_is_that_of_the_relaxed_form(space, rule):
    supernet = space.supernet().double().train()
    supernet.head[-2].p = 0.0
    images = torch.randn(6, *space.input_shape, dtype=torch.double)
    at = 0.8 * (torch.ones_like(supernet.start) if rule.normalised else supernet.start)
    thresholds = at.clone().requires_grad_()

    def loss(t):
        return supernet(images, supernet.decide(t, rule)).square().mean()

    (gradient,) = torch.autograd.grad(loss(thresholds), thresholds)
    with torch.no_grad():
        for layer, d in itertools.product((0, 1, 4), range(thresholds.shape[1])):
            step = torch.zeros_like(at)
            step[layer, d] = 1e-6
            slope = (loss(at + step) - loss(at - step)) / 2e-6
            assert gradient[layer, d] == pytest.approx(float(slope), rel=1e-3, abs=1e-7)
    assert (gradient[0, E3] == 0) == (not supernet.layers[0].skippable)


def test_a_mask_on_the_kernel_is_invisible_to_the_loss_while_it_is_on():
    """A normalisation behind forgets the factor on a channel: why expansion and skip mask the normalisations here."""
    supernet = SPACES[0].supernet().train()
    images, labels = torch.randn(16, *SPACES[0].input_shape), torch.randint(4, (16,))
    sizes = {}
    for at_kernel in (True, False):
        decisions = torch.ones(len(SPACES[0].choices), 3, requires_grad=True)
        torch.nn.functional.cross_entropy(supernet(images, decisions, at_kernel=at_kernel), labels).backward()
        sizes[at_kernel] = decisions.grad.abs().mean(0)
    assert (sizes[True][[E3, E6]] < 0.02 * sizes[False][[E3, E6]]).all()
    assert sizes[True][K5] > 0


def test_se_is_bypassed_exactly_where_it_is_off():
    space = SPACES[1]
    layer = space.supernet().eval().layers[1]
    x = torch.randn(2, space.slots[1].cin, 4, 4)
    off = torch.tensor([1.0, 1.0, 1.0, 0.0, 0.0])
    with torch.no_grad():
        got, other = layer(x, off), layer(x, off.index_fill(0, torch.tensor(SE25), 1.0))
        layer.block.se = torch.nn.Identity()
        assert torch.allclose(got, InvertedResidual.forward(layer.block, x), atol=1e-6)
    assert not torch.allclose(got, other, atol=1e-6)


def test_a_superkernel_holds_what_its_largest_network_holds():
    """At most 5 % more bytes for the backward pass than k5e6 alone."""
    space = SinglePath(layout="small", resolution=32, classes=10)
    supernet, alone = space.supernet().train(), space.build(moves.uniform_architecture(space, "k5e6")).train()
    images = torch.randn(16, *space.input_shape)
    thresholds = torch.full((len(space.choices), 3), 0.5, requires_grad=True)
    held = held_bytes(lambda: supernet(images, supernet.decide(thresholds, Rule())), supernet)
    assert held <= 1.05 * held_bytes(lambda: alone(images), alone)
