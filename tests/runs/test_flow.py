"""The whole job on a simulated device: what it finds, what it writes, and that an interruption changes nothing."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch

import surgenas
from surgenas import api
from surgenas.core.errors import Interrupted, LimitError
from surgenas.core.progress import Progress
from surgenas.hardware.onnx_file import to_onnx
from surgenas.methods import promising
from surgenas.methods.evolution import Evolution
from surgenas.report.text import summary_text
from surgenas.runs.flow import CHEAP, LAST, LONG, perform, prepare
from surgenas.runs.journal import Journal
from surgenas.runs.results import STEP_OF, Accuracy, Scheduled, Selected, Sized, Started, TotalCost
from surgenas.runs.run import Run
from surgenas.runs.searching import Searching
from surgenas.tasks.classification import accuracy
from surgenas.tasks.data import load_data
from surgenas.training.augment import steps_per_epoch
from tests.runs.written import ROOFLINE, TINY, end_of, killed, lines_of

EVOLVED = {"population": 8, "generations": 2, "mutations": 4, "crossovers": 4}


def go(folder: Path, tiny: dict, **settings):
    return surgenas.search(out=folder, **{**tiny, "random": 0, "random_at_equal_latency": 0, **settings})


def open_run(folder: Path) -> Run:
    return Run.open(folder, Progress())


def test_the_result_is_inside_the_limit_and_all_of_it_is_there(finished):
    found = finished.summary
    assert 0.95 * found.limit_ms <= found.latency.ms <= found.limit_ms
    assert found.latency.evidence == "measured"
    assert found.latency.interval[0] < found.latency.ms < found.latency.interval[1]
    assert found.yardsticks[0].latency_ms == pytest.approx(found.latency.ms, rel=0.1)
    assert found.random_at_equal_latency[0].latency_ms == pytest.approx(found.latency.ms, rel=0.05)
    assert [n.name for n in found.beside] == ["MobileNetV2", "random at equal latency 1", "random 1"]
    assert all(0 <= n.accuracy <= 1 for n in found.beside)
    steps = {step.name for step in (*CHEAP, *LONG, *LAST)} | {"train found", "train MobileNetV2", "train random 1"}
    assert steps <= found.seconds.keys()
    assert all(
        (finished.run / name).exists() for name in ("model.onnx", "model.json", "report.html", "architecture.json")
    )
    json.dumps(finished.to_json(), allow_nan=False)
    assert "inside the limit" in summary_text(found)


def test_every_result_of_a_finished_run_is_read_back_by_its_kind(finished):
    run = open_run(finished.run)
    for kind, step in STEP_OF.items():
        found = run.result(kind)
        assert (found is None) == (kind in (Sized, Selected, Started, Scheduled)), step
        assert found is None or kind.from_json(json.loads(json.dumps(found.to_json()))) == found
    assert run.accuracy("found") == finished.accuracy
    assert run.result_of("train random 1", Accuracy).accuracy == finished.summary.random[0].accuracy


@pytest.mark.slow
def test_a_finished_run_is_measured_with_its_own_weights_and_the_accuracy_that_int8_leaves(finished):
    devices = [f"surgenas.testing:{name}" for name in ("brief_device", "brief_int8_device")]
    plain, small = api.measure([finished.run], devices, yardstick=str(finished.run)).measurements
    assert plain.accuracy == finished.accuracy
    assert abs(small.accuracy - plain.accuracy) <= 0.4
    assert small.cost.model_bytes < 0.6 * plain.cost.model_bytes


def test_the_model_loads_in_one_line_and_is_what_was_exported(finished, tiny, tmp_path):
    model = surgenas.load(finished.run)
    data = load_data(tiny["data"], 16, max_corrupt=0.05, cache=tmp_path / "cache", progress=Progress())
    assert accuracy(model, data, data.test) == finished.accuracy
    images = data.normalise(data.test.images[:5])
    session = onnxruntime.InferenceSession(finished.export(tmp_path / "net.onnx").read_bytes())
    with torch.no_grad():
        expected = model(images).numpy()
    assert np.allclose(session.run(None, {"images": images.numpy()})[0], expected, atol=1e-4)
    assert finished.architecture.space.name == "mobile"
    assert to_onnx(finished.model, (3, 16, 16))


def test_stopped_after_every_step_and_inside_search_and_training_it_ends_the_same(finished, tiny, tmp_path):
    prepare(api.create(out=tmp_path / "run", **tiny))
    for step in LONG[:2]:
        perform(open_run(tmp_path / "run"), step)
    killed(tmp_path / "run", after=(1, 2))
    assert end_of(tmp_path / "run") == end_of(finished.run)


def test_a_finished_run_that_is_resumed_does_nothing_again(finished):
    before = [e for e in lines_of(open_run(finished.run)) if e["event"] in ("done", "measured", "epoch", "trained")]
    assert surgenas.resume(finished.run).architecture == finished.architecture
    after = [e for e in lines_of(open_run(finished.run)) if e["event"] in ("done", "measured", "epoch", "trained")]
    assert after == before


def test_files_that_were_damaged_or_removed_afterwards_are_made_again(finished, tmp_path):
    folder = shutil.copytree(finished.run, tmp_path / "run")
    kept = {name: (folder / name).read_bytes() for name in ("model.safetensors", "models-random-1.safetensors")}
    model = (folder / "model.onnx").read_bytes()
    (folder / "model.safetensors").write_bytes(kept["model.safetensors"][:500])
    (folder / "models-random-1.safetensors").unlink()
    use = (folder / "model.json").read_bytes()
    (folder / "model.onnx").unlink()
    (folder / "model.json").write_bytes(use[:100])
    found = surgenas.resume(folder)
    assert {name: (folder / name).read_bytes() for name in kept} == kept
    assert (folder / "model.onnx").read_bytes() == model
    assert (folder / "model.json").read_bytes() == use
    assert found.accuracy == finished.accuracy


def test_single_path_does_the_whole_job_in_its_own_space_and_a_time_limit_stops_it(tmp_path, tiny, listener):
    """Stopped at once by its time, it is resumed, without that limit, to a network inside the one of latency."""
    how = {"method": "single-path", "epochs": 2, "train_epochs": 1, "progress": listener}
    with pytest.raises(Interrupted, match="surgenas resume"):
        go(tmp_path / "run", tiny, time_limit_s=1e-6, **how)
    assert not open_run(tmp_path / "run").journal.all("done", step="reach")
    found = surgenas.resume(tmp_path / "run", progress=listener)
    assert found.latency_ms <= found.summary.limit_ms
    assert found.architecture.space.name == "single_path"
    assert any("SurgeNAS by default" in line for line in listener.said)
    assert "Decisions of the superkernels" in found.report.read_text()


@pytest.mark.slow
def test_single_path_with_squeeze_and_excitation_finds_a_network_inside_the_limit(tmp_path, tiny):
    run = api.create(out=tmp_path / "run", **{**tiny, "method": "single-path", "space": "single_path_se"})
    prepare(run)
    for step in LONG[:-1]:
        perform(run, step)
    assert run.derived.architecture.space.name == "single_path_se"
    assert run.derived.cost.ms <= run.reached.limit_ms


def test_a_limit_out_of_reach_is_refused_before_time_is_spent(tmp_path, tiny):
    with pytest.raises(LimitError, match=r"reaches .* ms to .* ms.*nearest network"):
        go(tmp_path / "run", tiny, latency_ms=1e-4)
    assert not Journal(tmp_path / "run" / "journal.jsonl").all("begin", step="profile")


@pytest.mark.slow
def test_spos_does_the_whole_job(tmp_path, tiny, listener):
    how = {"method": "spos", "space": "shuffle", "train_epochs": 1, "method_settings": EVOLVED}
    found = go(tmp_path / "run", tiny, progress=listener, device="surgenas.testing:MuteDevice", **how)
    assert "latency share" in found.report.read_text(), "what the device does not tell is left empty"
    assert found.latency_ms <= found.summary.limit_ms
    assert found.architecture.space.name == "shuffle"
    assert re.search(r"2 epochs of search \(\d+ steps of 1 passes", "".join(listener.said))
    assert "skips" not in open_run(found.run).journal.all("epoch")[0]["summary"]


@pytest.mark.slow  # each of its parts by itself: tests/methods/test_hurricane.py, tests/test_replay.py
def test_hurricane_selects_operators_first_and_an_interruption_changes_nothing(tmp_path, tiny):
    how = {"method": "hurricane", "space": "shuffle", "method_settings": {**EVOLVED, "keep": 3}, "train_epochs": 1}
    found = go(tmp_path / "whole", tiny, **how)
    assert found.latency_ms <= found.summary.limit_ms
    chosen = open_run(found.run).result(Selected)
    assert dict(found.architecture.space.settings)["pool"] == chosen.pool
    assert [row.operator for row in chosen.operators if row.kept] == chosen.pool.split(",")
    assert "Operators of this device" in found.report.read_text()
    settings = {**tiny, "random": 0, "random_at_equal_latency": 0, **how}
    killed(tmp_path / "cut", after=(1, 2), **settings)
    assert end_of(tmp_path / "cut") == end_of(tmp_path / "whole")


WEAK = {"method": "weaknas", "method_settings": {"trials": 6, "first": 3, "pool": 300}, "epochs": 1, "train_epochs": 1}


@pytest.mark.slow  # a race asks for the same two kinds of work
def test_a_method_that_samples_is_killed_after_every_second_candidate_and_ends_the_same(tmp_path, tiny):
    found = go(tmp_path / "whole", tiny, **WEAK)
    assert found.latency_ms <= found.summary.limit_ms
    events = open_run(found.run).journal
    assert len(events.all("trial")) >= 6
    assert all(e["latency_ms"] > 0 and 0 <= e["score"] <= 1 for e in events.all("trial"))
    assert len({e["key"] for e in events.all("trial")}) == len(events.all("trial")), "no network twice"
    settings = {**tiny, "random": 0, "random_at_equal_latency": 0, **WEAK}
    killed(tmp_path / "cut", after=(2, 2), **settings)
    assert end_of(tmp_path / "cut") == end_of(tmp_path / "whole")


RACE = {"method": "race", "space": "mobile", "method_settings": {"networks": 4}, "epochs": 2, "train_epochs": 3}


def test_a_race_that_is_killed_again_and_again_ends_the_same_and_its_winner_was_trained_once(tmp_path, tiny):
    found = go(tmp_path / "whole", tiny, **RACE)
    run = open_run(found.run)
    trials = run.journal.all("trial")
    assert [e["rung"] for e in trials] == [0, 0, 0, 0, 1, 1]
    assert found.latency_ms <= found.summary.limit_ms
    first = max((e for e in trials if e["rung"] == 1), key=lambda e: e["score"])
    assert list(found.architecture.genes) == first["genes"]
    assert [e["epoch"] for e in run.journal.all("trained", network="found")] == [2], "two epochs were run before"
    cost, steps = run.result(TotalCost), Searching(run).steps_per_epoch
    assert cost.search == (2 + 1 + 1) * steps * run.config.training.batch, "those of the others"
    assert cost.training == 3 * steps_per_epoch(run.data, run.config.training.batch) * run.config.training.batch
    settings = {**tiny, "random": 0, "random_at_equal_latency": 0, **RACE}
    killed(tmp_path / "cut", after=(2, 1), **settings)
    assert end_of(tmp_path / "cut") == end_of(tmp_path / "whole")


FLASH = {"method": "flash", "method_settings": {"trials": 8, "first": 5, "batch": 3, "models": "macs,params,ridge"}}


@pytest.mark.slow
def test_flash_is_killed_after_every_third_candidate_ends_the_same_and_says_what_explains_accuracy(
    tmp_path, tiny, monkeypatch
):
    monkeypatch.setattr(promising, "EVOLUTION", Evolution(population=10, generations=2, draws=30))
    how = {**FLASH, "epochs": 1, "train_epochs": 1}
    found = go(tmp_path / "whole", tiny, **how)
    assert found.latency_ms <= found.summary.limit_ms
    explained = found.summary.explained
    assert explained.samples == 5
    assert {row.name for row in explained.models} == {"macs", "params", "ridge"}
    assert len(open_run(found.run).journal.all("trial")) >= 8
    assert "What explains accuracy" in found.report.read_text()
    assert "accuracy of the first 5 networks: " in summary_text(found.summary)
    settings = {**tiny, "random": 0, "random_at_equal_latency": 0, **how}
    killed(tmp_path / "cut", after=(3, 2), **settings)
    assert end_of(tmp_path / "cut") == end_of(tmp_path / "whole")


@pytest.mark.slow
def test_cells_of_nasbench201_do_the_whole_job_on_digits(tmp_path):
    """The toy's latencies of cells have steps of 5 %: at this limit one of them lies just below."""
    how = {**TINY, "space": "nasbench201", "resolution": 8, "epochs": 1, "train_epochs": 1, "batch": 512, "samples": 12}
    how |= {"latency_ms": 0.0652, "random": 0, "random_at_equal_latency": 0}
    found = surgenas.search(out=tmp_path / "run", data="digits", **how)
    assert found.architecture.space.name == "nasbench201"
    assert len(found.architecture.genes) == 6
    assert found.latency_ms <= found.summary.limit_ms
    assert surgenas.load(found.run)(torch.zeros(1, 3, 8, 8)).shape == (1, 10)
    assert f"{found.accuracy:.1%}" in found.report.read_text()


