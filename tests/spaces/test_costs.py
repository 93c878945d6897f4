"""The cost table of a chain of plain convolutions, against formulas."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import nn

from surgenas.core.pairs import Pairs
from surgenas.core.space import CostTable
from surgenas.spaces.costs import chain_costs, coupled_costs


def conv(cin: int, cout: int, kernel: int, stride: int = 1) -> nn.Module:
    return nn.Conv2d(cin, cout, kernel, stride, kernel // 2, bias=False)


@pytest.fixture(scope="module")
def table() -> CostTable:
    """A stem of stride 2, two layers of two operators, a head that pools; images of 3 x 8 x 6."""
    with torch.device("meta"):
        return chain_costs(
            [conv(3, 4, 3, 2)],
            [[conv(4, 8, 1, 2), conv(4, 8, 3, 2)], [conv(8, 8, 5), nn.Identity()]],
            [conv(8, 6, 1), nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(6, 2))],
            (3, 8, 6),
        )


def test_every_operator_is_counted_where_it_stands(table):
    """After the stem maps are 4 x 3, after the first layer 2 x 2."""
    assert table.params.tolist() == [[4 * 8, 4 * 8 * 9], [8 * 8 * 25, 0]]
    assert np.array_equal(table.macs, table.params * 4)
    moved = [[4 * 12 + 8 * 4 + 4 * 8, 4 * 12 + 8 * 4 + 4 * 8 * 9], [8 * 4 * 2 + 8 * 8 * 25, 0]]
    assert np.array_equal(table.moved_bytes, 4 * np.array(moved))


def test_what_no_choice_touches_is_fixed(table):
    assert table.fixed_params == 3 * 4 * 9 + 8 * 6 + 6 * 2 + 2
    assert table.fixed_macs == 3 * 4 * 9 * 12 + 8 * 6 * 4 + 6 * 2
    assert table.fixed_before == 1


def test_geometry_is_logarithms_of_channels_and_size_and_the_stride(table):
    first, second = table.geometry
    assert np.allclose(first, [math.log(4), math.log(8), math.log(12), 2])
    assert np.allclose(second, [math.log(8), math.log(8), math.log(4), 1])
    stem, conv_after, head = table.fixed_geometry
    assert np.allclose(stem, [math.log(3), math.log(4), math.log(48), 2])
    assert np.allclose(conv_after, [math.log(8), math.log(6), math.log(4), 1])
    assert np.allclose(head, [math.log(6), math.log(2), math.log(4), 1]), "what ends in a row of numbers has no stride"


def test_a_chain_needs_no_wiring_and_has_nothing_that_passes_nothing(table):
    assert table.edges == ((0, 1), (1, 2))
    assert table.nothing == ()


def test_operators_of_one_layer_must_be_as_many_as_of_another():
    with torch.device("meta"), pytest.raises(ValueError, match="inhomogeneous"):
        chain_costs([], [[conv(3, 3, 1)], [conv(3, 3, 1), conv(3, 3, 3)]], [], (3, 4, 4))


def test_an_option_of_a_pair_adds_what_it_costs_beside_the_largest_neighbours():
    """Three rows of 1 to 3 channels; the last has two options. A row costs its width times that of the row before."""
    own, behind = np.zeros((3, 3, 3)), np.zeros((3, 3, 3, 3))
    own[0] = np.arange(1, 4)[:, None]
    behind[1:] = np.outer([1, 2, 3], [1, 2, 3])[None, :, :, None]
    found = coupled_costs(Pairs(own, np.tile(np.arange(3), (3, 1)), behind), [3, 3, 2], fixed_macs=7, fixed_params=5)
    assert found.macs.tolist() == [[0, 1 + 3, 2 + 6], [0, 3 + 2, 6 + 4], [0, 3, 0]]
    assert (found.fixed_macs, found.fixed_params) == (7, 5)
    assert found.macs_of(np.eye(3)[[[2, 2, 1]]]) == pytest.approx([7 + 3 + 9 + 6])
