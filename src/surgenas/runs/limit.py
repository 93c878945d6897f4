"""How long may a run take? Its time limit counts all its sessions, and every step asks here whether it may go on."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import takewhile

from surgenas.core.errors import Interrupted, UsageError
from surgenas.core.progress import Progress, Task
from surgenas.core.units import show_seconds
from surgenas.runs.journal import Event
from surgenas.runs.run import Run

Clock = Callable[[], float]


def begin_session(run: Run, limit_s: float | None = None, clock: Clock = time.time) -> None:
    """Note that work on the run begins now, and how long it may take.

    limit_s: seconds of the whole run, earlier sessions among them; None for the limit so far, which holds no more if it
    has stopped the run. Raises UsageError if the run has taken longer already.
    """
    spent = sum(run.seconds().values())
    if limit_s is not None and spent >= limit_s:
        raise UsageError(
            f"--time-limit {show_seconds(limit_s)}: the run has taken {show_seconds(spent)} already; give it more in "
            "all, or leave the limit out"
        )
    if limit_s is None:
        before = time_limit_s(run)
        stopped = [event["limit_s"] for event in run.journal.all("stopped")]
        limit_s = None if before in stopped else before
    run.journal.append("session", time=clock(), limit_s=limit_s)


def check_time(run: Run, clock: Clock = time.time) -> None:
    """Raise Interrupted if the run has used up its time limit. Everything that is finished is kept.

    Without a session, as in a dry run, there is no limit.
    """
    session, limit_s = run.journal.last("session"), time_limit_s(run)
    if session is None or limit_s is None or _spent_before(run, session) + clock() - session["time"] <= limit_s:
        return
    run.journal.append("stopped", limit_s=limit_s)
    again = f"surgenas resume {run.folder}"
    raise Interrupted(
        f"time limit of {show_seconds(limit_s)} reached; `{again}` goes on without one, `{again} --time-limit "
        f"{math.ceil(limit_s / 30)}m` until it has taken that in all"
    )


def time_limit_s(run: Run) -> float | None:
    """The limit of the newest session; before the first one, that of the configuration."""
    session = run.journal.last("session") or {}
    limit_s: float | None = session.get("limit_s", run.config.time_limit_s)
    return limit_s


def _spent_before(run: Run, session: Event) -> float:
    """Seconds that the steps of earlier sessions took."""
    earlier = takewhile(lambda event: event is not session, run.journal.events)
    return sum(float(event["seconds"]) for event in earlier if event["event"] == "spent")


@dataclass(frozen=True, eq=False)
class Timely(Progress):
    """The run's listener, which also stops the work once the time is up."""

    run: Run

    def log(self, message: str) -> None:
        self.run.progress.log(message)

    def detail(self, message: str) -> None:
        self.run.progress.detail(message)

    @contextmanager
    def task(self, name: str, total: int, done: int = 0) -> Iterator[Task]:
        with self.run.progress.task(name, total, done) as task:
            yield task

    def check(self) -> None:
        check_time(self.run)
        self.run.workforce.check()
