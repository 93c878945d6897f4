"""The whole job on a simulated device: what it finds, what it writes, and that an interruption changes nothing."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
from surgenas.pipeline import flow
from surgenas.runs.steps.measured import samples

import surgenas
from surgenas import api
from surgenas.core.architecture import SpaceSpec
from surgenas.core.cost import Effort, Failure
from surgenas.core.errors import Interrupted, LimitError, UsageError
from surgenas.core.progress import Progress
from surgenas.hardware.onnx_file import to_onnx
from surgenas.report.text import operators_table, summary
from surgenas.runs.journal import Journal
from surgenas.runs.run import Run
from surgenas.runs.steps.search import search_epochs, usable
from surgenas.tasks.classification import accuracy
from surgenas.testing import ToyDevice

SETTINGS = {
    "device": "surgenas.testing:toy_device", "resolution": 16, "epochs": 3, "train_epochs": 2, "samples": 24,
    "batch": 256, "predictors": ("ridge", "flops"), "random": 1, "uniform": 1, "accelerator": "cpu",
}  # fmt: skip


def go(folder: Path, **settings):
    return surgenas.search(out=folder, **{**SETTINGS, **settings})


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    return go(tmp_path_factory.mktemp("runs") / "whole")


def end_of(folder: Path) -> dict:
    """What must be equal between two runs: everything but times."""
    journal = Journal(folder / "journal.jsonl")
    epochs = [json.dumps(e["summary"]) for e in journal.all("epoch")]
    trained = [(e["network"], e["epoch"], e["loss"]) for e in journal.all("trained")]
    weights = {p.name: p.read_bytes() for p in folder.glob("*.safetensors")}
    return {
        "epochs": epochs, "trained": trained, "weights": weights, "onnx": (folder / "model.onnx").read_bytes(),
        "arch": (folder / "architecture.json").read_text(),
    }  # fmt: skip


def test_the_result_is_inside_the_limit_and_all_of_it_is_there(finished):
    facts = finished.facts
    assert facts["latency"]["ms"] <= facts["limit_ms"]
    assert facts["latency"]["ms"] >= 0.95 * facts["limit_ms"]
    for key in (
        "run",
        "architecture",
        "limit_ms",
        "latency",
        "accuracy",
        "references",
        "random",
        "onnx",
        "report",
        "seconds",
    ):
        assert facts[key], key
    assert {"ms", "interval", "grade", "predicted_ms"} <= facts["latency"].keys()
    assert facts["references"][0]["name"] == "MobileNetV2"
    assert facts["references"][0]["latency_ms"] == pytest.approx(facts["latency"]["ms"], rel=0.1)
    assert facts["uniform"][0]["accuracy"] > 0
    assert facts["random"][0]["latency_ms"] == pytest.approx(facts["latency"]["ms"], rel=0.05)
    assert {"reach", "profile", "predict", "search", "derive", "train found", "export", "verify"} <= facts[
        "seconds"
    ].keys()
    json.dumps(facts)
    assert "inside the limit" in summary(facts)


def test_a_finished_run_is_measured_with_its_own_weights_and_the_accuracy_that_int8_leaves(finished):
    devices = [f"surgenas.testing:{name}" for name in ("brief_device", "brief_int8_device")]
    rows = api.measure([finished.run], devices, yardstick=str(finished.run))["measurements"]
    plain, small = (row["accuracy"] for row in rows)
    assert plain == finished.accuracy
    assert abs(small - plain) <= 0.2
    assert rows[1]["model_bytes"] < 0.6 * rows[0]["model_bytes"]


def test_the_model_loads_in_one_line_and_is_what_was_exported(finished, digits, tmp_path):
    model = surgenas.load(finished.run)
    assert accuracy(model, digits, digits.test) == finished.accuracy
    images = digits.normalise(digits.test.images[:5])
    session = onnxruntime.InferenceSession(finished.export(tmp_path / "net.onnx").read_bytes())
    with torch.no_grad():
        expected = model(images).numpy()
    assert np.allclose(session.run(None, {"images": images.numpy()})[0], expected, atol=1e-4)
    assert finished.architecture.space.name == "mobile"
    assert to_onnx(finished.model, (3, 16, 16))


def test_stopped_before_every_stage_and_resumed_it_ends_the_same(finished, tmp_path, monkeypatch):
    def stop(*_args):
        raise KeyboardInterrupt

    for stage in ("profile", "predict", "derive", "train_all", "export", "verify"):
        with monkeypatch.context() as patch:
            patch.setattr(flow, stage, stop)
            start = go if stage == "profile" else surgenas.resume
            with pytest.raises(KeyboardInterrupt):
                start(tmp_path / "run")
    surgenas.resume(tmp_path / "run")
    assert end_of(tmp_path / "run") == end_of(finished.run)


def killed_again_and_again(folder: Path, **settings) -> int:
    """A run that is killed right after every second epoch's journal line, until it is done: how many times."""
    left, real = 0, Journal.append

    def append(self, event, **rest):
        nonlocal left
        done = real(self, event, **rest)
        if event in ("epoch", "trained"):
            left -= 1
            if left == 0:
                raise KeyboardInterrupt
        return done

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Journal, "append", append)
        for attempt in range(12):
            left = 2
            try:
                surgenas.resume(folder) if attempt else go(folder, **settings)
                return attempt
            except KeyboardInterrupt:
                continue
    pytest.fail("never finished")


