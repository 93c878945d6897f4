"""The timing loop on a simulated machine: what it must see through, and what it must not hide."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import numpy as np
import pytest

from surgenas.hardware.timed.measurement import (
    MIN_QUIET,
    SCALE,
    Block,
    Measurement,
    Round,
    against,
    estimate,
    grade,
    pool,
    ranks,
)
from surgenas.hardware.timed.timing import Machine, Protocol, run_campaign


class Simulated:
    """A machine whose speed changes every `period` seconds of its own time, by `slow`; preempting at random."""

    def __init__(self, slow=1.0, period=1.0, preempt=0.0, noise=0.0):
        self.time, self.count, self.slow, self.period, self.preempt = 0.0, 0, slow, period, preempt
        self.noise, self.rng, self.slept = noise, np.random.default_rng(0), 0.0

    def network(self, ms, sensitivity=1.0):
        def call():
            busy = int(self.time / self.period) % 2
            factor = 1 + busy * (self.slow - 1) * sensitivity
            spent = ms * factor * (1 + self.noise * self.rng.exponential())
            if self.rng.random() < self.preempt:
                self.count += 1
                spent += 5.0
            self.time += spent / 1e3

        return call

    def sleep(self, seconds):
        self.time += seconds
        self.slept += seconds

    @property
    def machine(self):
        return Machine(now=lambda: self.time, switches=lambda: self.count, sleep=self.sleep)


def campaign(sim, protocol=None, reference_ms=1.0, sensitivity=1.0, **networks):
    protocol = protocol or Protocol()
    calls = {name: sim.network(ms, sensitivity) for name, ms in networks.items()}
    return run_campaign(calls, sim.network(1.0), reference_ms, protocol, np.random.default_rng(0), sim.machine)


def test_a_steady_machine_gives_the_exact_ratio():
    found = campaign(Simulated(), a=2.0, b=0.5)
    assert estimate(found.rounds["a"], 1.0)[0] == pytest.approx(2.0)
    assert estimate(found.rounds["b"], 1.0)[0] == pytest.approx(0.5)
    assert len(found.rounds["a"]) == Protocol().rounds, "it stops once the interval is narrow"


def test_a_machine_that_slows_down_now_and_then_does_not_change_the_ratio():
    """The candidate suffers more than the reference: only rounds in the known state may count."""
    sim = Simulated(slow=1.5, period=0.03, noise=0.01)
    found = campaign(sim, sensitivity=2.0, a=0.5)
    assert estimate(found.rounds["a"], 1.0)[0] == pytest.approx(0.5, rel=0.02)
    everything = estimate(found.rounds["a"], math.inf)[0]
    assert everything > 0.5


def test_a_machine_that_was_calibrated_in_a_slow_moment_still_finds_its_fast_state():
    """Believed to take 1.25, the reference takes 1 or 1.6: neither is within 15 % of what was believed."""
    sim = Simulated(slow=1.6, period=0.03, noise=0.01)
    found = campaign(sim, reference_ms=1.25, sensitivity=1.5, a=0.5)
    assert found.state_ms == pytest.approx(1.0, rel=0.03)
    assert estimate(found.rounds["a"], found.state_ms)[0] == pytest.approx(0.5, rel=0.02)
    assert sum(r.is_quiet(found.state_ms) for r in found.rounds["a"]) >= Protocol().rounds


def test_preempted_runs_do_not_count():
    found = campaign(Simulated(preempt=0.1), a=1.0)
    assert estimate(found.rounds["a"], 1.0)[0] == pytest.approx(1.0)
    assert 0.03 < found.preempted < 0.3


def test_an_overloaded_machine_is_waited_for_and_then_graded_down():
    sim = Simulated(preempt=0.9)
    found = campaign(sim, Protocol(max_rounds=12), a=1.0)
    assert sim.slept > 0
    assert grade(estimate(found.rounds["a"], 1.0)[1], found.preempted) == "D"


def test_very_small_networks_are_also_run_back_to_back():
    """Whoever ran before has emptied the caches: the first ten runs of a visit take longer."""
    sim, warm = Simulated(), 0

    def network(ms):
        def call():
            nonlocal warm
            warm = 0
            sim.time += ms / 1e3

        return call

    def small():
        nonlocal warm
        sim.time += (0.24 if warm < 10 else 0.2) / 1e3
        warm += 1

    protocol, rng = Protocol(block_ms=0.1, steady=3), np.random.default_rng(0)
    found = run_campaign({"small": small, "large": network(2.0)}, network(1.0), 1.0, protocol, rng, sim.machine)
    assert list(found.steady) == ["small"]
    assert len(found.steady["small"]) == 3
    interleaved, steady = (estimate(rounds["small"], 1.0)[0] for rounds in (found.rounds, found.steady))
    assert interleaved == pytest.approx(0.24)
    assert steady == pytest.approx(0.2)


def test_rounds_go_on_until_the_interval_is_narrow_or_the_budget_ends():
    few = campaign(Simulated(noise=0.001), a=1.0)
    many = campaign(Simulated(noise=2.0), Protocol(max_rounds=50), reference_ms=math.inf, a=1.0)
    cut = campaign(Simulated(noise=2.0), Protocol(max_rounds=50, budget_s=0.1), reference_ms=math.inf, a=1.0)
    assert len(few.rounds["a"]) < len(many.rounds["a"]) == 50
    assert len(cut.rounds["a"]) < 50


def test_a_campaign_outlasts_its_budget_for_want_of_quiet_rounds():
    """The machine is slow for the first five seconds."""

    def quiet_rounds(patience_s):
        sim = Simulated(slow=1.6, period=5.0)
        sim.time = 5.0
        found = campaign(sim, Protocol(budget_s=1.0, patience_s=patience_s), a=0.5)
        return sum(r.is_quiet(found.state_ms) for r in found.rounds["a"])

    assert quiet_rounds(patience_s=1.0) == 0
    assert quiet_rounds(patience_s=20.0) >= MIN_QUIET


def block(ms, clean=True):
    return Block((ms, ms * 1.1), (clean, clean))


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


def measurement(ms, half_width=0.01, campaigns_ms=()):
    return Measurement("k", "d", ms, ms / 2, half_width, "A", 10, ms, None, "r", 2.0, 0.0, campaigns_ms=campaigns_ms)


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


def test_a_device_with_a_clock_of_its_own_is_timed_by_it():
    """The wall clock says 1 ms a call, the device's own says 3 and 1.5."""
    sim = Simulated()
    slow, fast = sim.network(1.0), sim.network(1.0)
    own = {id(slow): 3.0, id(fast): 1.5}

    def timer(call):
        call()
        return own[id(call)]

    machine = replace(sim.machine, timer=timer)
    found = run_campaign({"a": slow}, fast, 1.5, Protocol(), np.random.default_rng(0), machine)
    assert estimate(found.rounds["a"], 1.5)[0] == pytest.approx(2.0)


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
    assert not against(one, other).tie
    assert against(one, elsewhere).tie
    half = math.hypot(0.01, 0.01, SCALE)
    assert against(one, elsewhere).interval == pytest.approx((1.02 * math.exp(-half), 1.02 * math.exp(half)))


