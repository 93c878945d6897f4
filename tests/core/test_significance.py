"""Differences of means, and what is said of them."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from surgenas.core.significance import Difference, difference, relative_improvement

groups = st.lists(st.integers(-(10**5), 10**5).map(lambda n: n / 1000), min_size=2, max_size=8)
few = settings(max_examples=40, deadline=None)


def test_it_is_welchs_interval():
    rng = np.random.default_rng(0)
    a, b = rng.normal(1.0, 2.0, 7), rng.normal(0.5, 0.5, 12)
    found = difference(a, b)
    known = stats.ttest_ind(a, b, equal_var=False).confidence_interval(0.95)
    assert (found.low, found.high) == pytest.approx((known.low, known.high))
    assert found.value == pytest.approx(a.mean() - b.mean())


@pytest.mark.parametrize(
    ("ours", "theirs", "said"),
    [
        ([3.0, 3.1, 3.2], [1.0, 1.1, 1.2], "better"),
        ([1.0, 1.1, 1.2], [3.0, 3.1, 3.2], "worse"),
        ([1.0, 1.1, 1.2], [1.05, 1.15, 1.1], "within noise"),
        ([3.0], [1.0, 1.1], "unknown: one value"),
        ([2.0, 2.0], [2.0, 2.0], "within noise"),
    ],
)
def test_it_is_said_in_words(ours, theirs, said):
    found = difference(ours, theirs)
    assert found.verdict == said
    assert found.tell().to_json()["said"] == said
    assert found.tell().to_json()["low"] is None or not math.isnan(found.low)


def test_equal_results_are_not_known_better_than_one_image_allows():
    assert difference([0.5, 0.5], [0.49, 0.49], step=0.01).verdict == "within noise"
    assert difference([0.5, 0.5], [0.49, 0.49]).verdict == "better"


def test_relative_improvement_is_in_percent_of_random():
    found = relative_improvement([97.0, 97.2, 97.1], [96.0, 96.2, 96.1])
    assert found.value == pytest.approx(100 * (97.1 - 96.1) / 96.1)
    plain = difference([97.0, 97.2, 97.1], [96.0, 96.2, 96.1])
    assert found.low == pytest.approx(plain.low * 100 / 96.1)


@given(groups, groups)
@few
def test_the_interval_holds_the_difference_and_turns_with_it(ours, theirs):
    """What ours is ahead by, theirs is behind by."""
    one, other = difference(ours, theirs), difference(theirs, ours)
    assert one.low <= one.value <= one.high
    assert (one.value, one.low, one.high) == pytest.approx((-other.value, -other.high, -other.low))


@given(groups, groups, st.floats(0.01, 100), st.floats(-50, 50))
@few
def test_units_and_a_common_offset_change_nothing_else(ours, theirs, factor, offset):
    plain = difference(ours, theirs).scale_by(factor)
    moved = difference([factor * x + offset for x in ours], [factor * x + offset for x in theirs])
    assert (moved.value, moved.low, moved.high) == pytest.approx((plain.value, plain.low, plain.high), abs=1e-5)


@given(st.integers(2, 8), st.integers(2, 8), st.floats(1e-3, 1))
@few
def test_where_all_results_are_equal_doubt_is_in_proportion_to_the_step(ours, theirs, step):
    one, twice = (difference([0.9] * ours, [0.8] * theirs, factor * step) for factor in (1, 2))
    assert one.value == twice.value == pytest.approx(0.1)
    assert twice.high - twice.low == pytest.approx(2 * (one.high - one.low))
    assert one.high - one.low > 0


def test_nineteen_of_twenty_intervals_hold_the_truth():
    rng = np.random.default_rng(0)
    held = [
        found.low <= 0.5 <= found.high
        for found in (difference(rng.normal(1.5, 1, 4), rng.normal(1.0, 3, 6)) for _ in range(400))
    ]
    assert 0.92 <= np.mean(held) <= 0.98


def test_what_is_unknown_goes_to_json_as_nothing():
    assert difference([3.0], [1.0, 2.0]).tell().to_json() == {
        "value": 1.5, "low": None, "high": None, "said": "unknown: one value",
    }  # fmt: skip
    assert Difference(1.0, 0.5, 1.5).tell().to_json() == {"value": 1.0, "low": 0.5, "high": 1.5, "said": "better"}
