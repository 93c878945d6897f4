"""Runs from Python: values come back, words are refused as words, and nothing is kept that was not asked for."""

from __future__ import annotations

import json

import pytest

import surgenas
from surgenas import api
from surgenas.core.errors import CorruptError, LimitError, SurgenasError, UsageError
from surgenas.core.progress import Progress
from surgenas.runs.run import Run
from surgenas.runs.summary import summarize
from tests.runs.written import TINY, again, new_run, pictures, written_run


@pytest.fixture
def words(tmp_path):
    return {**TINY, "data": str(pictures(tmp_path / "pictures"))}


def test_a_finished_run_that_is_resumed_gives_its_result_again(tmp_path):
    run = written_run(tmp_path / "run")
    found = surgenas.resume(run.folder)
    assert found.summary == summarize(again(run))
    assert (found.latency_ms, found.accuracy, found.architecture) == (2.0, 0.9, run.derived.architecture)
    assert found.report.is_file()
    assert found.to_json() == json.loads(json.dumps(found.summary.to_json()))
    assert found._repr_html_().startswith("<table>")


def test_memory_and_workers_of_a_resumed_run_are_those_of_now_and_not_kept(tmp_path):
    run = written_run(tmp_path / "run")
    before = (run.folder / "config.json").read_bytes()
    assert surgenas.resume(run.folder, memory_bytes=1.0, workers=0).summary == summarize(again(run))
    assert (run.folder / "config.json").read_bytes() == before


def test_a_result_is_frozen(tmp_path):
    found = surgenas.resume(written_run(tmp_path / "run").folder)
    with pytest.raises(AttributeError):
        found.run = tmp_path


def test_a_dry_run_tells_reach_time_and_memory_and_keeps_nothing(words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    before = sorted(path.name for path in tmp_path.iterdir())
    plan = api.dry_run(**words, time_limit_s=60.0)
    assert plan.reachable_ms[0] < plan.limit_ms < plan.reachable_ms[1]
    assert plan.total_seconds > 0
    assert plan.memory_bytes > 0
    assert (plan.epochs, plan.train_epochs) == (2, 2)
    assert plan.seconds.keys() == {"profile", "search", "train", "other"}
    assert sorted(path.name for path in tmp_path.iterdir()) == before


def test_a_run_without_a_name_is_named_by_the_time(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert api.create(device=TINY["device"]).folder.parent.name == "runs"


def test_a_search_without_a_name_says_first_where_it_is_kept_and_leaves_nothing_if_it_is_refused(
    words, tmp_path, monkeypatch, listener
):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(LimitError):
        surgenas.search(**words, latency_ms=1e-6, progress=listener)
    assert listener.said[0].startswith("run folder: runs/")
    assert not list(tmp_path.glob("runs/*"))
    with pytest.raises(LimitError):
        surgenas.search(**words, latency_ms=1e-6, out=tmp_path / "mine")
    assert (tmp_path / "mine" / "config.json").is_file(), "what was asked for by name stays"


@pytest.mark.parametrize(
    ("said", "named"),
    [
        ({"colour": 1}, "colour 1: unknown setting"),
        ({"method_settings": {"nope": 1}}, "nope"),
        ({"method": "single-path", "method_settings": {"warmup": "abc"}}, "--set warmup=abc"),
        ({"method": "single-path", "method_settings": {"lam": "x"}}, "--set lam=x"),
        ({"method_settings": {"sampler": "nope"}}, "sampler"),
        ({"method_settings": {"tau_start": 0}}, "--set tau_start="),
        ({"method_settings": {"momentum": -1}}, "--set momentum="),
        ({"method_settings": {"label_smoothing": 2}}, "--set label_smoothing="),
        ({"method_settings": {"eta": "nan"}}, "--set eta="),
        ({"method_settings": {"epochs": 2}}, "--epochs"),
        ({"method": "hurricane", "method_settings": {"keep": 33}}, "expected 1 to 32"),
        ({"method": "single-path", "predictors": ("process", "gnn"), "method_settings": {"runtime": "paper"}},
         "can use none of process, gnn"),
        ({"accelerator": "abacus"}, "auto, cpu, cuda"),
        ({"space": "single_path"}, "--space mobile"),
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_named_before_anything_is_measured(words, tmp_path, said, named):
    with pytest.raises(UsageError, match=named):
        api.search(out=tmp_path / "run", **{**words, **said})
    if (tmp_path / "run").exists():
        assert not Run.open(tmp_path / "run", Progress()).journal.all("measured")


def test_a_profile_is_gone_on_with_and_learned_from(words, tmp_path):
    how = {k: words[k] for k in ("data", "device", "resolution", "samples", "predictors")}
    found = api.profile(out=tmp_path / "p", **how)
    assert found.samples == words["samples"]
    assert found.device == "toy/1"
    assert found.reachable_ms[0] < found.reachable_ms[1]
    assert api.profile(out=tmp_path / "p", **how) == found
    with pytest.raises(UsageError, match="other settings"):
        api.profile(out=tmp_path / "p", **{**how, "samples": 17})
    predicted = api.predict(tmp_path / "p")
    assert predicted == api.predict(tmp_path / "p"), "what is done is not done again"
    assert {score.name for score in predicted.scores} == {"ridge", "flops"}
    assert predicted.ceiling.kendall == pytest.approx(1.0), "the toy device says the same twice"


def test_what_is_not_that_far_says_how_to_go_on(tmp_path):
    run = new_run(tmp_path / "run")
    with pytest.raises(UsageError, match="no profile yet"):
        api.predict(run.folder)
    with pytest.raises(SurgenasError, match=r"no model\.onnx; `surgenas resume"):
        api.export(run.folder, tmp_path / "x.onnx")
    with pytest.raises(UsageError, match=r"architecture\.json"):
        api.load(run.folder)
    with pytest.raises(CorruptError, match="surgenas resume"):
        api.load(written_run(tmp_path / "half").folder)


def test_a_run_that_is_written_to_tensorboard_afterwards_has_its_points_there(tmp_path):
    pytest.importorskip("tensorboard")
    run = written_run(tmp_path / "run")
    found = api.log(run.folder, ["tensorboard"])
    assert found.points["tensorboard"] > 10
    assert api.log(run.folder, ["tensorboard"]).points == {"tensorboard": 0}
    assert list((run.folder / "tensorboard").iterdir())


def test_a_logger_that_does_not_exist_is_refused_before_a_folder_is_made(tmp_path):
    run, wrong, new = written_run(tmp_path / "run").folder, ["tensorbord"], tmp_path / "new"
    for begin in (
        lambda: api.search(out=new, log_to=wrong),
        lambda: api.train(run, "digits", new, epochs=1, log_to=wrong),
        lambda: api.improvement(new, ["digits"], ["surgenas"], log_to=wrong),
        lambda: api.resume(run, log_to=wrong),
        lambda: api.log(run, wrong),
    ):
        with pytest.raises(UsageError, match="unknown logger 'tensorbord'; one of mlflow, tensorboard"):
            begin()
    assert not new.exists()