@pytest.fixture(scope="module")
def on_paper(tmp_path_factory, tiny):
    folder = tmp_path_factory.mktemp("paper")
    (folder / "paper.toml").write_text(ROOFLINE)
    how = {"method": "random", "method_settings": {"trials": 3}, "samples": 12, "epochs": 1, "train_epochs": 1}
    return go(folder / "run", tiny, device=str(folder / "paper.toml"), **how)


CERTAIN = ("measured", "grade", "+-", "campaign", "wall clock")
"""What may be said of a latency that was timed, and of no other."""


def test_a_search_on_an_estimator_says_estimated_in_its_text_and_its_json(on_paper):
    found = on_paper.summary
    assert found.latency.evidence == "estimated"
    assert (found.latency.interval, found.latency.grade, found.latency.p90) == (None, None, None)
    assert found.latency.ms <= found.limit_ms
    assert all((n.interval, n.grade) == (None, None) and n.latency_ms > 0 for n in found.beside)
    text = summary_text(found)
    assert text.startswith("estimated ")
    assert "nothing was timed" in text
    assert not [word for word in CERTAIN if word in text]
    record = on_paper.to_json()
    assert record["latency"]["evidence"] == "estimated"
    assert '"measured"' not in json.dumps(record)
    assert found.predictor.ceiling is None, "nothing is timed, so there is no noise"


