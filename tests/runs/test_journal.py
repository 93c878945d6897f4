"""Journal and checkpoints: torn, flipped, killed at any point; never a wrong result, never an unloadable run."""

from __future__ import annotations

import contextlib
import os

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from surgenas.core.errors import CorruptError, EnvironmentFault, UsageError
from surgenas.core.files import write_atomic
from surgenas.core.progress import Progress
from surgenas.runs.checkpoint import Checkpoints
from surgenas.runs.config import make_config
from surgenas.runs.journal import Journal
from surgenas.runs.run import Run
from surgenas.studies.train import _only


def written(tmp_path, n=4):
    journal = Journal(tmp_path / "journal.jsonl")
    for i in range(n):
        journal.append("tick", i=i)
    return journal


@given(st.integers(1, 60))
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_torn_tail_is_cut_off_and_written_on(tmp_path, lost):
    path = tmp_path / "journal.jsonl"
    path.unlink(missing_ok=True)
    events = written(tmp_path).events
    size = path.stat().st_size
    os.truncate(path, size - lost)
    kept = Journal(path)
    assert path.stat().st_size == size - lost, "reading changes nothing: another process may be writing that line"
    assert kept.events == events[: len(kept.events)]
    kept.append("after")
    assert [e["event"] for e in Journal(path).events] == [*("tick" for _ in kept.events[:-1]), "after"]


def test_a_line_that_the_disk_did_not_take_whole_is_cut_off_before_the_next(tmp_path, monkeypatch):
    journal = written(tmp_path, 2)
    with monkeypatch.context() as full:
        full.setattr(os, "fsync", lambda _: (_ for _ in ()).throw(OSError(28, "No space left on device")))
        with pytest.raises(EnvironmentFault, match="No space"):
            journal.append("lost")
    journal.append("after")
    assert [e["event"] for e in Journal(journal.path).events] == ["tick", "tick", "after"]


def test_what_another_process_wrote_before_it_let_go_is_kept(tmp_path):
    run = Run.create(tmp_path / "run", make_config(), Progress())
    other = written(run.folder)
    os.truncate(other.path, other.path.stat().st_size - 5)  # in the middle of its last line
    run = Run.open(run.folder, Progress())
    written(run.folder, 2)
    with run.exclusive():
        run.journal.append("mine")
    assert [e["event"] for e in Journal(other.path).events] == ["tick"] * 5 + ["mine"]


def test_damage_in_the_middle_is_refused_by_line(tmp_path):
    path = written(tmp_path).path
    content = bytearray(path.read_bytes())
    content[15] ^= 1
    path.write_bytes(content)
    with pytest.raises(CorruptError, match="line 1"):
        Journal(path)


def test_checkpoints_of_another_training_are_not_gone_on_from(tmp_path):
    checkpoints = Checkpoints(tmp_path)
    _only(checkpoints, {"architecture": "a", "seed": 0})
    checkpoints.save(1, STATE)
    _only(checkpoints, {"architecture": "a", "seed": 0})
    with pytest.raises(UsageError, match="another training"):
        _only(checkpoints, {"architecture": "a", "seed": 1})
    (tmp_path / "training.json").unlink()
    with pytest.raises(UsageError, match="another training"):
        _only(checkpoints, {"architecture": "a", "seed": 0})


STATE = {"a": torch.arange(6.0).reshape(2, 3), "b": {0: [1, "x", None], "c": torch.ones(2)}, "n": 1.5}


def same(left, right):
    if isinstance(left, torch.Tensor):
        return torch.equal(left, right)
    if isinstance(left, dict):
        return left.keys() == right.keys() and all(same(left[k], right[k]) for k in left)
    return left == right


def test_state_comes_back_as_it_was(tmp_path):
    checkpoints = Checkpoints(tmp_path)
    assert checkpoints.load() is None
    for number in (1, 2, 3):
        checkpoints.save(number, {**STATE, "number": number})
    assert checkpoints.numbers() == [2, 3], "the previous one is kept"
    number, state = checkpoints.load()
    assert number == 3
    assert same(state, {**STATE, "number": 3})


@pytest.mark.parametrize("name", ["tensors.safetensors", "state.json", "manifest.json"])
@pytest.mark.parametrize("damage", ["flip", "cut", "gone"])
def test_a_damaged_generation_is_passed_over(tmp_path, name, damage):
    checkpoints = Checkpoints(tmp_path)
    checkpoints.save(1, STATE)
    checkpoints.save(2, STATE)
    victim = tmp_path / "000002" / name
    content = bytearray(victim.read_bytes())
    if damage == "gone":
        victim.unlink()
    else:
        content[len(content) // 2] ^= 4
        victim.write_bytes(content if damage == "flip" else content[: len(content) // 2])
    assert checkpoints.load()[0] == 1
    for path in (tmp_path / "000001").iterdir():
        path.write_bytes(b"")
    with pytest.raises(CorruptError, match="no checkpoint"):
        checkpoints.load()


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_kill_inside_the_writer_leaves_the_last_generation(tmp_path, monkeypatch, step):
    checkpoints = Checkpoints(tmp_path)
    checkpoints.save(1, STATE)
    real, calls = getattr(os, step), []
    for fatal in range(1, 12):
        calls.clear()

        def once(*args, fatal=fatal):
            calls.append(1)
            if len(calls) == fatal:
                raise KeyboardInterrupt
            return real(*args)

        with monkeypatch.context() as patch:
            patch.setattr(os, step, once)
            with contextlib.suppress(KeyboardInterrupt):
                checkpoints.save(2, STATE)
        number, state = checkpoints.load()
        assert number in (1, 2)
        assert same(state, STATE)


def test_a_full_disk_is_said_with_path_and_bytes(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    checkpoints = Checkpoints(tmp_path)
    checkpoints.save(1, STATE)
    monkeypatch.setattr(os, "fsync", full)
    for write in (lambda: write_atomic(tmp_path / "x", b"abc"), lambda: checkpoints.save(2, STATE)):
        with pytest.raises(EnvironmentFault, match=r"\d+ bytes.*No space left"):
            write()
    with pytest.raises(EnvironmentFault, match="journal"):
        Journal(tmp_path / "journal.jsonl").append("x")
    monkeypatch.undo()
    assert checkpoints.load()[0] == 1
    assert not (tmp_path / "x").exists()
