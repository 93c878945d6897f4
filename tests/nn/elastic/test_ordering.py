"""Sorted channels compute the same, and the first of each group are the ones that matter most."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from surgenas.nn.elastic.ordering import norm_of_writers, sort_channels
from surgenas.nn.elastic.tracing import trace


@torch.no_grad()
def test_sorting_leaves_the_function(tiny):
    network, x = tiny.network.double(), tiny.images.double()
    before = network(x)
    sort_channels(network, tiny.structure)
    assert torch.allclose(network(x), before, rtol=1e-10, atol=1e-12)
    for group in tiny.structure.groups:
        norms = norm_of_writers(network, group)
        assert (np.diff(norms) <= 1e-9).all()


def test_what_matters_is_the_norm_of_all_that_makes_a_unit():
    network = nn.Sequential(
        nn.Conv2d(1, 2, 1, bias=False), nn.Conv2d(2, 2, 1, groups=2, bias=False), nn.Conv2d(2, 1, 1)
    )
    structure = trace(network, torch.randn(1, 1, 2, 2), 1)
    with torch.no_grad():
        network[0].weight.copy_(torch.tensor([3.0, 1.0]).reshape(2, 1, 1, 1))
        network[1].weight.copy_(torch.tensor([4.0, 9.0]).reshape(2, 1, 1, 1))
    (group,) = structure.groups
    assert norm_of_writers(network, group).tolist() == [5.0, 82**0.5]
    sort_channels(network, structure)
    assert network[0].weight.flatten().tolist() == [1.0, 3.0]
    assert network[1].weight.flatten().tolist() == [9.0, 4.0]


def test_another_score_may_be_given(make):
    network = make("chain")
    structure = trace(network, torch.randn(1, 3, 8, 8), 2)
    before = network[0][0].weight.clone()
    sort_channels(network, structure, lambda _network, group: np.arange(group.size, dtype=float))
    assert torch.equal(network[0][0].weight, before.flip(0))


def test_copies_of_what_was_sorted_are_forgotten(make):
    network = make("chain")
    structure = trace(network, torch.randn(1, 3, 8, 8), 2)
    network.attention_bias_cache = {"cpu": network[0][0].weight}
    sort_channels(network, structure)
    assert network.attention_bias_cache == {}
