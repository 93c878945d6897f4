"""A run at a glance, from its journal alone: finished, half done, or on paper."""

from __future__ import annotations

import json

import pytest

from surgenas.runs.results import Accuracy, Reached
from surgenas.runs.summary import Summary, summarize
from tests.runs.written import JUDGED, again, estimated, new_run, timed, written_run


def test_a_finished_run_at_a_glance(tmp_path):
    run = written_run(tmp_path / "run")
    found = summarize(again(run))
    assert (found.limit_ms, found.reachable_ms, found.seed) == (2.5, (0.1, 4.0), 0)
    assert found.latency.ms == 2.0
    assert found.latency.interval == pytest.approx((1.98, 2.02))
    assert (found.latency.grade, found.latency.evidence, found.latency.predicted_ms) == ("A", "measured", 1.9)
    assert (found.accuracy.test, found.accuracy.balanced) == (0.9, pytest.approx(5 / 9))
    assert found.yardsticks[0].balanced_accuracy == pytest.approx(0.75)
    assert found.classes == JUDGED
    assert found.architecture == run.derived.architecture
    assert found.seconds["search"] == 60.0
    assert found.predictor.chosen == "ridge"
    assert found.export.same_class == 1.0


def test_networks_stand_under_what_they_are(tmp_path):
    """A "random 1" is of any latency; a "random at equal latency 1" is not."""
    beside = {
        "MobileNetV2": 0.8, "random at equal latency 1": 0.7, "random at equal latency 2": 0.72, "random 1": 0.6,
        "random 10": 0.5,
    }  # fmt: skip
    found = summarize(written_run(tmp_path / "run", beside=beside))
    assert [n.name for n in found.yardsticks] == ["MobileNetV2"]
    assert [n.name for n in found.random_at_equal_latency] == [f"random at equal latency {i}" for i in (1, 2)]
    assert [n.name for n in found.random] == ["random 1", "random 10"]
    assert [n.accuracy for n in found.beside] == [0.8, 0.7, 0.72, 0.6, 0.5]
    assert found.yardsticks[0].to_found.ratio == pytest.approx(2.1 / 2.0)


def test_the_found_network_without_any_rival(tmp_path):
    found = summarize(written_run(tmp_path / "run", beside={}))
    assert found.beside == ()
    assert found.accuracy.test == 0.9


def test_of_an_estimate_nothing_is_certain(tmp_path):
    costs = {"found": estimated(2.0), "MobileNetV2": estimated(3.0)}
    found = summarize(written_run(tmp_path / "run", beside={"MobileNetV2": 0.8}, costs=costs))
    assert found.latency.evidence == "estimated"
    assert (found.latency.interval, found.latency.grade, found.latency.p90) == (None, None, None)
    (yardstick,) = found.yardsticks
    assert (yardstick.interval, yardstick.grade) == (None, None)
    assert yardstick.to_found.ratio == 1.5
    assert yardstick.to_found.interval == (1.5, 1.5)


def test_beside_a_grade_d_nothing_is_compared(tmp_path):
    costs = {"found": timed(2.0), "MobileNetV2": timed(3.0, grade="D")}
    found = summarize(written_run(tmp_path / "run", beside={"MobileNetV2": 0.8}, costs=costs))
    assert found.yardsticks[0].to_found is None


def test_of_classes_a_run_of_before_knows_nothing(tmp_path):
    run = written_run(tmp_path / "run")
    run.record("train found", Accuracy(0.9))
    found = summarize(again(run))
    assert (found.accuracy.test, found.accuracy.balanced, found.classes) == (0.9, None, None)


def test_what_is_not_known_yet_is_none(tmp_path):
    run = new_run(tmp_path / "run")
    found = summarize(run)
    assert (found.architecture, found.limit_ms, found.latency.ms, found.accuracy.test) == (None, None, None, None)
    assert (found.beside, found.predictor, found.export) == ((), None, None)
    run.record("reach", Reached(1.0, 2.0, 1.5))
    assert summarize(run).limit_ms == 1.5


def test_it_survives_json(tmp_path):
    found = summarize(written_run(tmp_path / "run"))
    assert Summary.from_json(json.loads(json.dumps(found.to_json(), allow_nan=False))) == found
