"""The four ways to share weights, each by how many weights its supernet holds at every place."""

from __future__ import annotations

from typing import get_args

import pytest
import torch
from torch import nn

from surgenas.core import moves
from surgenas.core.capabilities import SharesWeights
from surgenas.nn.cells import CellSupernet
from surgenas.nn.elastic.supernet import ElasticSupernet
from surgenas.nn.sharing import Sharing
from surgenas.nn.superkernel import SuperkernelSupernet
from surgenas.nn.supernet import ChoiceSupernet
from surgenas.nn.two_inputs import TwoInputSupernet
from surgenas.spaces import CATALOG, make_space
from surgenas.spaces.elastic import Elastic
from surgenas.spaces.nasbench201 import NASBench201
from surgenas.spaces.single_path import SinglePath
from surgenas.testing import Planted

KINDS = {"choice": ChoiceSupernet, "cells": CellSupernet, "superkernel": SuperkernelSupernet,
         "elastic": ElasticSupernet}  # fmt: skip
TWO_INPUTS = {"darts": TwoInputSupernet}
"""Spaces whose supernet shares in one of these ways, but is another class."""
SPACES = {
    "choice": Planted(),
    "cells": NASBench201(resolution=8, classes=3),
    "superkernel": SinglePath(layout="small", resolution=16, classes=3),
    "elastic": Elastic(network="test_resnet", resolution=32, classes=3),
}
SETTINGS = {
    "elastic": {"network": "test_resnet", "resolution": 32}, "mobile_multi": {"layout": "small", "resolution": 16},
}  # fmt: skip
"""Of spaces that look a network over, which takes a while with large ones."""


def weights(module: nn.Module) -> int:
    """Of convolutions and linear layers alone: normalizations have none in a supernet."""
    return sum(p.numel() for p in module.parameters() if p.dim() > 1)


def places(network: nn.Module) -> list[nn.Module]:
    """What is chosen: the layers of a chain, the edges of all cells."""
    if hasattr(network, "layers"):
        return [getattr(layer, "ops", layer) for layer in network.layers]
    return [edge for part in network.parts for edge in getattr(part, "edges", ())]


def of_each_operator(space) -> list[list[int]]:
    """The weights at every place of a network that takes the same operator everywhere, by operator."""
    networks = [space.build(moves.uniform_architecture(space, option)) for option in space.choices[0].options]
    return [[weights(place) for place in places(network)] for network in networks]


def test_each_way_is_that_of_one_kind_of_supernet():
    assert set(KINDS) == set(get_args(Sharing))
    for way, space in SPACES.items():
        assert KINDS[way].shares == way
        assert type(space.supernet()) is KINDS[way]


@pytest.mark.parametrize(("way", "count"), [("choice", 6), ("cells", 15 * 6)])
def test_every_operator_has_a_copy_of_its_own_at_every_place(way, count):
    found = [weights(place) for place in places(SPACES[way].supernet())]
    assert len(found) == count
    assert found == [sum(column) for column in zip(*of_each_operator(SPACES[way]), strict=True)]


def test_a_superkernel_holds_its_largest_operator_and_nothing_beside():
    space = SPACES["superkernel"]
    found = [weights(place) for place in places(space.supernet())]
    assert len(found) == len(space.choices) == 11
    assert found == [max(column) for column in zip(*of_each_operator(space), strict=True)]


def test_an_elastic_network_holds_its_largest_and_nothing_beside():
    space = SPACES["elastic"]
    largest = space.build(space.largest())
    assert weights(space.supernet()) == weights(largest) > weights(space.build(space.uniform(0.5)))


@pytest.mark.parametrize("name", [name for name in CATALOG if name not in ("concat", "compound")])
def test_every_catalogued_space_that_shares_does_it_in_one_of_these_ways(name):
    space = make_space(name, SETTINGS.get(name, {}))
    assert isinstance(space, SharesWeights)
    with torch.device("meta"):
        supernet = space.supernet()
    assert type(supernet) is TWO_INPUTS.get(name, KINDS[supernet.shares])
