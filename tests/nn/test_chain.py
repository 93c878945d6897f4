"""A chain runs its parts one after the other, and names them."""

from __future__ import annotations

import torch
from torch import nn

from surgenas.nn.chain import ChainNetwork


def network() -> ChainNetwork:
    layers = [nn.Conv2d(4, 4, 3, padding=1), nn.Identity(), nn.Conv2d(4, 6, 1)]
    return ChainNetwork(nn.Conv2d(3, 4, 3, stride=2), layers, nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten()))


def test_stem_layers_and_head_run_in_this_order():
    net, x = network(), torch.randn(2, 3, 9, 9)
    expected = net.stem(x)
    for layer in net.layers:
        expected = layer(expected)
    assert torch.equal(net(x), net.head(expected))
    assert net(x).shape == (2, 6)


def test_weights_are_named_by_where_they_stand():
    names = set(network().state_dict())
    assert names == {f"{part}.{kind}" for part in ("stem", "layers.0", "layers.2") for kind in ("weight", "bias")}


def test_a_chain_may_have_no_layers():
    net, x = ChainNetwork(nn.Flatten(), [], nn.Linear(12, 2)), torch.randn(2, 3, 2, 2)
    assert torch.equal(net(x), net.head(x.flatten(1)))