def test_stopped_inside_search_and_training_it_ends_the_same(finished, tmp_path):
    assert killed_again_and_again(tmp_path / "run") > 2
    assert end_of(tmp_path / "run") == end_of(finished.run)


@pytest.mark.parametrize("space", ["", "single_path_se"])
def test_single_path_does_the_whole_job(tmp_path, listener, space):
    """Its own space if none is named; stopped inside the search, it goes on to a network inside the limit."""
    how = {"method": "single-path", "space": space, "random": 0, "epochs": 4, "progress": listener}
    with pytest.raises(Interrupted):
        go(tmp_path / "run", time_limit_s=1e-6, **how)
    config = tmp_path / "run" / "config.json"
    record = json.loads(config.read_text())
    record["config"]["time_limit_s"] = None
    config.write_text(json.dumps(record))
    found = surgenas.resume(tmp_path / "run")
    assert found.latency_ms <= found.facts["limit_ms"]
    assert found.architecture.space.name == (space or "single_path")
    assert any("SurgeNAS by default" in line for line in listener.said)
    assert "Decisions of the superkernels" in found.report.read_text()


def test_a_method_that_does_not_fit_its_space_is_refused_at_once(tmp_path):
    with pytest.raises(UsageError, match="--space mobile"):
        go(tmp_path / "run", space="single_path")
    assert not Run.open(tmp_path / "run", Progress()).journal.all("measured")


def test_a_limit_out_of_reach_is_refused_before_time_is_spent(tmp_path):
    with pytest.raises(LimitError, match=r"reaches .* ms to .* ms.*nearest network"):
        go(tmp_path / "run", latency_ms=0.001)
    assert not Journal(tmp_path / "run" / "journal.jsonl").all("begin", stage="profile")


def test_a_limit_above_everything_takes_what_the_search_likes(tmp_path):
    result = go(tmp_path / "run", latency_ms=50.0, epochs=1, train_epochs=1, random=0)
    assert result.latency_ms < 50