def test_a_page_of_an_estimator_says_estimated_and_never_measured(on_paper):
    text = on_paper.report.read_text()
    body = text[text.index("<body>") :]
    assert "Estimated" in body
    assert not [word for word in CERTAIN if word in body.lower()]


def test_the_headline_of_a_page_of_an_estimator_says_estimated(on_paper):
    text = on_paper.report.read_text()
    body = text[text.index("<body>") :]
    headline = body[: body.index("<section>")]
    assert "Estimated <b>" in headline
    assert "Estimated latency" in headline
    assert "nothing was timed" in headline
    assert not [word for word in CERTAIN if word in headline.lower()]
    assert "roofline 1 on" in body, "and what it takes for granted"
    assert "Nothing stays in a cache between layers." in body


def test_what_is_trained_alone_with_a_runs_settings_is_the_runs_network_bit_for_bit(finished, tiny, tmp_path):
    arch = finished.run / "architecture.json"
    how = {"epochs": tiny["train_epochs"], "batch": tiny["batch"], "accelerator": "cpu", "seed": 0}
    alone = api.train(arch, tiny["data"], tmp_path / "alone", **how)
    assert Path(alone.model).read_bytes() == (finished.run / "model.safetensors").read_bytes()
    assert alone.accuracy.test == finished.accuracy


@pytest.mark.slow
def test_what_is_left_of_selected_operators_is_a_space_for_any_method(tmp_path, tiny):
    found = api.operators(["tests.runs.written:PickyDevice"], tmp_path, resolution=16, keep=6, b=0.5)
    (chosen,) = found.devices.values()
    why = {row.operator: row.why for row in chosen.operators}
    assert why["choice_x"] == why["choice_x_se"] == "the device cannot run it"
    assert sum(row.kept for row in chosen.operators) == 6
    how = {"method": "random", "method_settings": {"trials": 2}, "epochs": 1, "train_epochs": 1}
    run = go(tmp_path / "run", tiny, space=chosen.space, **how)
    assert run.architecture.space.name == "operators"
    assert set(run.architecture.genes) <= set(chosen.pool.split(","))


@pytest.mark.slow
def test_two_processes_train_one_network(tmp_path):
    run = surgenas.search(out=tmp_path / "run", **{**TINY, "batch": 64, "train_epochs": 6}, processes=2)
    assert run.accuracy > 0.5
