"""Topology numbers: values worked out by hand from the formulas, and the directions in which they must grow."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from surgenas.core.topology import (
    basic_block_mass,
    block_degree,
    bottleneck_mass,
    cell_degree,
    cell_mass,
    density,
    link_channels,
)

widths, depths, links = st.floats(1, 200), st.floats(1, 20), st.floats(0, 500)


@pytest.mark.parametrize(
    ("width", "depth", "most", "actual", "possible", "mass"),
    [(8, 8, 10, 58, 168, 22.0952), (4, 5, 6, 16, 24, 13.3333), (8, 8, 0, 0, 168, 0), (8, 8, 1000, 168, 168, 64)],
)
def test_mass_of_a_cell_by_hand(width, depth, most, actual, possible, mass):
    assert link_channels(width, depth, most) == actual
    assert link_channels(width, depth, np.inf) == possible
    assert density(width, depth, most) == pytest.approx(actual / possible)
    assert cell_mass(width, depth, most) == pytest.approx(mass, abs=1e-4)


@pytest.mark.parametrize(("depth", "most", "mass"), [(13, (40, 80, 125), 526.106), (8, (10, 20, 40), 160)])
def test_mass_of_three_cells_is_that_of_their_sum(depth, most, mass):
    assert cell_mass([32, 64, 128], depth, most).sum() == pytest.approx(mass, abs=1e-3)


@pytest.mark.parametrize(("width", "depth", "most", "degree"), [(8, 8, 10, 8.90625), (4, 5, 6, 4.8), (8, 8, 0, 8)])
def test_degree_of_a_cell_by_hand(width, depth, most, degree):
    assert cell_degree(width, depth, most) == pytest.approx(degree)


def test_degree_of_three_cells_is_that_of_their_sum():
    assert cell_degree([32, 64, 128], 8, [10, 20, 40]).sum() == pytest.approx(224.703, abs=1e-3)


def test_masses_of_blocks_by_hand():
    assert basic_block_mass(64, 128) == 192
    assert bottleneck_mass(256, 64) == pytest.approx(170.667, abs=1e-3)
    assert bottleneck_mass(24, 144) == pytest.approx(39), "an inverted residual is the same form"


def test_degree_of_a_block_is_its_mean_width_and_what_is_added_for_each_channel():
    assert block_degree(24, 144, 24, 1) == pytest.approx(104 + 24 / 312)
    assert block_degree(24, 144, 32, 0) == pytest.approx(320 / 3)


@pytest.mark.parametrize("depth", [0, 1, 2])
def test_a_cell_too_shallow_for_links_has_none(depth):
    assert link_channels(8, depth, 100) == 0
    assert cell_mass(8, depth, 100) == 0


def test_arrays_broadcast():
    found = cell_mass(np.array([[4.0], [8.0]]), np.array([5, 8, 2]), 6)
    assert found.shape == (2, 3)
    assert found[0, 0] == pytest.approx(13.3333, abs=1e-4)
    assert found[0, 0] == cell_mass(4, 5, 6)
    assert link_channels(np.zeros((0, 3)), 1, 1).shape == (0, 3)


@given(widths, depths, links, st.floats(0, 100))
def test_more_links_never_make_less_of_either(width, depth, most, more):
    for index in (cell_mass, cell_degree):
        assert index(width, depth, most + more) >= index(width, depth, most)


@given(widths, depths, links, st.floats(0, 100))
def test_a_wider_cell_with_the_same_share_of_links_has_more_of_either(width, depth, most, more):
    wider = width + more
    for index in (cell_mass, cell_degree):
        assert index(wider, depth, most * wider / width) >= index(width, depth, most) - 1e-9
    assert cell_mass(wider, depth, most) >= cell_mass(width, depth, most) - 1e-9, "with as many links too"


@given(widths, st.integers(1, 20), links)
def test_between_two_depths_the_links_lie_between(width, depth, most):
    less, half, more = (link_channels(width, depth + part, most) for part in (0, 0.5, 1))
    assert half == pytest.approx((less + more) / 2)


def test_splitting_a_cell_changes_the_sum():
    """So the numbers are of a partition, which has to stay the same."""
    assert cell_mass(8, 8, 10) != pytest.approx(2 * cell_mass(8, 4, 10))
    assert cell_degree(8, 8, 10) != pytest.approx(2 * cell_degree(8, 4, 10))
