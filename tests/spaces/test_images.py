"""Spaces that differ by image size and classes alone take sensible ones and say which those are."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from surgenas.core import moves
from surgenas.core.errors import UsageError
from surgenas.spaces import make_space
from surgenas.spaces.fbnet import FBNet
from surgenas.spaces.images import ImageSpace
from surgenas.spaces.macro import Macro
from surgenas.spaces.nasbench201 import NASBench201

KINDS: list[type[ImageSpace]] = [Macro, FBNet, NASBench201]
kinds = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)


@kinds
@given(classes=st.integers(2, 1_000_000), resolution=st.integers(8, 2048))
@settings(max_examples=20, deadline=None)
def test_its_settings_are_what_it_was_made_with(kind, classes, resolution):
    resolution -= resolution % 4 if kind is NASBench201 else 0
    space = kind(classes=classes, resolution=resolution)
    assert space.settings == {"classes": classes, "resolution": resolution}
    assert space.input_shape == (3, resolution, resolution)
    assert make_space(kind.name, space.settings).spec == space.spec


@kinds
@pytest.mark.parametrize("wrong", [{"classes": 1}, {"classes": -3}, {"classes": 1_000_001}, {"classes": 2.5},
                                   {"classes": "many"}, {"classes": float("inf")}, {"resolution": 32.5},
                                   {"resolution": 7}, {"resolution": 2049}, {"resolution": float("nan")}])  # fmt: skip
def test_what_is_out_of_bounds_is_refused_with_the_bounds(kind, wrong):
    ((what, _),) = wrong.items()
    bounds = "2 to 1000000" if what == "classes" else "8 to 2048"
    with pytest.raises(UsageError, match=f"{kind.name}: {what} .*: expected a whole number from {bounds}"):
        kind(**wrong)


@pytest.mark.parametrize("resolution", [9, 30, 31])
def test_cells_that_halve_twice_take_multiples_of_four_only(resolution):
    with pytest.raises(UsageError, match=f"nasbench201: resolution {resolution}: expected a multiple of 4"):
        NASBench201(resolution=resolution)


@kinds
@pytest.mark.parametrize("resolution", [8, 20])
def test_networks_take_images_of_that_size_and_tell_that_many_classes(kind, resolution):
    space = kind(classes=7, resolution=resolution)
    with torch.device("meta"):
        network = space.build(moves.from_indices(space, [1] * len(space.choices)))
        assert network(torch.empty(2, *space.input_shape)).shape == (2, 7)
