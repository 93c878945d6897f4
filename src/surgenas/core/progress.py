"""How long work tells what it does, without knowing who listens."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


class Progress:
    """Silent listener; the command line replaces it by one that draws, a test by one that counts."""

    def log(self, message: str) -> None:
        """One line for a person."""

    @contextmanager
    def task(self, name: str, total: int, done: int = 0) -> Iterator[Task]:
        """A piece of work of `total` equal steps, `done` of them done before."""
        yield Task()


class Task:
    """Where a piece of work stands."""

    def advance(self, note: str = "") -> None:
        """One step is done; the note is shown beside it."""