def test_a_dry_run_tells_reach_time_and_memory_and_keeps_nothing(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    plan = api.dry_run(**SETTINGS, time_limit_s=60.0)
    assert plan["reachable_ms"][0] < plan["limit_ms"] < plan["reachable_ms"][1]
    assert plan["total_seconds"] > 0
    assert plan["memory_bytes"] > 0
    assert not list(tmp_path.iterdir())


def test_the_time_limit_stops_a_run_that_can_be_resumed(tmp_path):
    with pytest.raises(Interrupted, match="resume"):
        go(tmp_path / "run", time_limit_s=0.01)
    assert (tmp_path / "run" / "journal.jsonl").exists()


def test_folders_that_are_no_run_are_refused(tmp_path, finished):
    with pytest.raises(UsageError, match="not a run folder"):
        api.resume(tmp_path)
    with pytest.raises(UsageError, match="holds a run already"):
        go(finished.run)
    old = tmp_path / "old"
    old.mkdir()
    (old / "config.json").write_text(json.dumps({"format": "surgenas.run/0", "config": {}}))
    with pytest.raises(UsageError, match=r"surgenas\.run/0"):
        Run.open(old, Progress())


def test_what_a_turn_proposes_does_not_hang_on_how_much_of_it_was_measured(finished):
    run = Run.open(finished.run, Progress())
    before = samples(run)[1]
    event = run.journal.all("measured", stage="derive")[0]
    slow = {**event["cost"], "ms": 1000.0}
    turn = len(run.journal.all("missed")) + 1  # were there another
    run.journal.events.append({**event, "turn": turn, "key": "new", "cost": slow})
    assert np.array_equal(samples(run)[1], before)
    run.journal.events.append({"event": "missed", "turn": turn})
    assert samples(run)[1].max() == 1000.0, "it counts in the next turn"


def test_unknown_settings_are_named(tmp_path):
    with pytest.raises(UsageError, match="colour"):
        go(tmp_path / "a", colour=1)
    with pytest.raises(UsageError, match="nope"):
        go(tmp_path / "b", method_settings={"nope": 1})
    with pytest.raises(UsageError, match="--set warmup=abc"):
        go(tmp_path / "d", method="single-path", method_settings={"warmup": "abc"})
    with pytest.raises(UsageError, match="--set lam=x"):
        go(tmp_path / "e", method="single-path", method_settings={"lam": "x"})
    with pytest.raises(UsageError, match="sampler"):
        go(tmp_path / "c", method_settings={"sampler": "nope"})
    for i, (name, value) in enumerate({"tau_start": 0, "momentum": -1, "label_smoothing": 2, "eta": "nan"}.items()):
        with pytest.raises(UsageError, match=f"--set {name}="):
            go(tmp_path / f"bound{i}", method_settings={name: value})
    with pytest.raises(UsageError, match="--epochs"):
        go(tmp_path / "f", method_settings={"epochs": 2})


EVOLVED = {"population": 8, "generations": 2, "mutations": 4, "crossovers": 4}


def test_spos_does_the_whole_job(tmp_path, listener):
    how = {"method": "spos", "space": "shuffle", "random": 0, "epochs": 2, "method_settings": EVOLVED}
    found = go(tmp_path / "run", progress=listener, device="surgenas.testing:MuteDevice", **how)
    assert "latency share" in found.report.read_text(), "what the device does not tell is left empty"
    assert found.latency_ms <= found.facts["limit_ms"]
    assert found.architecture.space.name == "shuffle"
    assert "8 steps of 1 passes" in "".join(listener.said), "four fifths of 1438 images in batches of 256, twice"
    assert "skips" not in Run.open(found.run, Progress()).journal.all("epoch")[0]["summary"]


def test_hurricane_selects_operators_first_and_an_interruption_changes_nothing(tmp_path):
    how = {"method": "hurricane", "random": 0, "epochs": 3, "method_settings": {**EVOLVED, "keep": 3}}
    found = go(tmp_path / "whole", **how)
    assert found.latency_ms <= found.facts["limit_ms"]
    run = Run.open(found.run, Progress())
    chosen = run.result("operators")
    assert dict(found.architecture.space.settings)["pool"] == chosen["pool"]
    assert [row["operator"] for row in chosen["operators"] if row["kept"]] == chosen["pool"].split(",")
    assert "Operators of this device" in (found.run / "report.html").read_text()
    assert killed_again_and_again(tmp_path / "cut", **how) > 1
    assert end_of(tmp_path / "cut") == end_of(tmp_path / "whole")


def test_operators_are_chosen_by_device_and_what_is_left_is_a_space_for_any_method(tmp_path, monkeypatch):
    exact = ToyDevice.measured

    def without_xception(self, job, effort):
        failed = Failure(job.key, UsageError("no kernel for this"))
        return failed if "choice_x" in job.key else exact(self, job, effort)

    monkeypatch.setattr(ToyDevice, "measured", without_xception)
    found = api.operators(["surgenas.testing:toy_device"], tmp_path, resolution=16, keep=6, b=0.5)
    monkeypatch.undo()
    (facts,) = found["devices"].values()
    said = {row["operator"]: row["why"] for row in facts["operators"]}
    assert said["choice_x"] == said["choice_x_se"] == "the device cannot run it"
    assert sum(row["kept"] for row in facts["operators"]) == 6
    assert "kept" in operators_table(found)
    assert (tmp_path / "operators.html").exists()
    run = go(tmp_path / "run", space=facts["space"], epochs=1, train_epochs=1, random=0)
    assert run.architecture.space.name == "operators"
    assert set(run.architecture.genes) <= set(facts["pool"].split(","))


def test_more_operators_to_keep_than_there_are(tmp_path):
    with pytest.raises(UsageError, match="expected 1 to 32"):
        go(tmp_path, method="hurricane", method_settings={"keep": 33})


def test_hurricane_trains_seven_tenths_of_what_spos_does_by_default(tmp_path):
    epochs = {}
    for method in ("spos", "hurricane"):
        run = api.create(out=tmp_path / method, method=method, device=SETTINGS["device"], resolution=16)
        epochs[method] = search_epochs(run)
    assert epochs["hurricane"] / epochs["spos"] == pytest.approx(0.696, abs=0.02)


def test_a_space_file_imports_nothing_and_does_not_overrule_the_images(tmp_path):
    file = tmp_path / "space.json"
    file.write_text(SpaceSpec.of("os:path", {}).to_json())
    with pytest.raises(UsageError, match="unknown space 'os:path'"):
        api.create(out=tmp_path / "a", space=str(file))
    file.write_text(SpaceSpec.of("mobile", {"resolution": 64, "classes": 3, "width": 0.5}).to_json())
    run = api.create(out=tmp_path / "b", space=str(file), device=SETTINGS["device"], resolution=16)
    assert dict(run.space.settings) | {"resolution": 16, "classes": 10, "width": 0.5} == run.space.settings


def test_operators_of_a_space_without_a_pool_or_more_than_there_are(tmp_path):
    with pytest.raises(UsageError, match="use operators or shuffle"):
        api.operators(out=tmp_path, space="mobile")
    with pytest.raises(UsageError, match="expected 1 to 4"):
        api.operators(out=tmp_path, space="shuffle", keep=5)


@pytest.mark.slow
def test_two_processes_train_one_network(tmp_path):
    run = go(tmp_path / "run", devices=2, batch=64, train_epochs=6, random=0)
    assert run.accuracy > 0.5


def test_what_a_noisy_host_spoils_can_be_resumed(tmp_path, monkeypatch):
    """As long as the host is noisy, a second measurement is three times as long: nothing fits twice."""
    exact, seen, noisy = ToyDevice.measured, set(), [True]

    def shifted(self, job, effort):
        slow = 3.0 if noisy[0] and effort is Effort.CONFIRM and job.key in seen else 1.0
        seen.update([job.key] if effort is Effort.CLAIM else [])
        found = exact(self, job, effort)
        return replace(found, ms=slow * found.ms)

    monkeypatch.setattr(ToyDevice, "measured", shifted)
    with pytest.raises(LimitError, match="surgenas resume"):
        go(tmp_path / "run", epochs=1, train_epochs=1, random=0)
    noisy[0] = False
    searched = len(Run.open(tmp_path / "run", Progress()).journal.all("epoch"))
    found = surgenas.resume(tmp_path / "run")
    derived = Run.open(found.run, Progress()).result("derive")
    assert derived["rounds"] > 4
    assert derived["cost"]["ms"] <= found.facts["limit_ms"]
    assert searched == 3, "the search goes on from its third round, and is not repeated"


def test_the_predictor_is_chosen_among_those_that_the_method_can_use(tmp_path):
    how = {"method": "single-path", "method_settings": {"runtime": "paper"}}
    run = api.create(out=tmp_path / "run", **how)
    assert usable(run) == ["ridge", "lookup", "flops"]
    with pytest.raises(UsageError, match="can use none of process, gnn"):
        api.search(out=tmp_path / "none", predictors=("process", "gnn"), **how)
