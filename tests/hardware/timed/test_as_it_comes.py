"""Percentiles of runs as they came: of all campaigns together, with an interval that knows how unlike these are."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from surgenas.hardware.timed.as_it_comes import (
    CAMPAIGNS,
    FEWEST,
    UNWAITED,
    AsItComes,
    is_unwaited,
    percentile,
    spread_of,
)

RUNS = st.lists(st.floats(0.01, 100.0), min_size=FEWEST, max_size=60)


def test_every_other_round_waits_for_nothing_and_later_ones_do():
    assert [turn for turn in range(50) if is_unwaited(turn)] == [0, 2, 4, 6, 8]
    assert len([turn for turn in range(50) if is_unwaited(turn)]) == UNWAITED


def test_ten_points_stand_for_all_runs():
    assert spread_of(range(101)) == pytest.approx((5, 15, 25, 35, 45, 55, 65, 75, 85, 95))
    assert spread_of([1.0] * (FEWEST - 1)) == ()
    assert spread_of([1.0] * FEWEST) == (1.0,) * 10


def test_what_a_third_of_the_time_is_slow_is_in_the_p90_and_not_in_the_median():
    """No single campaign saw both states."""
    quiet, slow = (1.0,) * 10, (1.8,) * 10
    spreads = [quiet, slow, quiet] * 3
    assert percentile(spreads, "p50").ms == 1.0
    assert percentile(spreads, "p90").ms == 1.8


def test_campaigns_that_are_unlike_leave_doubt_and_equal_ones_leave_none():
    assert percentile([(1.0,) * 10] * CAMPAIGNS, "p50") == AsItComes(1.0, (1.0, 1.0))
    low, high = percentile([(1.0,) * 10, (1.8,) * 10, (1.0,) * 10, (1.8,) * 10, (1.0,) * 10], "p50").interval_ms
    assert (low, high) == (1.0, 1.8)


def test_too_few_campaigns_say_no_interval_and_none_nothing():
    assert percentile([(1.0,) * 10] * (CAMPAIGNS - 1), "p90") == AsItComes(1.0)
    assert percentile([], "p50") is None
    assert percentile([()], "p50") is None, "a campaign of too few runs"


@settings(deadline=None, max_examples=40)
@given(st.lists(RUNS, min_size=CAMPAIGNS, max_size=6), st.sampled_from([2.0, 0.5]))
def test_it_lies_within_the_runs_and_its_interval_around_it_whatever_the_unit(campaigns, factor):
    spreads = [spread_of(runs) for runs in campaigns]
    for which in ("p50", "p90"):
        found = percentile(spreads, which)
        low, high = found.interval_ms
        assert min(map(min, campaigns)) <= low <= found.ms <= high <= max(map(max, campaigns))
        again = percentile([tuple(factor * ms for ms in spread) for spread in spreads], which)
        assert again.ms == pytest.approx(factor * found.ms)
    assert percentile(spreads, "p50").ms <= percentile(spreads, "p90").ms


def test_a_percentile_of_one_campaign_is_near_that_of_its_runs():
    runs = np.random.default_rng(0).lognormal(size=2000)
    assert percentile([spread_of(runs)], "p50").ms == pytest.approx(np.median(runs), rel=0.1)
    assert percentile([spread_of(runs)], "p90").ms == pytest.approx(np.quantile(runs, 0.9), rel=0.1)
