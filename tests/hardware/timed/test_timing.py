"""The timing loop on a simulated machine: what it must see through, and what it must not hide."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from surgenas.hardware.timed.measurement import MIN_QUIET, estimate, grade
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
    short = Protocol(max_rounds=50, max_runs=5)
    many = campaign(Simulated(noise=2.0), short, reference_ms=math.inf, a=1.0)
    cut = campaign(Simulated(noise=2.0), replace(short, budget_s=0.1), reference_ms=math.inf, a=1.0)
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
