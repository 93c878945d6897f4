"""The progress that a person sees: a live bar on a terminal, plain lines elsewhere; always on standard error."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from surgenas.core.progress import Progress, Task
from surgenas.core.units import show_seconds

QUIET_S = 10.0
"""Plain lines about a task are at least so many seconds apart."""


class ConsoleProgress(Progress):
    """Log lines, and progress bars that say how much time is left. details: show these lines too."""

    def __init__(self, details: bool = False) -> None:
        self.details = details
        self.console = Console(stderr=True, highlight=False, soft_wrap=True)

    def log(self, message: str) -> None:
        self.console.print(message, markup=False)

    def detail(self, message: str) -> None:
        if self.details:
            self.log(message)

    @contextmanager
    def task(self, name: str, total: int, done: int = 0) -> Iterator[Task]:
        if not self.console.is_terminal:
            yield _Lines(self, name, total, done)
            return
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[note]}", markup=False),
        )
        with Bar(*columns, console=self.console, transient=True) as bar:
            yield _Bar(bar, name, total, done)


class _Bar(Task):
    def __init__(self, bar: Bar, name: str, total: int, done: int) -> None:
        self.bar = bar
        self.id = bar.add_task(name, total=total, completed=done, note="")

    def advance(self, note: str = "") -> None:
        self.bar.update(self.id, advance=1, note=note)


class _Lines(Task):
    """A task as plain lines, at least QUIET_S apart; one at the end if there was one before, or for all details."""

    def __init__(self, listener: ConsoleProgress, name: str, total: int, done: int) -> None:
        self.listener, self.name, self.total = listener, name, total
        self.begun_with = self.done = done
        self.start = self.said = time.monotonic()

    def advance(self, note: str = "") -> None:
        self.done += 1
        now = time.monotonic()
        silent = self.said == self.start and not self.listener.details  # so far
        if now - self.said < QUIET_S and (self.done < self.total or silent):
            return
        self.said = now
        left = (now - self.start) / (self.done - self.begun_with) * (self.total - self.done)
        remaining = f", {show_seconds(left)} left" if self.done < self.total else ""
        self.listener.log(f"{self.name} {self.done}/{self.total}{remaining}{'; ' + note if note else ''}")
