"""Points are written once, and a place that fails is said once and ends nothing."""

from __future__ import annotations

import math

import pytest

from surgenas.core.errors import EnvironmentFault
from surgenas.core.progress import Progress
from surgenas.loggers.base import Point
from surgenas.loggers.destination import Destination, destinations
from surgenas.loggers.memory import FILE, places
from tests.loggers.recording import RECORDING, Recording

A = f"{RECORDING}=a"


class Listener(Progress):
    def __init__(self):
        self.said = []

    def log(self, message):
        self.said.append(message)


def test_what_is_there_is_not_written_again_unless_it_is_final_and_another_value(tmp_path):
    for _ in range(2):
        Destination(A, tmp_path, Progress()).tell(lambda w: w.write([Point("x", 0, 1.0), Point("x", 1, 2.0)]))
    told = Recording.made["a"].points
    assert told == [Point("x", 0, 1.0), Point("x", 1, 2.0)]
    place = Destination(A, tmp_path, Progress())
    place.tell(lambda w: w.write([Point("x", 0, 1.5)]))
    place.tell(lambda w: w.write([Point("x", 1, 2.0 + 1e-9), Point("x", 0, 3.0)], final=True))
    assert told[2:] == [Point("x", 0, 3.0)]
    assert place.writer.written == 1


def test_numbers_that_are_none_are_left_out(tmp_path):
    Destination(A, tmp_path, Progress()).tell(lambda w: w.write([Point("x", 0, math.nan), Point("x", 1, math.inf)]))
    assert Recording.made["a"].points == []


@pytest.mark.parametrize("call", ["known", "write"])
def test_a_place_that_fails_is_said_once_in_one_line(tmp_path, call, capsys):
    Recording.broken["a"] = {call}
    listener = Listener()
    place = Destination(A, tmp_path, listener)
    for step in range(3):
        place.tell(lambda w, step=step: w.write([Point("x", step, 1.0)]))
    (line,) = listener.said
    assert "ConnectionError: nobody answers" in line
    assert f"`surgenas log {tmp_path} --to {A}`" in line
    assert capsys.readouterr().out == "", "standard output is the command's own"


def test_a_strict_one_raises(tmp_path):
    Recording.broken["a"] = {"write"}
    with pytest.raises(EnvironmentFault, match="cannot be written: ConnectionError: nobody answers"):
        Destination(A, tmp_path, Progress(), strict=True).tell(lambda w: w.write([Point("x", 0, 1.0)]))


def test_a_failure_of_the_program_is_no_interruption_of_it_but_ctrl_c_is(tmp_path):
    def interrupted(writer):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Destination(A, tmp_path, Progress()).tell(interrupted)


def test_a_folder_knows_where_it_is_written_to(tmp_path):
    asked = [p.to for p in destinations(tmp_path / "new", [A, "tensorboard"], Progress())]
    assert asked == [A, "tensorboard"] == [p.to for p in destinations(tmp_path / "new", [A], Progress())]
    assert list(places(tmp_path / "new")) == asked


def test_a_damaged_memory_is_said_and_nothing_is_logged(tmp_path):
    (tmp_path / FILE).write_text("{")
    listener = Listener()
    assert destinations(tmp_path, [A], listener) == []
    assert "delete it to begin all logs anew" in listener.said[0]
