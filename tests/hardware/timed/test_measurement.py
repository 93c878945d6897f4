"""What a measurement says follows from raw run times: by the documented formulas, and by laws true of any times."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from itertools import permutations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from surgenas.hardware.timed.measurement import (
    CROWD,
    ENOUGH,
    MIN_CAMPAIGNS,
    MIN_QUIET,
    MIN_ROUNDS,
    QUIET,
    SCALE,
    Block,
    Measurement,
    Round,
    compare_latencies,
    estimate,
    grade,
    pool,
    ranks,
    tie_width,
)

many = settings(deadline=None, max_examples=60)
MS = st.floats(0.01, 100.0)
SHARES = st.floats(0.0, 1.0)
LETTERS = st.sampled_from("ABCD")


def block(ms, clean=True):
    return Block((ms, ms * 1.1), (clean, clean))


def quiet_round(ratio, reference_ms=1.0):
    return Round(block(reference_ms), block(ratio * reference_ms), block(reference_ms))


def measurement(ms, half_width=0.01, campaigns_ms=()):
    return Measurement("k", "d", ms, ms / 2, half_width, "A", 10, ms, None, "r", 2.0, 0.0, campaigns_ms=campaigns_ms)


@st.composite
def measurements(draw, letters=LETTERS):
    """Of any network on any of two references, pooled or not."""
    ms, scale = draw(MS), draw(st.floats(0.1, 10.0))
    return Measurement(
        key=draw(st.text(min_size=1, max_size=8)),
        device=draw(st.text(max_size=8)),
        ms=ms,
        ratio=ms / scale,
        half_width=draw(st.floats(0.0, 0.5)),
        grade=draw(letters),
        rounds=draw(st.integers(0, 99)),
        p50_ms=draw(MS),
        p90_ms=draw(st.none() | MS),
        reference=draw(st.sampled_from(["r", "s"])),
        reference_ms=scale,
        max_difference=draw(SHARES),
        floor=draw(st.just(0.0) | st.floats(0.0, 0.9)),
        model_bytes=draw(st.integers(0, 2**40)),
        steady_ms=draw(st.none() | MS),
        campaigns_ms=tuple(draw(st.lists(MS, max_size=7))),
        context=draw(st.fixed_dictionaries({}, optional={"memory": st.floats(0.0, 0.3), "crowded": SHARES})),
    )


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


def test_a_wide_noise_floor_caps_the_grade():
    assert pool([replace(measurement(1.0), floor=0.03)] * 2).grade == "B"
    assert pool([replace(measurement(1.0), floor=0.2)] * 3).grade == "D"


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
