"""Relative improvement and runs side by side: what is computed from runs, and what is refused. The runs are written
here; tests/runs/test_flow.py makes real ones."""

from __future__ import annotations

import json

import numpy as np
import pytest

from surgenas import lab
from surgenas.core.errors import LimitError, SurgenasError, UsageError
from surgenas.core.progress import Progress
from surgenas.core.significance import relative_improvement
from surgenas.hardware.timed.measurement import Measurement
from surgenas.report.lab_text import comparison_table, improvement_table
from surgenas.runs.config import make_config
from surgenas.runs.run import Run
from surgenas.studies import improvement

IMAGES = 400


def record(run, found, beside=None, data="digits", ms=2.0, limit=2.5):
    """What a finished run's journal holds, as far as it is read here."""
    if run.journal.last("data") is None:
        run.journal.append("data", name=data, classes=["a", "b"], train=800, test=IMAGES)
    run.journal.append("done", stage="reach", seconds=1.0, result={"limit_ms": limit})
    run.journal.append("done", stage="search", seconds=60.0, result={})
    for name, accuracy in {"found": found, **(beside or {})}.items():
        run.journal.append("done", stage=f"train {name}", seconds=20.0, result={"accuracy": accuracy})
    claim = Measurement("k", "toy/1", ms, ms, 0.01, "A", 10, ms, ms, "toy-reference", 1.0, 0.0)
    run.journal.append("done", stage="verify", seconds=1.0, result={"costs": {"found": claim.to_dict()}})


def made(folder, found, **settings):
    data, limit = settings.pop("images", "digits"), settings.pop("limit", 2.5)
    run = Run.create(folder, make_config(**settings), Progress())
    record(run, found, data=data, limit=limit)
    return folder


@pytest.fixture
def searched(monkeypatch):
    """Runs end at once: surgenas finds .95 and more, spos less than random; every call is noted."""
    calls = []

    def execute(run):
        calls.append((run.folder.name, run.config.latency_ms))
        if run.result("verify"):
            return
        base = {"surgenas": 0.95, "spos": 0.85}[run.config.method]
        names = [f"{kind} {i + 1}" for kind in ("random", "uniform") for i in range(run.config.random)]
        noise = np.random.default_rng(run.config.seed).normal(0, 0.005, 1 + len(names))
        record(run, base + noise[0], {name: 0.9 + n for name, n in zip(names, noise[1:], strict=True)})

    monkeypatch.setattr(improvement, "execute", execute)
    return calls


def go(folder, **how):
    return lab.improvement(folder, ["digits"], how.pop("methods", ["surgenas", "spos"]), **how)


def test_improvement_is_over_random_architectures_of_the_same_run(searched, tmp_path, monkeypatch):
    monkeypatch.setattr("surgenas.report.page.write_page", lambda run: None)
    found = go(tmp_path, seeds=4, random=2)
    good, bad = found["rows"]
    assert (good["found"]["n"], good["random"]["n"], good["random at equal latency"]["n"]) == (4, 8, 8)
    expected = relative_improvement(good["found"]["values"], good["random"]["values"], 100 / IMAGES)
    assert good["ri"] == expected.to_dict()
    assert good["ri"]["value"] == pytest.approx(100 * (0.95 - 0.9) / 0.9, abs=1)
    assert (good["ri"]["said"], bad["ri"]["said"]) == ("better", "worse")
    assert good["search_seconds"] == 61.0
    assert good["search_in_trainings"] == pytest.approx(61 / 20)
    names = [name for name, _ in searched]
    assert names[:3] == ["digits-surgenas-0", "digits-spos-0", "digits-surgenas-1"], "seeds in turn"
    assert {limit for name, limit in searched if name[-1] == "0"} == {None}
    assert {limit for name, limit in searched if name[-1] != "0"} == {2.5}, "later seeds have the limit of the first"
    json.dumps(found)
    text = improvement_table(found)
    assert "better" in text
    assert "worse" in text


def test_what_is_done_is_not_done_again_and_other_settings_are_refused(searched, tmp_path, monkeypatch):
    monkeypatch.setattr("surgenas.report.page.write_page", lambda run: None)
    first = go(tmp_path, seeds=2)
    assert go(tmp_path, seeds=2) == first
    assert go(tmp_path, seeds=3)["rows"][0]["found"]["n"] == 3
    with pytest.raises(UsageError, match="holds a run with other settings"):
        go(tmp_path, seeds=2, settings={"batch": 128})


