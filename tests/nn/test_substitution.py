"""Other parameters for the time of a call, wherever a network holds them, and its own again afterwards."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from surgenas.nn.substitution import call_with, places_of


def shared() -> nn.Sequential:
    """One module at places 0 and 2; another, at 3, that shares its weight."""
    one, other = nn.Linear(4, 4), nn.Linear(4, 4)
    other.weight = one.weight
    return nn.Sequential(one, nn.ReLU(), one, other, nn.BatchNorm1d(4)).eval()


def test_places_are_modules_not_names():
    network = shared()
    places = {first: [place.name for place in each] for first, each in places_of(network).items()}
    assert places["0.weight"] == ["0.weight", "3.weight"]
    assert places["0.bias"] == ["0.bias"]
    assert places["4.running_mean"] == ["4.running_mean"]
    assert set(places) == {name for name, _ in [*shared().named_parameters(), *shared().named_buffers()]}


def test_a_call_uses_them_at_all_places_and_leaves_none_behind():
    network, x = shared(), torch.randn(2, 4)
    whole, weight = network(x), network[0].weight
    half = {"0.weight": weight.detach() / 2, "4.running_mean": torch.ones(4)}
    found = call_with(network, half, x)
    assert network[0].weight is network[2].weight is network[3].weight is weight
    assert torch.equal(network(x), whole)
    with torch.no_grad():
        weight.div_(2)
        network[4].running_mean.fill_(1)
    assert torch.equal(network(x), found)


def test_its_own_come_back_after_a_call_that_fails():
    network = shared()
    own = dict(network.named_parameters())
    with pytest.raises(RuntimeError, match="shapes cannot be multiplied"):
        call_with(network, {"0.weight": torch.zeros(4, 3), "0.bias": torch.zeros(4)}, torch.randn(2, 4))
    with pytest.raises(KeyError):
        call_with(network, {"0.weight": torch.zeros(4, 4), "3.weight": torch.zeros(4, 4)}, torch.randn(2, 4))
    assert all(own[name] is p for name, p in network.named_parameters())
