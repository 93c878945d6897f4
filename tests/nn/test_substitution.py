"""Other parameters for the time of a call, wherever a network holds them, and its own again afterwards."""

from __future__ import annotations

import torch
from torch import nn

from surgenas.nn.substitution import call_with, everywhere, places_of


def shared() -> nn.Sequential:
    """One module at places 0 and 2; another, at 3, that shares its weight."""
    one, other = nn.Linear(4, 4), nn.Linear(4, 4)
    other.weight = one.weight
    return nn.Sequential(one, nn.ReLU(), one, other, nn.BatchNorm1d(4)).eval()


def test_places_are_modules_not_names():
    places = places_of(shared())
    assert places["0.weight"] == ["0.weight", "3.weight"]
    assert places["0.bias"] == ["0.bias"]
    assert places["4.running_mean"] == ["4.running_mean"]
    assert set(places) == {name for name, _ in [*shared().named_parameters(), *shared().named_buffers()]}


def test_a_call_uses_them_at_all_places_and_leaves_none_behind():
    network, x = shared(), torch.randn(2, 4)
    whole, weight = network(x), network[0].weight
    half = {"0.weight": weight.detach() / 2, "4.running_mean": torch.ones(4)}
    assert set(everywhere(network, half)) == {"0.weight", "3.weight", "4.running_mean"}
    found = call_with(network, half, x)
    assert network[0].weight is network[2].weight is network[3].weight is weight
    assert torch.equal(network(x), whole)
    with torch.no_grad():
        weight.div_(2)
        network[4].running_mean.fill_(1)
    assert torch.equal(network(x), found)
