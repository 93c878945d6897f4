"""How does long work say what it is doing, without knowing who listens?"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


class Progress:
    """A listener that does nothing. The command line passes one that draws bars, a test one that counts."""

    def log(self, message: str) -> None:
        """Show one line to a person."""

    def detail(self, message: str) -> None:
        """Show one line to a person who asked for every detail."""

    def check(self) -> None:
        """Hear that one piece of work is done and the next has not begun. A listener that wants the work to stop here
        raises `core.errors.Interrupted`."""

    @contextmanager
    def task(self, name: str, total: int, done: int = 0) -> Iterator[Task]:
        """Announce work of `total` equal steps, of which `done` are already done."""
        yield Task()


class Task:
    """Work that was announced; it is told of every step."""

    def advance(self, note: str = "") -> None:
        """Say that one step is done; the note is shown beside the bar."""