def test_a_ratio_is_taken_within_each_campaign():
    """Campaigns differ by a third, the networks by 10 % in each; what was pooled from before does not shift them."""
    slow = measurement(1.0, campaigns_ms=(7.0, 7.0, 7.0, 1.1, 1.21, 1.43))
    fast = measurement(1.1, campaigns_ms=(1.0, 1.1, 1.3))
    found = against(slow, fast)
    assert found.ratio == pytest.approx(1.1)
    assert found.interval == pytest.approx((1.1, 1.1))
    assert not found.tie
    assert against(replace(slow, floor=0.1), fast).tie
    assert against(replace(slow, grade="D"), fast) is None


def test_the_interval_of_a_ratio_is_the_t_interval_of_its_logarithms():
    one = measurement(1.0, campaigns_ms=tuple(math.exp(x) for x in (0.1, 0.2, 0.3)))
    found = against(one, measurement(1.0, campaigns_ms=(1.0, 1.0, 1.0)))
    half = 4.302653 * 0.1 / math.sqrt(3)
    assert found.interval == pytest.approx((math.exp(0.2 - half), math.exp(0.2 + half)), rel=1e-5)
    assert found.tie, "0.2 +- 0.248"
    few = against(replace(one, ms=1.1, half_width=0.03, campaigns_ms=()), measurement(1.0, half_width=0.04))
    assert few.interval == pytest.approx((1.1 * math.exp(-0.05), 1.1 * math.exp(0.05)))
    assert not few.tie
