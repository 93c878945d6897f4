"""Curves, settings and words of a run, from its journal."""

from __future__ import annotations

from surgenas.loggers.base import Point
from surgenas.runs.config import make_config
from surgenas.runs.logged import Curves, files_of, final_points, final_words, settings_of
from surgenas.runs.names import FOUND
from tests.runs.written import estimated, new_run, written_run


def points_of(*events):
    curves = Curves()
    return [point for event in events for point in curves.points(event)]


def test_epochs_of_shared_weights_without_a_latency_have_none():
    summary = {"epoch": 3, "loss": 2.0, "accuracy": 0.5, "latency_ms": None}
    assert points_of({"event": "epoch", "summary": summary}) == [
        Point("search/loss", 3, 2.0), Point("search/accuracy", 3, 0.5)
    ]  # fmt: skip


def test_trials_are_counted_and_scores_of_longer_trainings_are_a_curve_of_their_own():
    cheap = {"event": "trial", "rung": 0, "score": 0.5, "latency_ms": 1.0}
    assert points_of(cheap, {"event": "data"}, {**cheap, "rung": 1, "score": 0.75, "latency_ms": None}) == [
        Point("search/score", 0, 0.5), Point("search/latency_ms", 0, 1.0), Point("search/score-rung-1", 1, 0.75)
    ]  # fmt: skip


def test_a_training_has_the_curves_of_its_network():
    event = {"event": "trained", "network": "random at equal latency 1", "epoch": 0, "loss": 1.0, "accuracy": 0.5}
    assert points_of(event) == [
        Point("train/random-at-equal-latency-1/loss", 0, 1.0), Point("train/random-at-equal-latency-1/accuracy", 0, 0.5)
    ]  # fmt: skip


def test_settings_are_flat_and_those_without_a_value_are_left_out():
    found = settings_of(make_config(predictors=("ridge", "flops"), method_settings={"eta": 0.5}, strict=True))
    assert found["data.source"] == "digits"
    assert found["target.predictors"] == "ridge, flops"
    assert found["method.settings.eta"] == 0.5
    assert found["target.strict"] is True
    assert "target.latency_ms" not in found
    assert all(isinstance(value, str | int | float | bool) for value in found.values())


def test_what_a_run_ended_with(tmp_path):
    run = written_run(tmp_path / "run", beside={"MobileNetV2": 0.8})
    assert {p.name: p.value for p in final_points(run)} == {
        "final/limit_ms": 2.5, "final/latency_of_limit": 0.8, "final/found/test_accuracy": 0.9,
        "final/found/latency_ms": 2.0, "final/found/doubt": 0.01, "final/found/p50_ms": 2.0, "final/found/p90_ms": 3.0,
        "final/MobileNetV2/test_accuracy": 0.8,
        "final/MobileNetV2/latency_ms": 2.1, "final/MobileNetV2/doubt": 0.01,
    }  # fmt: skip
    words = final_words(run)
    assert (words["final/found/grade"], words["final/MobileNetV2/grade"], words["target"]) == ("A", "A", "toy/1")
    assert words["architecture"].startswith("k3e3-k3e3")
    assert [file.name for file in files_of(run)] == [
        "model.onnx", "model-int8.onnx", "model.json", "architecture.json", "report.html"
    ]  # fmt: skip


def test_what_was_only_estimated_has_no_grade(tmp_path):
    run = written_run(tmp_path / "run", beside={}, costs={FOUND: estimated(2.0)})
    assert not any(name.endswith("grade") for name in final_words(run))
    assert not any(p.name.endswith("doubt") for p in final_points(run))


def test_a_run_that_has_just_begun_ended_with_nothing(tmp_path):
    run = new_run(tmp_path / "run")
    assert (final_points(run), final_words(run)) == ([], {})
