"""What a campaign says of one network: the ratio of its quiet rounds on a scale, and every doubt in its grade."""

from __future__ import annotations

import json
import math

import pytest

from surgenas.hardware.timed.as_it_comes import FEWEST
from surgenas.hardware.timed.measurement import CROWD, MIN_QUIET, Block, Measurement, Round
from surgenas.hardware.timed.outcome import measurement_of
from surgenas.hardware.timed.timing import Campaign

STATE_MS = 2.0
"""What the reference takes in the campaigns here."""
SCALE = ("reference-s/2", 4.0)
"""On the scale of the answer it takes twice as long."""
RATIOS = (0.5, 0.505, 0.495, 0.51, 0.525)


def block(*runs_ms, clean=True):
    return Block(runs_ms, (clean,) * len(runs_ms))


def visit(ratio, reference_ms=STATE_MS, runs=5):
    return Round(block(reference_ms), block(*[ratio * reference_ms] * runs), block(reference_ms))


def campaign(rounds, preempted=0.0, steady=(), **others):
    return Campaign({"net": tuple(rounds), **others}, (STATE_MS,), preempted, STATE_MS, {"net": steady})


def measured(found, difference=1e-6, floor=0.0, memory=0.0, crowded=0.0, **context):
    state = {"memory": memory, "crowded": crowded, **context}
    return measurement_of("net", "here/1", found, SCALE, difference, floor, state)


def test_the_latency_is_the_ratio_of_the_rounds_times_what_the_reference_is_said_to_take():
    """Half-width by docs/measurement.md, 7: the median deviation is .005, t(.975, 4) = 2.776."""
    m = measured(campaign(visit(ratio) for ratio in RATIOS))
    assert (m.key, m.device, m.rounds) == ("net", "here/1", 5)
    assert m.ratio == pytest.approx(0.505)
    assert m.ms == pytest.approx(0.505 * 4.0)
    assert (m.reference, m.reference_ms) == SCALE
    assert m.half_width == pytest.approx(1.6 * 1.2533 * 1.4826 * 0.005 * 2.7764 / math.sqrt(5) / 0.505, rel=1e-3)
    assert m.grade == "B"
    assert m.max_difference == 1e-6
    assert Measurement.from_dict(json.loads(json.dumps(m.to_dict()))) == m


def test_rounds_in_which_the_reference_was_slow_do_not_count_and_other_networks_neither():
    slow = [visit(0.9, reference_ms=2 * STATE_MS)] * 20
    m = measured(campaign([*slow, *[visit(0.5)] * MIN_QUIET], other=tuple([visit(3.0)] * 9)))
    assert m.ratio == 0.5
    assert m.rounds == 20 + MIN_QUIET
    assert m.context["quiet_rounds"] == MIN_QUIET
    assert m.grade == "A"


def test_with_too_few_quiet_rounds_all_count_and_the_grade_is_c_at_best():
    m = measured(campaign([*[visit(0.9, reference_ms=2 * STATE_MS)] * 6, *[visit(0.5)] * (MIN_QUIET - 1)]))
    assert m.ratio == 0.9
    assert m.context["quiet_rounds"] == MIN_QUIET - 1
    assert m.grade >= "C"
    even = measured(campaign([visit(0.5)] * (MIN_QUIET - 1)))
    assert (even.half_width, even.grade) == (0.0, "C")


def test_two_rounds_give_no_interval():
    m = measured(campaign([visit(0.5)] * 2))
    assert (m.ms, m.half_width, m.grade) == (2.0, math.inf, "D")


@pytest.mark.parametrize(
    ("doubt", "grade"),
    [
        ({}, "A"),
        ({"floor": 0.03}, "B"),
        ({"floor": 0.08}, "C"),
        ({"memory": 0.03}, "B"),
        ({"memory": 0.2}, "D"),
        ({"floor": 0.03, "memory": 0.08}, "C"),
        ({"crowded": CROWD}, "A"),
        ({"crowded": CROWD + 0.01}, "D"),
    ],
)
def test_the_widest_doubt_makes_the_grade_and_a_crowd_spoils_it(doubt, grade):
    m = measured(campaign([visit(0.5)] * 9), **doubt)
    assert m.grade == grade
    assert m.floor == doubt.get("floor", 0.0)
    assert m.half_width == 0.0, "each doubt is kept by itself"


@pytest.mark.parametrize(("preempted", "grade"), [(0.3, "A"), (0.4, "B"), (0.7, "D")])
def test_a_reference_that_was_often_preempted_costs_a_grade(preempted, grade):
    assert measured(campaign([visit(0.5)] * 9, preempted)).grade == grade


def test_median_and_p90_are_of_the_runs_that_waited_for_nothing_clean_or_not():
    """101 runs of 0, 1, ... 100 ms in two rounds; the one between them had waited, as had all after the tenth."""
    first, last = block(*range(51)), block(*range(51, 101), clean=False)
    rounds = [first, block(1e6), last, *[block(1e6)] * 7, block(1e6), *[block(1e6)] * 9]
    rounds[4] = rounds[6] = rounds[8] = block(50.0)
    m = measured(campaign(Round(block(STATE_MS), visited, block(STATE_MS)) for visited in rounds))
    assert m.p50_ms == 50.0
    assert m.p90_ms == pytest.approx(90.0, abs=1.5)
    assert len(m.spreads_ms) == 1
    assert m.spreads_ms[0] == pytest.approx(range(5, 100, 10), abs=1.5)


@pytest.mark.parametrize(("runs", "known"), [(FEWEST - 1, False), (FEWEST, True)])
def test_a_p90_is_told_of_enough_runs(runs, known):
    m = measured(campaign([visit(0.5, runs=runs)]))
    assert m.p90_ms == (pytest.approx(1.0) if known else None)
    assert len(m.spreads_ms) == known


def test_what_a_very_small_network_takes_back_to_back_is_told_beside_and_changes_nothing_else():
    rounds = [visit(0.5)] * 9
    plain, both = measured(campaign(rounds)), measured(campaign(rounds, steady=(visit(0.4),) * 3))
    assert plain.steady_ms is None
    assert both.steady_ms == pytest.approx(0.4 * 4.0)
    assert both.ms == plain.ms == 2.0
    untouched = Campaign({"net": tuple(rounds)}, (STATE_MS,), 0.0, STATE_MS)
    assert measured(untouched).steady_ms is None


def test_the_state_of_the_machine_is_kept_with_what_the_campaign_saw_of_it():
    context = {"memory": 0.01, "crowded": 0.0, "load_1m": 0.3}
    m = measurement_of("net", "here/1", campaign([visit(0.5)] * 7), SCALE, 0.0, 0.0, context)
    assert m.context == {**context, "quiet_rounds": 7, "state_ms": STATE_MS}
    assert set(context) == {"memory", "crowded", "load_1m"}, "one machine's state is every network's"
