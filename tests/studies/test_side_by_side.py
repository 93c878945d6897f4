"""Runs side by side are commands of their own; here a script stands in for the command, and nothing for the cluster."""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path

import pytest

from surgenas.core.errors import DataError, EnvironmentFault, LimitError
from surgenas.core.progress import Progress
from surgenas.runs.config import make_config
from surgenas.studies import side_by_side
from surgenas.studies.improvement import Place
from surgenas.studies.side_by_side import SideBySide

SCRIPT = """#!/bin/sh
# as: python -m surgenas resume FOLDER ...
case "$4" in
    *missed) echo "surgenas: too slow" >&2; exit 5;;
    *broken) echo "surgenas: a.png cannot be read" >&2; exit 4;;
    *killed) echo "epoch 3" >&2; kill -9 $$;;
    *long) exec sleep 60;;
esac
echo "$@ $RAY_ADDRESS" >&2
"""


class Lines(Progress):
    """What was told, in the order in which it was."""

    def __init__(self, stop: str = "") -> None:
        self.said: list[str] = []
        self.stop = stop

    def log(self, message: str) -> None:
        self.said.append(message)
        if self.stop and self.stop in message:
            os.kill(os.getpid(), signal.SIGUSR1)


class TwoAtOnce:
    """In place of a workforce and its cluster."""

    asked = 0

    def __init__(self, config) -> None:
        self.cluster = self

    def target(self) -> None:
        TwoAtOnce.asked += 1

    def room(self) -> int:
        return 2

    def known_as(self) -> dict[str, str]:
        return {"RAY_ADDRESS": "there:6379"}

    def close(self) -> None:
        TwoAtOnce.asked -= 1


@pytest.fixture
def places(tmp_path, monkeypatch):
    script = tmp_path / "python"
    script.write_text(SCRIPT)
    script.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(script))
    monkeypatch.setattr(side_by_side, "Workforce", TwoAtOnce)
    return lambda *names: [Place(tmp_path / name, make_config(), name) for name in names]


def test_every_run_is_a_command_and_what_it_says_is_told(places, tmp_path):
    lines = Lines()
    one, missed, two = SideBySide(lines, ["tensorboard"])(places("one", "missed", "two"))
    assert (one, two) == (None, None)
    assert isinstance(missed, LimitError)
    assert str(missed) == "too slow"
    assert f"one: -m surgenas resume {tmp_path / 'one'} --log-to tensorboard there:6379" in lines.said
    assert (tmp_path / "two" / "config.json").is_file()
    assert TwoAtOnce.asked == 0, "the device was kept, and let go"


@pytest.mark.parametrize(
    ("name", "kind", "said"),
    [
        ("broken", DataError, "^a.png cannot be read$"),
        ("killed", EnvironmentFault, "the run was killed by signal 9, after saying: epoch 3; start"),
    ],
)
def test_an_error_is_raised_when_the_others_have_ended(places, name, kind, said):
    lines = Lines()
    with pytest.raises(kind, match=said):
        list(SideBySide(lines)(places(name, "one", "two")))
    assert any(line.startswith("two: ") for line in lines.said), "it was done"


def test_whoever_is_interrupted_leaves_none_behind(places):
    def stop(*_):
        raise KeyboardInterrupt

    begun, before, side = time.monotonic(), signal.signal(signal.SIGUSR1, stop), SideBySide(Lines(stop="one"))
    try:
        with pytest.raises(KeyboardInterrupt):
            list(side(places("long", "one", "two")))
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert time.monotonic() - begun < 50
    assert all(child.poll() is not None for child in side._begun)


def test_modules_of_the_users_are_found_there_too(places, tmp_path, monkeypatch):
    Path(sys.executable).write_text('#!/bin/sh\necho "$PYTHONPATH" >&2\n')
    monkeypatch.setattr(sys, "path", [*sys.path, str(tmp_path / "own")])
    lines = Lines()
    assert list(SideBySide(lines)(places("one"))) == [None]
    assert str(tmp_path / "own") in lines.said[0].split(os.pathsep)