def test_a_search_that_misses_its_limit_is_said_and_the_others_count(searched, tmp_path, monkeypatch):
    monkeypatch.setattr("surgenas.report.page.write_page", lambda run: None)
    plain = improvement.execute

    def misses(run):
        if run.config.method == "spos" or run.config.seed == 1:
            raise LimitError("too slow")
        plain(run)

    monkeypatch.setattr(improvement, "execute", misses)
    found = go(tmp_path, seeds=3)
    assert [(row["method"], row["found"]["n"]) for row in found["rows"]] == [("surgenas", 2)]
    assert len(found["missed"]) == 4
    assert "digits-surgenas-1: too slow" in improvement_table(found)
    with pytest.raises(LimitError, match="too slow"):
        go(tmp_path, seeds=3, methods=["spos"])


def test_a_first_seed_that_missed_is_tried_again_beside_the_others(searched, tmp_path, monkeypatch):
    monkeypatch.setattr("surgenas.report.page.write_page", lambda run: None)
    plain, busy = improvement.execute, {0}

    def misses(run):
        if run.config.seed in busy:
            run.journal.append("done", stage="reach", seconds=1.0, result={"limit_ms": 2.5})
            raise LimitError("nothing confirmed")
        plain(run)

    monkeypatch.setattr(improvement, "execute", misses)
    assert go(tmp_path, seeds=2, methods=["surgenas"])["rows"][0]["found"]["n"] == 1
    busy.clear()
    assert go(tmp_path, seeds=2, methods=["surgenas"])["rows"][0]["found"]["n"] == 2
    assert searched[-1] == ("digits-surgenas-1", 2.5)


def test_one_run_says_nothing(searched, tmp_path, monkeypatch):
    monkeypatch.setattr("surgenas.report.page.write_page", lambda run: None)
    found = go(tmp_path, seeds=1, methods=["surgenas"])
    assert found["rows"][0]["ri"]["said"] == "unknown: one value"
    assert found["rows"][0]["ri"]["low"] is None
    improvement_table(found)


@pytest.mark.parametrize(
    ("how", "says"),
    [
        ({"seeds": 0}, "--seeds 0: expected 1 to 100"),
        ({"seeds": 1000}, "--seeds 1000"),
        ({"random": 0}, "--random 0"),
        ({"methods": []}, "methods (none)"),
        ({"methods": ["spos", "spos"]}, "each once"),
        ({"methods": ["magic"]}, "unknown method 'magic'"),
    ],
)
def test_bad_protocols_are_refused(tmp_path, how, says):
    with pytest.raises(UsageError) as error:
        go(tmp_path, **how)
    assert says in str(error.value)


def test_two_runs_are_judged_by_their_test_images(tmp_path):
    good, bad = made(tmp_path / "good", 0.95), made(tmp_path / "bad", 0.80)
    near = made(tmp_path / "near", 0.94)
    found = lab.compare([bad, good, near])
    assert found["judged_by"] == "test images"
    assert [(d["name"], d["against"], d["said"]) for d in found["differences"]] == [
        ("bad", "good", "worse"), ("near", "good", "within noise"),
    ]  # fmt: skip
    row = found["runs"][1]
    assert row["accuracy_interval"] == pytest.approx([0.9238, 0.9675], abs=2e-3), "Wilson's, 380 of 400"
    text = comparison_table(found)
    assert "bad against good: -15.00 points" in text


def test_groups_that_differ_in_their_seed_are_judged_by_seeds(tmp_path):
    runs = [made(tmp_path / f"a{s}", 0.95 + s / 1000, seed=s, method="surgenas") for s in range(3)]
    runs += [made(tmp_path / f"b{s}", 0.94 + s / 1000, seed=s, method="spos") for s in range(3)]
    found = lab.compare(runs)
    assert found["judged_by"] == "seeds"
    (only,) = found["differences"]
    assert (only["name"], only["against"], only["said"]) == ("spos (3 seeds)", "surgenas (3 seeds)", "worse")
    assert only["value"] == pytest.approx(-1.0)


def test_runs_at_different_limits_are_no_group(tmp_path):
    runs = [made(tmp_path / f"{method}{s}", 0.9, seed=s, method=method, limit=2.5 + s) for s in (0, 1)
            for method in ("surgenas", "spos")]  # fmt: skip
    assert lab.compare(runs)["judged_by"] == "test images"


def test_what_cannot_be_compared_is_refused(tmp_path):
    one, other = made(tmp_path / "one", 0.9), made(tmp_path / "other", 0.9, images="cats")
    unfinished = tmp_path / "unfinished"
    Run.create(unfinished, make_config(), Progress())
    for runs, says in (
        ([one], "two runs or more"),
        ([one, one], "given twice"),
        ([one, other], "not on the images of"),
        ([one, unfinished], "surgenas resume"),
        ([one, tmp_path], "not a run folder"),
    ):
        with pytest.raises(SurgenasError, match=says) as error:
            lab.compare(runs)
        assert "\n" not in str(error.value)
