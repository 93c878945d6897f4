"""What works here is said, what is in the way too, with what to do about it."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest

from surgenas.core.cost import Estimate, Failure
from surgenas.core.errors import EnvironmentFault, NoisyError, UsageError
from surgenas.core.progress import Progress
from surgenas.studies import doctor
from surgenas.studies.doctor import Health, Noise, examine

TOY = "surgenas.testing:toy_device"


@pytest.fixture(autouse=True)
def few(monkeypatch):
    """Not every device of this machine is begun for each test."""
    monkeypatch.setattr(doctor, "devices", lambda: {"board": doctor.Unusable("it is not plugged in"), "cpu": None})


class Board:
    """A device that measures what it is told to."""

    name = "board"

    def __init__(self, answer) -> None:
        self.answer = answer

    def describe(self):
        return SimpleNamespace(evidence="measured")

    def price(self, jobs, effort, *, seed, progress):
        if isinstance(self.answer, Exception):
            raise self.answer
        return [self.answer]


def looked(monkeypatch, answer, **machine):
    monkeypatch.setattr(doctor, "make_target", lambda name: Board(answer))
    for name, value in machine.items():
        monkeypatch.setattr(doctor, name, value)
    return examine("board", Progress())


def test_a_machine_is_told_with_what_it_measures():
    found = examine(TOY, Progress())
    assert found.usable == ("cpu",)
    assert found.devices == {"board": "it is not plugged in", "cpu": ""}
    assert {"surgenas", "torch", "onnxruntime"} <= found.packages.keys()
    assert found.noise.cost.ms > 0
    assert found.cores >= 1
    assert found.free_bytes > 0
    assert Health.from_json(json.loads(json.dumps(found.to_json(), allow_nan=False))) == found


def test_a_quiet_one_needs_no_advice(monkeypatch):
    found = looked(monkeypatch, Estimate("net", "board", {"ms": 1.0}, "made", "1"), share_used_elsewhere=lambda *_: 0.0)
    assert found.advice == ()


@pytest.mark.parametrize("answer", [NoisyError("it never ended"), Failure("net", NoisyError("it never ended"))])
def test_one_that_cannot_be_measured_says_why(monkeypatch, answer):
    found = looked(monkeypatch, answer, share_used_elsewhere=lambda *_: 0.5)
    assert found.noise == Noise("board", found.noise.seconds, 0.5, failed="it never ended")
    assert found.advice == (
        "other programs use 50% of the cores; latencies are surer without them",
        "board cannot be measured: it never ended",
    )


def test_milliseconds_that_nobody_should_rely_on_are_named(monkeypatch):
    class Poor(Estimate):
        ms_grade = "D"

    found = looked(monkeypatch, Poor("net", "board", {"ms": 1.0}, "made", "1"), share_used_elsewhere=lambda *_: 0.0)
    assert found.advice == (
        "milliseconds of this moment are not to be relied on (grade D); wait until the machine is quieter",
    )


def test_little_memory_is_said(monkeypatch):
    monkeypatch.setattr(doctor.psutil, "virtual_memory", lambda: SimpleNamespace(available=5e8))
    cost = Estimate("net", "board", {"ms": 1.0}, "made", "1")
    (advice,) = looked(monkeypatch, cost, share_used_elsewhere=lambda *_: 0.0).advice
    assert advice.startswith("only 0.5 GB of memory are free")


def test_nothing_is_timed_on_an_estimated_device():
    assert examine("roofline-example", Progress()).noise is None


def test_a_device_that_is_none_is_refused():
    with pytest.raises(UsageError, match="unknown device 'abacus'"):
        examine("abacus", Progress())


def test_where_measurements_cannot_be_kept_all_else_is_told(monkeypatch):
    monkeypatch.setattr(doctor, "default_store", raising(EnvironmentFault("measurement store /no: set SURGENAS_HOME")))
    found = examine("onnxruntime-cpu", Progress())
    assert (found.store, found.noise) == ("", None)
    assert found.advice[0] == "measurement store /no: set SURGENAS_HOME"
    assert found.usable == ("cpu",)


def raising(error):
    def fail() -> None:
        raise error

    return fail
