"""Which network is faster follows from both measurements: by the documented formulas, and by laws true of any."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from surgenas.hardware.timed.comparison import MIN_CAMPAIGNS, SCALE, compare_latencies, ranks, tie_width
from tests.hardware.timed.measured import MS, measurement, measurements

many = settings(deadline=None, max_examples=60)


def test_ranks_say_which_places_a_network_may_have():
    """1.00 and 1.01 cannot be told apart at a floor of 2 %, nor 1.01 and 1.025; 1.00 and 1.025 can."""
    rows = [replace(measurement(ms), half_width=0.0, floor=0.02) for ms in (1.025, 1.0, 1.01, 1.2)]
    assert ranks(rows) == [(2, 3), (1, 2), (1, 3), (4, 4)]
    exact, vague = ([replace(measurement(ms), half_width=half) for ms in (1.001, 1.0)] for half in (0.0, 0.01))
    assert ranks(exact) == [(2, 2), (1, 1)]
    assert ranks(vague) == [(1, 2), (1, 2)], "intervals that overlap tie too"
    disturbed = replace(measurement(1.2), context={"memory": 0.3})
    assert ranks([disturbed, measurement(1.0)]) == [(1, 2), (1, 2)], "so does what a disturbed memory may have added"
    assert ranks([]) == []


def test_networks_against_different_references_must_differ_by_more_than_these_may():
    """They were not in one campaign either, however many each had."""
    one, other = measurement(1.02, campaigns_ms=(1.02,) * 3), measurement(1.0, campaigns_ms=(1.0,) * 3)
    elsewhere = replace(other, reference="another")
    assert ranks([one, other]) == [(2, 2), (1, 1)]
    assert ranks([one, elsewhere]) == [(1, 2), (1, 2)]
    assert not compare_latencies(one, other).tie
    assert compare_latencies(one, elsewhere).tie
    half = math.hypot(0.01, 0.01, SCALE)
    assert compare_latencies(one, elsewhere).interval == pytest.approx((1.02 * math.exp(-half), 1.02 * math.exp(half)))


def test_a_ratio_is_taken_within_each_campaign():
    """Campaigns differ by a third, the networks by 10 % in each; what was pooled from before does not shift them."""
    slow = measurement(1.0, campaigns_ms=(7.0, 7.0, 7.0, 1.1, 1.21, 1.43))
    fast = measurement(1.1, campaigns_ms=(1.0, 1.1, 1.3))
    found = compare_latencies(slow, fast)
    assert found.ratio == pytest.approx(1.1)
    assert found.interval == pytest.approx((1.1, 1.1))
    assert not found.tie
    assert compare_latencies(replace(slow, floor=0.1), fast).tie
    assert compare_latencies(replace(slow, grade="D"), fast) is None


def test_the_interval_of_a_ratio_is_the_t_interval_of_its_logarithms():
    one = measurement(1.0, campaigns_ms=tuple(math.exp(x) for x in (0.1, 0.2, 0.3)))
    found = compare_latencies(one, measurement(1.0, campaigns_ms=(1.0, 1.0, 1.0)))
    half = 4.302653 * 0.1 / math.sqrt(3)
    assert found.interval == pytest.approx((math.exp(0.2 - half), math.exp(0.2 + half)), rel=1e-5)
    assert found.tie, "0.2 +- 0.248"
    few = compare_latencies(replace(one, ms=1.1, half_width=0.03, campaigns_ms=()), measurement(1.0, half_width=0.04))
    assert few.interval == pytest.approx((1.1 * math.exp(-0.05), 1.1 * math.exp(0.05)))
    assert not few.tie


@many
@given(st.lists(measurements(), max_size=6))
def test_places_agree_with_every_pair(several):
    places = ranks(several)
    for m, (best, worst) in zip(several, places, strict=True):
        assert 1 <= best <= worst <= len(several)
        if m.grade == "D":
            assert (best, worst) == (1, len(several)), "a grade D ties with all"
    for (one, (_, worst)), (other, (best, _)) in permutations(zip(several, places, strict=True), 2):
        if math.log(other.ms / one.ms) > tie_width(one, other) and "D" not in (one.grade, other.grade):
            assert worst < len(several), "somebody is behind it for sure"
            assert best > 1, "somebody is before it for sure"


@many
@given(st.lists(MS, min_size=1, max_size=8, unique=True), st.randoms())
def test_without_any_doubt_places_are_those_of_sorting(values, random):
    values = [*values]
    random.shuffle(values)
    rows = [replace(measurement(ms), half_width=0.0) for ms in values]
    assert ranks(rows) == [(1 + sorted(values).index(ms),) * 2 for ms in values]


@many
@given(st.lists(measurements(st.just("A")), min_size=2, max_size=6), st.floats(1.0, 3.0))
def test_more_doubt_never_narrows_a_place(several, factor):
    vaguer = [replace(m, half_width=factor * m.half_width, floor=factor * m.floor) for m in several]
    for (best, worst), (best_of_vaguer, worst_of_vaguer) in zip(ranks(several), ranks(vaguer), strict=True):
        assert best_of_vaguer <= best
        assert worst_of_vaguer >= worst


@many
@given(measurements(), measurements())
def test_two_measurements_are_as_unlike_one_way_as_the_other(one, other):
    assert tie_width(one, other) == tie_width(other, one)
    assert tie_width(replace(one, floor=0.0), replace(other, floor=1.0)) >= 1.0, "the floor of either"
    assert tie_width(one, other) >= max(one.floor, other.floor, one.doubt, other.doubt)


@many
@given(measurements(), measurements())
def test_comparing_the_other_way_round_turns_everything_over(one, other):
    found, back = compare_latencies(one, other), compare_latencies(other, one)
    if "D" in (one.grade, other.grade):
        assert found is None
        assert back is None
        return
    assert back.ratio == pytest.approx(1 / found.ratio)
    assert back.interval == pytest.approx((1 / found.interval[1], 1 / found.interval[0]))
    assert back.tie == found.tie
    assert found.interval[0] <= found.ratio <= found.interval[1]


@many
@given(measurements(st.sampled_from("ABC")))
def test_a_network_compared_with_itself_is_a_tie_of_one(one):
    found = compare_latencies(one, one)
    assert found.ratio == pytest.approx(1.0)
    assert found.tie


@many
@given(st.lists(MS, min_size=MIN_CAMPAIGNS, max_size=8), st.floats(0.2, 5.0), st.lists(MS, max_size=3))
def test_what_slows_whole_campaigns_down_cancels(slowness, ratio, earlier):
    """Both were in the same campaigns, of whatever speed; one has more of them from before."""
    slow = measurement(1.0, campaigns_ms=(*earlier, *(ratio * s for s in slowness)))
    found = compare_latencies(slow, measurement(1.0, campaigns_ms=tuple(slowness)))
    assert found.ratio == pytest.approx(ratio)
    assert found.interval == pytest.approx((ratio, ratio), rel=1e-6)
