"""The space of Single-Path NAS: its size, its published network, its laws, and the sums of its published table."""

from __future__ import annotations

import math

import numpy as np
import pytest
import timm
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from surgenas.core import moves
from surgenas.core.errors import UsageError
from surgenas.nn.cost import count
from surgenas.spaces.layouts import LAYOUTS
from surgenas.spaces.single_path import SinglePath, SinglePathSE
from surgenas.testing import check_space

SMALL = {"layout": "small", "resolution": 16, "classes": 10}


@pytest.mark.parametrize("space", [SinglePath(**SMALL), SinglePathSE(**SMALL)], ids=lambda space: space.name)
def test_laws(space):
    check_space(space, trials=1)


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


def test_a_layer_may_be_skipped_where_it_keeps_its_shape():
    space = SinglePath()
    for slot, choice in zip(space.slots, space.choices, strict=True):
        assert choice.options == ("k3e3", "k3e6", "k5e3", "k5e6", *(["skip"] if slot.is_identity else []))


@given(st.integers(0, 2**32))
@settings(max_examples=20, deadline=None)
def test_an_architecture_is_parsed_as_it_is_printed(seed):
    space = SinglePathSE(**SMALL)
    arch = moves.sample(space, np.random.default_rng(seed))
    assert space.parse(str(arch)) == arch


def test_one_operator_stands_for_all_layers_and_a_skip_cannot():
    space = SinglePath(**SMALL)
    assert space.parse("k5e3") == moves.uniform_architecture(space, "k5e3")
    with pytest.raises(UsageError, match="has 11 choices, the architecture 1"):
        space.parse("skip")
    with pytest.raises(UsageError, match=r"stage1\.layer1: unknown option 'skip'; one of k3e3"):
        space.parse("-".join(["skip"] * 11))


@pytest.mark.parametrize(("space", "decisions"), [(SinglePath(**SMALL), 3), (SinglePathSE(**SMALL), 5)])
def test_every_operator_has_decisions_of_its_own(space, decisions):
    """Nothing else matters where a layer is skipped."""
    rows = [tuple(row) for row in space.hard.nan_to_num(-1).tolist()]
    assert space.hard.shape == (len(space.operators) + 1, decisions)
    assert len(set(rows)) == len(rows)
    assert sum(math.isnan(d) for d in space.hard[-1].tolist()) == decisions - 1
    assert set(space.hard[~space.hard.isnan()].tolist()) == {0.0, 1.0}


def test_its_networks_have_the_activations_of_the_paper():
    with torch.device("meta"):
        network = SinglePath().build(SinglePath().parse("spnasnet"))
    kinds = {type(module) for module in network.modules() if isinstance(module, nn.ReLU | nn.ReLU6)}
    assert kinds == {nn.ReLU}
