"""Runs side by side: is one better by more than noise? The runs are written here."""

from __future__ import annotations

import json

import pytest

from surgenas import api
from surgenas.core.errors import SurgenasError
from surgenas.report.lab_text import comparison_table
from surgenas.runs.results import Accuracy, Reached, Verified
from surgenas.studies.compare import SideBySide
from tests.runs.written import estimated, new_run, timed

IMAGES = 400


def made(folder, found, *, images="digits", limit=2.5, cost=None, **words):
    run = new_run(folder, **words)
    run.journal.append("data", name=images, classes=["a", "b"], train=800, test=IMAGES)
    run.journal.append("spent", step="search", seconds=60.0)
    run.record("reach", Reached(0.1, 4.0, limit))
    run.record("train found", Accuracy(found))
    run.record("verify", Verified({"found": cost or timed(2.0)}, ()))
    return folder


def test_two_runs_are_judged_by_their_test_images(tmp_path):
    good, bad = made(tmp_path / "good", 0.95), made(tmp_path / "bad", 0.80)
    near = made(tmp_path / "near", 0.94)
    found = api.compare([bad, good, near])
    assert found.judged_by == "test images"
    assert [(d.name, d.against, d.said) for d in found.differences] == [
        ("bad", "good", "worse"), ("near", "good", "within noise"),
    ]  # fmt: skip
    assert found.runs[1].accuracy_interval == pytest.approx((0.9238, 0.9675), abs=2e-3), "Wilson's, 380 of 400"
    assert found.runs[0].space == "mobile"
    text = comparison_table(found)
    assert "bad against good: -15.00 points" in text
    assert SideBySide.from_json(json.loads(json.dumps(found.to_json(), allow_nan=False))) == found


def test_groups_that_differ_in_their_seed_are_judged_by_seeds(tmp_path):
    runs = [made(tmp_path / f"a{s}", 0.95 + s / 1000, seed=s, method="surgenas") for s in range(3)]
    runs += [made(tmp_path / f"b{s}", 0.94 + s / 1000, seed=s, method="spos") for s in range(3)]
    found = api.compare(runs)
    assert found.judged_by == "seeds"
    (only,) = found.differences
    assert (only.name, only.against, only.said) == ("spos (3 seeds)", "surgenas (3 seeds)", "worse")
    assert only.value == pytest.approx(-1.0)


def test_a_limit_that_each_measured_for_itself_makes_no_two_groups(tmp_path):
    runs = [made(tmp_path / f"{method}{s}", 0.9 + s / 1000, seed=s, method=method, limit=2.5 + s / 100, latency_ms=2.5 + s)
            for s in (0, 1) for method in ("surgenas", "spos")]  # fmt: skip
    assert api.compare(runs).judged_by == "seeds"


def test_runs_at_different_limits_are_no_group(tmp_path):
    runs = [made(tmp_path / f"{method}{s}", 0.9, seed=s, method=method, limit=2.5 + s) for s in (0, 1)
            for method in ("surgenas", "spos")]  # fmt: skip
    assert api.compare(runs).judged_by == "test images"


def test_a_run_on_paper_has_no_grade_beside_one_that_was_timed(tmp_path):
    found = api.compare([made(tmp_path / "timed", 0.9), made(tmp_path / "paper", 0.8, cost=estimated(3.0))])
    assert [(row.latency_ms, row.grade) for row in found.runs] == [(2.0, "A"), (3.0, None)]
    assert found.runs[1].latency_interval is None
    assert "latencies are of 2 devices and do not compare" in comparison_table(found)


def test_what_cannot_be_compared_is_refused(tmp_path):
    one, other = made(tmp_path / "one", 0.9), made(tmp_path / "other", 0.9, images="cats")
    unfinished = new_run(tmp_path / "unfinished").folder
    for runs, says in (
        ([one], "two runs or more"),
        ([one, one], "given twice"),
        ([one, other], "not on the images of"),
        ([one, unfinished], "surgenas resume"),
        ([one, tmp_path], "not a run folder"),
    ):
        with pytest.raises(SurgenasError, match=says) as error:
            api.compare(runs)
        assert "\n" not in str(error.value)
