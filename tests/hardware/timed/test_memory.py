"""A program that goes through the memory slows heavy networks down and nothing else: their grade must tell."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from torch import nn

from surgenas.hardware.devices import make_target
from surgenas.hardware.target import Job
from surgenas.hardware.timed import device as local
from surgenas.hardware.timed.measurement import Block, Round
from surgenas.hardware.timed.references import MEMORY
from surgenas.hardware.timed.scale import UNSEEN_S, WATCHED_S
from surgenas.hardware.timed.session import HIDDEN, Answer
from surgenas.hardware.timed.store import Store
from surgenas.hardware.timed.timing import Campaign, Protocol

SHAPE = (3, 32, 32)
JOBS = [
    Job(name, lambda width=width: nn.Sequential(nn.Flatten(), nn.Linear(3072, width)), SHAPE)
    for name, width in (("light", 10), ("middling", 400), ("heavy", 1400))
]


class Neighbour:
    """A machine where heavy networks take `factor` times as long; answers as a campaign would."""

    factor = 1.0
    state_ms = 1.0
    """What the reference takes in a campaign; it was looked at when it took 1."""
    crowded = 0.0
    twin = 0.0
    """How many times as long the hidden twin of the first network takes; 0: there is none."""

    def __init__(self):
        self.asked = []

    def perform(self, request, tell=None):
        self.asked.append(list(request.networks))
        rounds = {
            name: tuple(_round(2.0 * (self.factor if network.is_heavy else 1.0)) for _ in range(10))
            for name, network in request.networks.items()
        }
        if self.twin:
            name = next(iter(request.networks))
            rounds[HIDDEN + name] = tuple(_round(self.twin * r.candidate.best_ms) for r in rounds[name])
        state_ms = 1.0 if math.isinf(request.reference_ms) else self.state_ms
        campaign = Campaign(rounds, (1.0,) * 20, 0.0, min(request.reference_ms, state_ms))
        return Answer(campaign, dict.fromkeys(request.networks), {"crowded": self.crowded})


def _round(ms):
    reference, network = (Block((t,) * 5, (True,) * 5) for t in (1.0, ms))
    return Round(reference, network, reference)


@pytest.fixture
def neighbour(monkeypatch):
    neighbour = Neighbour()
    monkeypatch.setattr(local, "perform", neighbour.perform)
    monkeypatch.setattr(local, "check_equal", lambda *_: 0.0)
    return neighbour


def grades(device, **how):
    return {m.key: m.grade for m in device.measure(JOBS, protocol=Protocol(), **how)}


@pytest.mark.parametrize(("factor", "letters"), [(1.04, "AA"), (1.09, "AB"), (1.13, "BC"), (1.5, "DD")])
def test_what_a_disturbed_memory_may_add_is_in_the_grade_of_heavy_networks(tmp_path, neighbour, factor, letters):
    device = replace(make_target("onnxruntime-cpu"), store=Store(tmp_path / "m.sqlite"))
    assert grades(device) == {"light": "A", "middling": "A", "heavy": "A"}
    neighbour.factor = factor
    assert grades(device) == {"light": "A", "middling": letters[0], "heavy": letters[1]}
    (pooled,) = device.measure(JOBS[2:], protocol=Protocol(campaigns=3))
    assert pooled.grade == letters[1]
    assert pooled.context["memory"] == pytest.approx(max(0, factor - 1.05), abs=1e-3)


def test_light_networks_are_measured_without_the_watching_one(tmp_path, neighbour):
    device = replace(make_target("onnxruntime-cpu"), store=Store(tmp_path / "m.sqlite"))
    reference = device.calibrate(JOBS[0])
    device.on_scale(reference).measure(JOBS[:1])
    assert not any(MEMORY.name in names for names in neighbour.asked)
    device.on_scale(reference).measure(JOBS)
    assert neighbour.asked[-1] == ["light", "middling", "heavy", MEMORY.name]
    assert device.store.reference_history(MEMORY.name, device.key) == [2.0] * 10


def test_the_noise_floor_of_heavy_networks_is_theirs_alone(tmp_path, neighbour):
    device = replace(make_target("onnxruntime-cpu"), store=Store(tmp_path / "m.sqlite"))
    neighbour.twin = 1.1
    (heavy,) = device.measure(JOBS[2:], protocol=Protocol())
    assert heavy.floor == pytest.approx(math.log(1.1))
    neighbour.twin = 1.0
    assert {m.floor for m in device.measure(JOBS, protocol=Protocol())} == {0.0}


def test_a_crowd_is_refused_and_nothing_is_learned_from_it(tmp_path, neighbour):
    device = replace(make_target("onnxruntime-cpu"), store=Store(tmp_path / "m.sqlite"))
    neighbour.twin, neighbour.crowded = 1.1, 0.5
    assert grades(device) == {"light": "D", "middling": "D", "heavy": "D"}
    neighbour.twin, neighbour.crowded = 1.0, 0.0
    assert {m.floor for m in device.measure(JOBS, protocol=Protocol())} == {0.0}


def test_a_reference_that_was_looked_at_in_a_slow_moment_is_not_believed(tmp_path, neighbour):
    device = replace(make_target("onnxruntime-cpu"), store=Store(tmp_path / "m.sqlite"))
    device.store.add_reference("reference-s/2", device.key, [1.4] * 30)
    scaled = device.on_scale(("reference-s/2", 1.4))
    (slow,) = scaled.measure(JOBS[:1], protocol=Protocol(campaigns=3))
    assert slow.reference_ms == 1.4, "all of a run stay on one scale"
    assert device.known("reference-s/2").ms == 1.0, "but the device knows better by now"
    assert slow.scale_doubt >= math.log(1.4)
    (free,) = device.measure(JOBS[:1], protocol=Protocol())
    assert free.ms == pytest.approx(free.ratio * device.known(free.reference).ms)


def test_milliseconds_of_a_machine_that_was_watched_for_a_moment_only_are_doubted(tmp_path, neighbour):
    now = [1.0]
    store = Store(tmp_path / "m.sqlite", clock=lambda: now[0])
    device = replace(make_target("onnxruntime-cpu"), store=store).on_scale(("reference-s/2", 1.0))
    (first,) = device.measure(JOBS[:1], protocol=Protocol())
    while now[0] <= WATCHED_S:
        now[0] += UNSEEN_S
        (later,) = device.measure(JOBS[:1], protocol=Protocol())
    assert (first.grade, first.ms_grade) == ("A", "D")
    assert (later.grade, later.ms_grade) == ("A", "A")
    assert first.ms == later.ms
    assert first.interval_ms[0] < later.interval_ms[0] < later.ms < later.interval_ms[1] < first.interval_ms[1]
