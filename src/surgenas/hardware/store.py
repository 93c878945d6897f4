"""Where measurements are kept for later runs: one SQLite file, safe with many processes."""

from __future__ import annotations

import json
import os
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from surgenas.core.errors import CorruptError, EnvironmentFault
from surgenas.hardware.measurement import Measurement, Round

PROTOCOL_VERSION = 1
_SCHEMA = """
CREATE TABLE IF NOT EXISTS measurement (
    id INTEGER PRIMARY KEY, network TEXT NOT NULL, device TEXT NOT NULL, protocol INTEGER NOT NULL,
    created REAL NOT NULL, record TEXT NOT NULL, raw TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS by_network ON measurement (network, device, protocol);
CREATE TABLE IF NOT EXISTS reference (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL, device TEXT NOT NULL, created REAL NOT NULL, ms REAL NOT NULL);
CREATE INDEX IF NOT EXISTS by_name ON reference (name, device);
CREATE TABLE IF NOT EXISTS pair (
    id INTEGER PRIMARY KEY, device TEXT NOT NULL, created REAL NOT NULL, difference REAL NOT NULL);
"""


def default_folder() -> Path:
    """$SURGENAS_HOME, else the user's cache folder."""
    home = os.environ.get("SURGENAS_HOME")
    cache = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(home or Path(cache) / "surgenas").expanduser()


class Store:
    """Measurements with their raw runs, and the history of reference latencies, by device key."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with self._connect() as db:
                db.executescript(_SCHEMA)
        except OSError as error:
            raise EnvironmentFault(f"measurement store {path}: {error.strerror}; set SURGENAS_HOME") from error

    def add(self, measurement: Measurement, rounds: Sequence[Round]) -> None:
        """Keep one measurement and every run behind it."""
        raw = [[_rounded(b.runs_ms) for b in (r.before, r.candidate, r.after)] for r in rounds]
        row = (measurement.key, measurement.device, PROTOCOL_VERSION, time.time())
        with self._connect() as db:
            db.execute(
                "INSERT INTO measurement (network, device, protocol, created, record, raw) VALUES (?, ?, ?, ?, ?, ?)",
                (*row, json.dumps(measurement.to_dict()), json.dumps(raw)),
            )

    def find(self, key: str, device: str) -> list[Measurement]:
        """All measurements of a network on a device, oldest first."""
        with self._connect() as db:
            rows = db.execute(
                "SELECT record FROM measurement WHERE network = ? AND device = ? AND protocol = ? ORDER BY id",
                (key, device, PROTOCOL_VERSION),
            ).fetchall()
        return [Measurement.from_dict(json.loads(record)) for (record,) in rows]

    def add_reference(self, name: str, device: str, times_ms: Sequence[float]) -> None:
        """Add to a reference network's history."""
        now = time.time()
        with self._connect() as db:
            db.executemany(
                "INSERT INTO reference (name, device, created, ms) VALUES (?, ?, ?, ?)",
                [(name, device, now, ms) for ms in times_ms],
            )

    def reference_history(self, name: str, device: str, last: int = 2000) -> list[float]:
        """The latest latencies of a reference network, in ms."""
        with self._connect() as db:
            rows = db.execute(
                "SELECT ms FROM reference WHERE name = ? AND device = ? ORDER BY id DESC LIMIT ?", (name, device, last)
            ).fetchall()
        return [float(ms) for (ms,) in rows]

    def add_pairs(self, device: str, differences: Sequence[float]) -> None:
        """|ln ratio| of networks that were measured twice under different names in one campaign."""
        now = time.time()
        with self._connect() as db:
            db.executemany(
                "INSERT INTO pair (device, created, difference) VALUES (?, ?, ?)",
                [(device, now, difference) for difference in differences],
            )

    def pair_history(self, device: str, last: int = 40) -> list[float]:
        """The latest of them."""
        with self._connect() as db:
            rows = db.execute(
                "SELECT difference FROM pair WHERE device = ? ORDER BY id DESC LIMIT ?", (device, last)
            ).fetchall()
        return [float(difference) for (difference,) in rows]

    @contextmanager
    def _connect(self) -> Iterator[sqlite3.Connection]:
        try:
            db = sqlite3.connect(self.path, timeout=30)
            try:
                db.execute("PRAGMA journal_mode=WAL")
                with db:
                    yield db
            finally:
                db.close()
        except sqlite3.OperationalError as error:
            raise EnvironmentFault(f"measurement store {self.path}: {error}; set SURGENAS_HOME elsewhere") from error
        except sqlite3.DatabaseError as error:
            raise CorruptError(f"measurement store {self.path}: {error}; move it away and start again") from error


def _rounded(times_ms: Sequence[float]) -> list[float]:
    return [round(ms, 5) for ms in times_ms]
