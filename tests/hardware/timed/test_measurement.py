"""What a measurement says follows from raw run times: by the documented formulas, and by laws true of any times."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from surgenas.hardware.timed.measurement import (
    CROWD,
    ENOUGH,
    MIN_QUIET,
    MIN_ROUNDS,
    QUIET,
    Block,
    Measurement,
    Round,
    estimate,
    grade,
    pool,
)
from tests.hardware.timed.measured import MS, SHARES, measurement, measurements

many = settings(deadline=None, max_examples=60)


def block(ms, clean=True):
    return Block((ms, ms * 1.1), (clean, clean))


def quiet_round(ratio, reference_ms=1.0):
    return Round(block(reference_ms), block(ratio * reference_ms), block(reference_ms))


def test_estimate_is_the_documented_formula():
    ratios = [1.00, 1.01, 0.99, 1.02, 1.05]
    rounds = [Round(block(1.0), block(r), block(1.0)) for r in ratios]
    ratio, half = estimate(rounds, 1.0)
    assert ratio == 1.01
    assert half == pytest.approx(1.6 * 1.2533 * 1.4826 * 0.01 * 2.7764 / math.sqrt(5) / 1.01, rel=1e-3)
    assert estimate(rounds[:2], 1.0)[1] == math.inf


def test_without_clean_runs_the_fastest_of_all_is_used():
    assert block(2.0, clean=False).best_ms == 2.0
    assert Block((1.0, 2.0), (False, True)).best_ms == 2.0


@pytest.mark.parametrize(
    ("half", "preempted", "quiet", "letter"),
    [(0.01, 0, 9, "A"), (0.03, 0, 9, "B"), (0.08, 0, 9, "C"), (0.5, 0, 9, "D"), (0.01, 0.4, 9, "B"),
     (0.01, 0.7, 9, "D"), (0.01, 0, 2, "C"), (math.inf, 0, 9, "D")],
)  # fmt: skip
def test_grades(half, preempted, quiet, letter):
    assert grade(half, preempted, quiet) == letter


def test_a_crowd_is_refused_however_well_its_numbers_agree():
    crowded = [replace(measurement(1.0), context={"crowded": share}) for share in (0.5, 0.3, 0.0)]
    assert grade(0.001, 0, 9, crowded=0.1) == "A"
    assert grade(0.001, 0, 9, crowded=0.3) == "D"
    assert pool(crowded).grade == "D"
    assert pool(crowded[1:] + crowded[2:]).grade == "A"


def test_pooling_takes_the_median_and_owns_up_to_the_spread():
    agreeing = pool([measurement(1.0), measurement(1.002), measurement(0.999)])
    assert (agreeing.ms, agreeing.grade, agreeing.rounds) == (1.0, "A", 30)
    torn = pool([measurement(1.0), measurement(1.1), measurement(0.9)])
    assert torn.half_width == pytest.approx(0.2)
    assert torn.grade == "D"


def test_five_campaigns_say_themselves_how_sure_they_are():
    """t(.975, 4) = 2.776; campaigns of pooled campaigns count one by one."""
    shares = (-0.02, -0.01, 0.0, 0.01, 0.02)
    campaigns = [measurement(math.exp(s)) for s in shares]
    found = pool([pool(campaigns[:3]), pool(campaigns[3:])])
    assert found.campaigns_ms == pytest.approx(np.exp(shares))
    assert found.ms == pytest.approx(1.0)
    assert found.half_width == pytest.approx(2.776 * np.std(shares, ddof=1) / math.sqrt(5), rel=1e-3)
    assert Measurement.from_dict(json.loads(json.dumps(found.to_dict()))) == found


def test_a_wide_noise_floor_caps_the_grade():
    assert pool([replace(measurement(1.0), floor=0.03)] * 2).grade == "B"
    assert pool([replace(measurement(1.0), floor=0.2)] * 3).grade == "D"


# --- laws


@many
@given(st.lists(st.tuples(MS, st.booleans()), min_size=1, max_size=8))
def test_a_block_is_known_by_its_fastest_clean_run(runs):
    found = Block(tuple(ms for ms, _ in runs), tuple(ok for _, ok in runs)).best_ms
    clean = [ms for ms, ok in runs if ok]
    assert found in (clean or [ms for ms, _ in runs])
    assert all(found <= ms for ms in clean)


@many
@given(MS, MS, MS)
def test_a_round_is_quiet_if_both_its_references_are_near_what_is_known(before, after, known):
    seen = Round(block(before), block(1.0), block(after))
    near = [math.isclose(abs(math.log(ms / known)), math.log(QUIET), rel_tol=1e-9) for ms in (before, after)]
    assume(not any(near))
    assert seen.is_quiet(known) == (max(abs(math.log(before / known)), abs(math.log(after / known))) < math.log(QUIET))
    assert seen.is_quiet(math.inf), "while nothing is known, all count"


@many
@given(st.lists(MS, min_size=1, max_size=20), st.randoms())
def test_an_estimate_is_the_median_ratio_whatever_the_order(ratios, random):
    rounds = [quiet_round(r) for r in ratios]
    found = estimate(rounds, 1.0)
    assert found[0] == pytest.approx(np.median(ratios))
    random.shuffle(rounds)
    assert estimate(rounds, 1.0) == found


@many
@given(st.lists(MS, min_size=MIN_ROUNDS, max_size=12), st.floats(0.1, 10.0))
def test_a_network_that_takes_twice_as_long_has_twice_the_ratio_and_the_same_relative_interval(ratios, factor):
    ratio, half = estimate([quiet_round(r) for r in ratios], 1.0)
    longer, half_of_longer = estimate([quiet_round(factor * r) for r in ratios], 1.0)
    assert longer == pytest.approx(factor * ratio)
    assert half_of_longer == pytest.approx(half, abs=1e-9)
    elsewhere = estimate([quiet_round(r, reference_ms=factor) for r in ratios], factor)
    assert elsewhere == pytest.approx((ratio, half), abs=1e-9), "a slower machine is slower with both"


@many
@given(st.lists(MS, min_size=MIN_QUIET, max_size=9), st.lists(MS, max_size=9))
def test_disturbed_rounds_do_not_count_once_there_are_enough_quiet_ones(quiet, disturbed):
    rounds = [quiet_round(r) for r in quiet]
    noise = [quiet_round(r, reference_ms=2.0) for r in disturbed]
    assert estimate(noise + rounds, 1.0) == estimate(rounds, 1.0)


def test_with_too_few_quiet_rounds_all_count():
    rounds = [quiet_round(1.0)] * (MIN_QUIET - 1) + [quiet_round(3.0, reference_ms=2.0)] * MIN_QUIET
    assert estimate(rounds, 1.0)[0] == 3.0
    assert estimate([*rounds, quiet_round(1.0)], 1.0)[0] == 1.0


@many
@given(st.floats(0.5, 2.0), st.integers(MIN_ROUNDS, 12))
def test_rounds_that_agree_leave_no_doubt_and_too_few_of_them_leave_all(ratio, count):
    assert estimate([quiet_round(ratio)] * count, 1.0) == (pytest.approx(ratio), 0.0)
    assert estimate([quiet_round(ratio)] * (MIN_ROUNDS - 1), 1.0)[1] == math.inf


@many
@given(st.data(), st.integers(0, 3))
def test_a_grade_is_never_better_where_one_thing_is_worse(data, which):
    """Of interval, preempted share, quiet rounds (fewer are worse) and crowd."""
    values = [st.floats(0.0, 0.2) | st.just(math.inf), SHARES, st.integers(0, 10), SHARES]
    better = [data.draw(value) for value in values]
    worse = list(better)
    one, other = better[which], data.draw(values[which])
    better[which], worse[which] = sorted((one, other), reverse=which == 2)
    assert grade(*better) <= grade(*worse)


@pytest.mark.parametrize(
    ("at", "letter"),
    [((0.02, 0), "A"), ((0.05, 0), "B"), ((0.10, 0), "C"), ((0.01, 0.3), "A"), ((0.01, 0.6), "B"), ((0.08, 0.4), "C"),
     ((0.01, 0.4, 2), "C"),     ((0.01, 0, MIN_QUIET), "A"), ((0.01, 0, MIN_QUIET, CROWD), "A"), ((math.nan, 0), "D")],
)  # fmt: skip
def test_a_limit_itself_has_the_better_grade_the_worst_of_two_counts_and_no_number_is_a_d(at, letter):
    assert grade(*at) == letter


@many
@given(measurements())
def test_one_measurement_pooled_is_itself(one):
    assert pool([one]) is one


@many
@given(st.lists(measurements(), min_size=2, max_size=6), st.randoms())
def test_pooling_is_the_median_of_all_campaigns_whatever_their_order(several, random):
    found = pool(several)
    campaigns = [ms for m in several for ms in (m.campaigns_ms or (m.ms,))]
    assert found.ms == pytest.approx(np.median(campaigns))
    assert found.ratio * found.reference_ms == pytest.approx(found.ms)
    assert sorted(found.campaigns_ms) == sorted(campaigns)
    random.shuffle(several)
    again = pool(several)
    assert (again.ms, again.half_width, again.grade) == (found.ms, found.half_width, found.grade)
    assert (again.floor, again.rounds) == (found.floor, found.rounds)


@many
@given(st.lists(st.floats(0.5, 2.0), min_size=ENOUGH, max_size=12), st.floats(0.1, 10.0))
def test_a_pooled_interval_is_relative(campaigns_ms, factor):
    one, other = (pool([measurement(f * ms) for ms in campaigns_ms]) for f in (1.0, factor))
    assert other.ms == pytest.approx(factor * one.ms)
    assert other.half_width == pytest.approx(one.half_width, abs=1e-9)


@many
@given(measurements())
def test_a_measurement_survives_json(one):
    again = Measurement.from_dict(json.loads(json.dumps(one.to_dict())))
    assert again == one
    assert again.context == one.context
    assert hash(again) == hash(one)


def test_a_record_from_before_there_were_campaigns_is_read():
    record = measurement(1.0).to_dict()
    for later in ("campaigns_ms", "floor", "model_bytes", "steady_ms", "context"):
        del record[later]
    assert Measurement.from_dict(record) == measurement(1.0)


@many
@given(measurements())
def test_an_interval_holds_its_middle_and_doubt_is_never_less_than_it(one):
    low, high = one.interval_ms
    assert low <= one.ms <= high
    assert high - low == pytest.approx(2 * one.half_width * one.ms)
    assert one.doubt >= max(one.half_width, one.context.get("memory", 0.0))
