"""Whatever is appended to a journal is told, once; resumed runs go on; nothing that fails there ends a run."""

from __future__ import annotations

import pytest

import surgenas
from surgenas.core.errors import EnvironmentFault, Interrupted, SurgenasError
from surgenas.loggers.base import Point
from surgenas.loggers.memory import places
from surgenas.runs.following import followed, write_logs
from surgenas.runs.run import Run
from tests.loggers.recording import RECORDING, Recording
from tests.loggers.test_destination import Listener
from tests.runs.written import Interrupting, again, new_run, written_run

A, B = f"{RECORDING}=a", f"{RECORDING}=b"


@pytest.fixture(autouse=True)
def _forget():
    yield
    Recording.forget()


def epoch(run, number):
    run.journal.append("epoch", summary={"epoch": number, "loss": 2.0 - number, "accuracy": 0.5, "latency_ms": 1.0})


def losses(place="a"):
    return [(p.step, p.value) for p in Recording.made[place].points if p.name == "search/loss"]


def test_what_was_and_what_is_appended_is_told_in_order(tmp_path):
    run = new_run(tmp_path / "run")
    epoch(run, 0)
    with followed(run, [A]):
        assert Recording.made == {}, "nothing is opened before there is something to tell"
        epoch(run, 1)
        assert losses() == [(0, 2.0), (1, 1.0)]
        epoch(run, 2)
        assert losses()[2:] == [(2, 0.0)]
    epoch(run, 3)
    assert len(losses()) == 3, "nobody follows any longer"
    told = Recording.made["a"]
    assert (told.settings[0]["training.batch"], told.statuses, told.files) == (64, ["success"], [])


def test_a_later_session_goes_on_everywhere_and_doubles_nothing(tmp_path):
    run = new_run(tmp_path / "run")
    with pytest.raises(KeyboardInterrupt), followed(run, [A]):  # noqa: PT012
        epoch(run, 0)
        raise KeyboardInterrupt
    epoch(run, 1)  # as if it had been killed between journal and logger
    run = again(run)
    with followed(run, [B]):
        epoch(run, 2)
    assert losses("a") == losses("b") == [(0, 2.0), (1, 1.0), (2, 0.0)]
    assert Recording.made["a"].statuses == ["aborted", "success"]
    assert list(places(run.folder)) == [A, B]


@pytest.mark.parametrize(
    ("raised", "status"), [(Interrupted("time"), "aborted"), (SurgenasError("no"), "failed"), (SystemExit, "aborted")]
)
def test_how_a_session_ended_is_told(tmp_path, raised, status):
    run = new_run(tmp_path / "run")
    with pytest.raises((SurgenasError, SystemExit)), followed(run, [A]):  # noqa: PT012
        epoch(run, 0)
        raise raised
    assert Recording.made["a"].statuses == [status]


@pytest.mark.parametrize("call", ["known", "write", "write_settings", "write_words", "keep", "close"])
def test_a_place_that_fails_is_said_once_and_the_run_goes_on(tmp_path, call):
    Recording.broken["a"] = {call}
    listener = Listener()
    run = again(written_run(tmp_path / "run"), listener)
    with followed(run, [A, B]):
        epoch(run, 1)
        epoch(run, 2)
    assert [line for line in listener.said if A in line] == listener.said
    assert len(listener.said) == 1
    assert Recording.made["b"].statuses == ["success"]
    assert [e["summary"]["epoch"] for e in run.journal.all("epoch")] == [0, 1, 2]


def test_a_journal_that_lies_ends_no_run_either(tmp_path):
    listener = Listener()
    run = again(written_run(tmp_path / "run"), listener)
    with followed(run, [A]):
        run.journal.append("done", step="verify", result={"costs": 1}, digests={})
    assert "step verify" in listener.said[0]


def test_a_finished_run_is_written_afterwards_with_its_files(tmp_path):
    run = written_run(tmp_path / "run")
    (run.folder / "model.onnx").write_bytes(b"onnx")
    first = write_logs(run, [A, A])
    assert first[A] == len(Recording.made["a"].points) > 10
    assert write_logs(again(run), [A]) == {A: 0}
    told = Recording.made["a"]
    assert Point("final/found/test_accuracy", 0, 0.9) in told.points
    assert told.words["final/found/grade"] == "A"
    assert told.files[:2] == ["model.onnx", "architecture.json"]
    assert told.statuses == ["success", "success"]


def test_a_place_that_was_asked_for_by_name_and_fails_is_an_error(tmp_path):
    Recording.broken["a"] = {"write"}
    with pytest.raises(EnvironmentFault, match="nobody answers"):
        write_logs(written_run(tmp_path / "run"), [A])


@pytest.mark.slow
def test_whole_runs_that_are_killed_are_told_once(tmp_path, tiny):
    folder = tmp_path / "run"
    with pytest.raises(KeyboardInterrupt):
        surgenas.search(out=folder, log_to=[A], progress=Interrupting(1), **tiny)
    with pytest.raises(KeyboardInterrupt):
        surgenas.resume(folder, progress=Interrupting(2))
    found = surgenas.resume(folder)
    told = Recording.made["a"]
    names = [(p.name, p.step) for p in told.points]
    assert len(set(names)) == len(names)
    epochs = [e["summary"] for e in Run.open(folder, Listener()).journal.all("epoch")]
    assert losses() == [(e["epoch"], e["loss"]) for e in epochs]
    assert [step for name, step in names if name == "train/found/loss"] == [0, 1]
    assert Point("final/found/test_accuracy", 0, found.accuracy) in told.points
    assert told.statuses == ["aborted", "aborted", "success"]
    assert {"model.onnx", "report.html"} <= set(told.files)
