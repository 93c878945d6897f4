"""Work that nobody listens to goes on in silence; a listener hears what it overrides and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from surgenas.core.progress import Progress, Task


def work(progress: Progress, steps: int) -> int:
    progress.log("starting")
    with progress.task("count", steps, done=1) as task:
        for i in range(1, steps):
            task.advance(f"{i}")
    return steps


def test_nothing_is_printed_where_nobody_listens(capsys):
    assert work(Progress(), 5) == 5
    assert capsys.readouterr() == ("", "")


class Counter(Progress, Task):
    """Its own task."""

    def __init__(self) -> None:
        self.heard: list[object] = []

    @contextmanager
    def task(self, name: str, total: int, done: int = 0) -> Iterator[Task]:
        self.heard.append((name, total, done))
        yield self
        self.heard.append("done")

    def advance(self, note: str = "") -> None:
        self.heard.append(note)


def test_a_listener_hears_every_step_and_what_was_done_before():
    counter = Counter()
    work(counter, 4)
    assert counter.heard == [("count", 4, 1), "1", "2", "3", "done"]


def test_a_failure_inside_a_task_is_not_swallowed():
    def fail() -> None:
        with Progress().task("count", 3):
            raise RuntimeError("inside")

    with pytest.raises(RuntimeError, match="inside"):
        fail()
