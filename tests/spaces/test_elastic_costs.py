"""What smaller versions of a network cost: NetAdapt's toy counted by hand, timm's networks when they are built."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
import torch
from torch import nn

from surgenas.core import moves
from surgenas.nn.cost import count, work_of
from surgenas.nn.elastic import trace
from surgenas.spaces.elastic import Elastic
from surgenas.spaces.elastic_costs import count_costs
from surgenas.spaces.elastic_space import Decision

KNOWN = {
    "mobilenetv3_small_050": (32, 1), "resnet10t": (32, 1), "test_convnext": (64, 3), "regnety_002": (32, 1),
    "test_efficientnet": (64, 3), "lcnet_035": (32, 1),
}  # fmt: skip
"""timm's networks, with the side of the images in pixels and how many smaller ones there are. All are convolutional."""
LONG = ("regnety_002", "resnet10t", "lcnet_035")
"""Those of which others have all kinds of layers too."""
known = pytest.mark.parametrize("name", [pytest.param(n, marks=[pytest.mark.slow] * (n in LONG)) for n in KNOWN])


@cache
def space(name: str) -> Elastic:
    side, inputs = KNOWN[name]
    return Elastic(network=name, resolution=side, classes=10, inputs=inputs)


def toy_costs(widths=((8, 16), (24, 32), (56, 64))):
    """Four convolutions of 3 x 3 without bias, 3-16-32-64-10 channels (Yang et al. 2018, of whose kind the counts by
    hand are)."""
    convs = [nn.Conv2d(a, b, 3, padding=1, bias=False) for a, b in ((3, 16), (16, 32), (32, 64), (64, 10))]
    network = nn.Sequential(*convs, nn.AdaptiveAvgPool2d(1), nn.Flatten()).eval()
    structure = trace(network, torch.randn(1, 3, 32, 32))
    parts = [Decision("width", str(i), sizes) for i, sizes in enumerate(widths)]
    return count_costs(network, structure, parts, 32)


def test_a_toy_holds_and_computes_what_was_counted_by_hand():
    counts = toy_costs().counts(torch.eye(2)[torch.tensor([[1, 1, 1], [0, 1, 1], [1, 0, 1], [1, 1, 0]])].double())
    assert counts[:, :, 1].sum(1).tolist() == pytest.approx([29_232, 26_712, 23_472, 26_208])
    assert counts[0, :, 0].sum().item() == pytest.approx(29_933_568)


def test_an_option_adds_to_the_least_what_it_costs_while_all_else_is_at_its_largest():
    costs = toy_costs()
    assert not costs.adds_up
    assert costs.params == pytest.approx(np.array([[0, 29_232 - 26_712], [0, 29_232 - 23_472], [0, 29_232 - 26_208]]))
    assert costs.macs == pytest.approx(costs.params * 32 * 32)
    assert (costs.moved_bytes[:, 1] > 4 * costs.params[:, 1]).all(), "what is read and written goes as well"


def codes(name: str, count_: int):
    archs = [*moves.sample_many(space(name), count_, np.random.default_rng(0)), space(name).uniform(0.25)]
    return archs, moves.encode(space(name), archs)


@known
def test_macs_are_those_of_the_network_as_built(name):
    archs, code = codes(name, 4)
    with torch.device("meta"):
        built = [count(space(name).build(arch), space(name).input_of(arch))[0] for arch in archs]
    assert space(name).costs().macs_of(code) == pytest.approx(np.array(built), rel=1e-9)
    assert len(set(built)) == len(built)


@known
def test_every_layer_has_the_macs_and_weights_that_it_has_when_built(name):
    """Layers of blocks that are off are gone from the network, and have none."""
    archs, code = codes(name, 2)
    for arch, counts_MD in zip(archs, space(name).costs().counts(torch.from_numpy(code)), strict=True):
        network = space(name).build(arch)
        works = work_of(network, space(name).input_of(arch), (nn.Conv2d, nn.Linear))[1]
        there = counts_MD[counts_MD[:, 1] > 0]
        weights = [network.get_parameter(f"{work.name}.weight").numel() for work in works]
        assert there[:, 0].tolist() == pytest.approx([work.macs for work in works])
        assert there[:, 1].tolist() == pytest.approx(weights)


@known
def test_options_cost_no_less_the_larger_they_are(name):
    costs, choices = space(name).costs(), space(name).choices
    for row, choice in zip(costs.macs, choices, strict=True):
        assert row[0] == 0
        assert (np.diff(row[: len(choice.options)]) >= 0).all()
        assert (row[len(choice.options) :] == 0).all(), "where there is no option"
    assert moves.decode(space(name), costs.macs) == space(name).largest()


def test_an_attentions_products_are_not_counted():
    """Queries times keys have no weights; all else is there."""
    vit = Elastic(network="test_vit", resolution=160, classes=10)
    arch = vit.uniform(0.5)
    network = vit.build(arch)
    macs, _ = count(network, vit.input_shape)
    found = float(vit.costs().macs_of(moves.encode(vit, [arch]))[0])
    layers = work_of(network, vit.input_shape, (nn.Conv2d, nn.Linear))[1]
    assert found == pytest.approx(sum(work.macs for work in layers))
    assert 0.6 * macs < found < macs
