"""Costs of either kind: read back as what they were, and compared only where that says something."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from surgenas.core.cost import Estimate
from surgenas.hardware.costs import compare, places, read_cost
from surgenas.hardware.timed.comparison import compare_latencies, ranks
from surgenas.hardware.timed.measurement import Measurement

few = settings(deadline=None, max_examples=40)
MS = st.floats(1e-3, 1e3)


def estimate(ms):
    return Estimate("k", "paper", {"ms": ms, "bytes": 7.0}, "a tool", "1", ("It never ran.",), (("stem", ms),))


def measurement(ms, half_width=0.01, grade="A"):
    return Measurement("k", "here", ms, ms, half_width, grade, 10, ms, None, "r", 1.0, 0.0)


@few
@given(MS, st.sampled_from([estimate, measurement]))
def test_a_cost_is_read_back_as_the_kind_it_was(ms, kind):
    again = read_cost(json.loads(json.dumps(kind(ms).to_dict())))
    assert again == kind(ms)
    assert again.evidence == kind(ms).evidence


@few
@given(MS, MS)
def test_measurements_are_compared_with_the_interval_of_their_ratio(one, other):
    assert compare(measurement(one), measurement(other)) == compare_latencies(measurement(one), measurement(other))
    assert compare(measurement(one), measurement(other, grade="D")) is None


@few
@given(MS, MS)
def test_estimates_are_compared_as_they_are(one, other):
    found = compare(estimate(one), estimate(other))
    assert found.ratio == pytest.approx(one / other)
    assert found.interval == (found.ratio, found.ratio)
    assert found.tie == (one == other)


def test_what_ran_is_not_compared_with_what_never_did():
    assert compare(measurement(1.0), estimate(2.0)) is None
    assert compare(estimate(1.0), measurement(2.0)) is None


def test_places_of_measurements_are_as_uncertain_as_they_are():
    rows = [measurement(1.001), measurement(1.0), measurement(2.0)]
    assert places(rows) == ranks(rows) == [(1, 2), (1, 2), (3, 3)]


@few
@given(st.lists(MS, unique=True, max_size=6))
def test_places_of_estimates_are_those_of_sorting(values):
    assert places([estimate(ms) for ms in values]) == [(1 + sorted(values).index(ms),) * 2 for ms in values]


def test_equal_estimates_share_their_places():
    assert places([estimate(2.0), estimate(1.0), estimate(2.0)]) == [(2, 3), (1, 1), (2, 3)]
