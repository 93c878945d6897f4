"""The space of Single-Path NAS: its size, its published network, its laws, and the sums of its published table."""

from __future__ import annotations

import json

import pytest
import timm

from surgenas.core import moves
from surgenas.core.errors import UsageError
from surgenas.nn.cost import count
from surgenas.spaces.layouts import LAYOUTS
from surgenas.spaces.single_path import SinglePath, SinglePathSE
from surgenas.testing import check_space

SMALL = {"layout": "small", "resolution": 16, "classes": 10}


@pytest.mark.parametrize("space", [SinglePath(**SMALL), SinglePathSE(**SMALL)], ids=lambda space: space.name)
def test_laws(space):
    check_space(space)


def test_twenty_layers_of_which_fifteen_may_be_skipped():
    assert moves.size(SinglePath()) == 4**5 * 5**15


def test_the_published_network_is_timms():
    space = SinglePath()
    theirs = timm.create_model("spnasnet_100", pretrained=False)
    found = count(space.build(space.parse("spnasnet")), space.input_shape)
    assert found == count(theirs, (3, 224, 224))
    assert found[1] == 4_421_616


@pytest.mark.parametrize("layout", LAYOUTS)
def test_any_layout_can_have_superkernels(layout):
    space = SinglePath(layout=layout, resolution=32, classes=3)
    arch = moves.uniform_architecture(space, "k3e6")
    network = space.supernet().cut(moves.indices(space, arch), space.build(arch))
    assert count(network, space.input_shape) == count(space.build(arch), space.input_shape)


def test_squeeze_and_excitation_counts_as_such():
    space = SinglePathSE(**SMALL)
    params = [
        count(space.build(moves.uniform_architecture(space, f"k5e6{se}")), space.input_shape)[1]
        for se in ("", "se25", "se50")
    ]
    assert params[0] < params[1] < params[2]
    with pytest.raises(UsageError, match="k5e6se75"):
        space.parse("-".join(["k5e6se75"] * 11))


def test_json_keeps_an_architecture():
    arch = SinglePath().parse("spnasnet")
    assert json.loads(arch.to_json())["space"]["name"] == "single_path"
