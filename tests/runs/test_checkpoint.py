"""Checkpoints that were torn, flipped, or killed at any point: never a wrong state, never an unloadable run."""

from __future__ import annotations

import contextlib
import os

import pytest
import torch

from surgenas.core.errors import CorruptError, EnvironmentFault
from surgenas.core.files import write_atomic
from surgenas.runs.checkpoint import Checkpoints

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
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        for write in (lambda: write_atomic(tmp_path / "x", b"abc"), lambda: checkpoints.save(2, STATE)):
            with pytest.raises(EnvironmentFault, match=r"\d+ bytes.*No space left"):
                write()
    assert checkpoints.load()[0] == 1
    assert not (tmp_path / "x").exists()
