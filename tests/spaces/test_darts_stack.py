"""A stack of cells: where reductions stand, what channels and sizes cells have, what operators cost."""

from __future__ import annotations

import pytest
import torch

from surgenas.nn.two_inputs import NormedPool
from surgenas.spaces.darts_operators import ALL
from surgenas.spaces.darts_stack import costs_at, make_normed, make_operator, make_ready, make_stem, places, stride_of


def test_cells_of_a_stack():
    found = places(16, 8, 32)
    assert [p.reduction for p in found] == [i in (2, 5) for i in range(8)]
    assert [p.channels for p in found] == [16, 16, 32, 32, 32, 64, 64, 64]
    assert [p.size for p in found] == [32, 32, 32, 16, 16, 16, 8, 8]
    assert [p.cin for p in found[:4]] == [(48, 48), (48, 64), (64, 64), (64, 128)]
    assert [p.halved for p in found] == [i in (3, 6) for i in range(8)]


def test_inputs_are_brought_to_the_cell():
    for place in places(4, 4, 8):
        sizes = (place.size * (2 if place.halved else 1), place.size)
        for ready, cin, size in zip(make_ready(place, affine=True), place.cin, sizes, strict=True):
            assert ready(torch.zeros(2, cin, size, size)).shape == (2, place.channels, place.size, place.size)


def test_only_edges_from_the_inputs_of_a_reduction_have_a_stride():
    normal, reduction, *_ = places(4, 3, 8)
    assert [stride_of(normal, s) for s in range(4)] == [1, 1, 1, 1]
    assert [stride_of(reduction, s) for s in range(4)] == [2, 2, 1, 1]


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("name", [*ALL, "none", "noise"])
def test_every_operator_has_a_shape_and_its_supernet_form_no_scale(name, stride):
    x = torch.randn(2, 4, 8, 8)
    for operator in (make_operator(name, 4, stride, affine=True), make_normed(name, 4, stride)):
        assert operator(x).shape == (2, 4, 8 // stride, 8 // stride)
    normed = make_normed(name, 4, stride)
    assert isinstance(normed, NormedPool) == ("pool" in name)
    assert all(p.ndim == 4 for p in normed.parameters()), "convolutions alone"


@pytest.mark.parametrize("stride", [1, 2, 4])
def test_a_stem_makes_images_smaller(stride):
    assert make_stem(4, stride)(torch.zeros(2, 3, 16, 16)).shape == (2, 12, 16 // stride, 16 // stride)


def test_costs_are_those_of_the_modules_by_hand():
    """Twice: 3x3 depthwise and 1x1 of 4 channels at 8x8."""
    macs, params, _ = costs_at(("sep_conv_3x3",), 4, 8, 1)[0]
    assert macs == 2 * (9 * 4 + 16) * 64
    assert params == 2 * (9 * 4 + 16 + 8)
