"""The journal of a run: every event as a line of JSON, appended and flushed to disk."""

from __future__ import annotations

import json
import os
import shutil
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from surgenas.core.errors import CorruptError, SurgenasError, UsageError
from surgenas.core.files import cannot_write
from surgenas.runs.results import HARDLY_BEGUN
from surgenas.runs.scale import RESCALED, put_on_scale

Event = dict[str, Any]
LOCK = ".lock"
"""The file in a folder that `exclusive` locks."""


class Journal:
    """The events of a run, in a file to which lines `<crc32 in hex> <json>` are appended.

    events: all events, oldest first, their latencies on the scale of the last one (`runs.scale`).
    followers: called with every event that is appended, once it is on disk.

    If the last line is incomplete (power cut, kill, full disk), it is ignored, and `append` cuts it off before it
    writes. Reading alone changes nothing, since another process may be writing that line.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.events: list[Event] = []
        self.followers: list[Callable[[Event], object]] = []
        self._torn_at: int | None = None
        self.read()

    def append(self, event: str, **values: Any) -> Event:
        """Record an event. It is on disk when this returns, and is returned as it will be read again.

        event: its kind. values: its fields; they must go to JSON. Raises EnvironmentFault if it cannot be written.
        """
        record = {"event": event, **values}
        text = json.dumps(record)
        line = f"{zlib.crc32(text.encode()):08x} {text}\n".encode()
        try:
            with open(self.path, "ab") as file:
                if self._torn_at is not None:
                    file.truncate(self._torn_at)
                self._torn_at = file.seek(0, os.SEEK_END)  # in case writing fails
                file.write(line)
                file.flush()
                os.fsync(file.fileno())
            self._torn_at = None
        except OSError as error:
            raise cannot_write(self.path, len(line), error) from error
        self._add(json.loads(text))
        added = self.events[-1]
        for follow in self.followers:
            follow(added)
        return added

    def _add(self, event: Event) -> None:
        if event["event"] == RESCALED:
            self.events = [put_on_scale(known, event["factor"], event["doubt"]) for known in self.events]
        self.events.append(event)

    def all(self, event: str, **values: Any) -> list[Event]:
        """The events of this kind whose fields have these values, oldest first."""
        return [e for e in self.events if e["event"] == event and all(e.get(k) == v for k, v in values.items())]

    def last(self, event: str, **values: Any) -> Event | None:
        """The newest event of this kind whose fields have these values, or None."""
        found = self.all(event, **values)
        return found[-1] if found else None

    def done(self, step: str) -> Event | None:
        """The newest event that says that a step is done; None if there is none, or the step was reopened since."""
        for event in reversed(self.events):
            if event["event"] == "reopened" and step in event["steps"]:
                return None
            if event["event"] == "done" and event.get("step") == step:
                return event
        return None

    def read(self) -> None:
        """Read all events from the file again. Raises CorruptError if a line other than the last one is damaged."""
        self.events, self._torn_at = [], None
        content = self.path.read_bytes() if self.path.exists() else b""
        lines = content.split(b"\n")
        good = 0
        for number, line in enumerate(lines, start=1):
            if not line and number == len(lines):
                return
            event = _parse(line)
            whole = number < len(lines)  # a line without a newline is incomplete, even if it parses
            if event is None or not whole:
                if number < len(lines) - 1:
                    raise CorruptError(
                        f"{self.path} line {number} is damaged; restore it from a backup or start a new run"
                    )
                self._torn_at = good
                return
            self._add(event)
            good += len(line) + 1


@contextmanager
def exclusive(folder: Path) -> Iterator[None]:
    """Hold a lock on a folder, so that no other process works on it. The system releases the lock when a process dies.

    Raises SurgenasError at once if another process holds it.
    """
    lock = FileLock(folder / LOCK)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise SurgenasError(f"another process is working on {folder}; wait for it or stop it") from None
    try:
        yield
    finally:
        lock.release()


def _parse(line: bytes) -> Event | None:
    """The event in a line, or None if the line is damaged."""
    checksum, _, text = line.partition(b" ")
    try:
        if int(checksum, 16) != zlib.crc32(text):
            return None
        event = json.loads(text)
    except ValueError:
        return None
    return event if isinstance(event, dict) and "event" in event else None


def discard(folder: Path) -> None:
    """Remove the folder of a run in which nothing was done that takes long, with all that is in it; leave others."""
    with exclusive(folder):
        begun = {event["step"] for event in Journal(folder / "journal.jsonl").all("begin")}
    if begun <= HARDLY_BEGUN:
        shutil.rmtree(folder, ignore_errors=True)


def make_room(folder: Path) -> None:
    """Remove a run in which nothing was done that takes long; raises UsageError if something was."""
    with exclusive(folder):
        journal = Journal(folder / "journal.jsonl")
        if not {event["step"] for event in journal.all("begin")} <= HARDLY_BEGUN:
            raise UsageError(f"{folder} holds a run already; `surgenas resume {folder}`, or choose another --out")
        journal.path.unlink(missing_ok=True)
        (folder / "config.json").unlink()
