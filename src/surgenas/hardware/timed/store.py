"""Where are measurements kept for later runs? In an SQLite file, or in a database that a team shares.

Every addition is one transaction; what was committed is never lost, whatever becomes of its writer.
"""

from __future__ import annotations

import fcntl
import json
import os
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import (
    URL,
    Column,
    Connection,
    Float,
    Index,
    Integer,
    MetaData,
    NullPool,
    ScalarSelect,
    Table,
    Text,
    create_engine,
    event,
    func,
    insert,
    make_url,
    select,
)
from sqlalchemy.exc import ArgumentError, DatabaseError, OperationalError

from surgenas.core.errors import CorruptError, EnvironmentFault, UsageError
from surgenas.hardware.timed.measurement import Measurement, Round
from surgenas.hardware.timed.scale import Look

PROTOCOL_VERSION = 4
"""Measurements that were stored under another version are not comparable, and are passed over."""
LATEST = 20_000
"""So many latencies of a reference are looked at, those of some fifty campaigns."""
_META = MetaData()
_MEASUREMENT = Table(
    "measurement", _META, Column("id", Integer, primary_key=True), Column("network", Text, nullable=False),
    Column("device", Text, nullable=False), Column("protocol", Integer, nullable=False),
    Column("created", Float, nullable=False), Column("record", Text, nullable=False),
    Column("raw", Text, nullable=False), Index("by_network", "network", "device", "protocol"),
)  # fmt: skip
_REFERENCE = Table(
    "reference", _META, Column("id", Integer, primary_key=True), Column("name", Text, nullable=False),
    Column("device", Text, nullable=False), Column("created", Float, nullable=False),
    Column("ms", Float, nullable=False), Index("by_name", "name", "device"),
)  # fmt: skip
_PAIR = Table(
    "pair", _META, Column("id", Integer, primary_key=True), Column("device", Text, nullable=False),
    Column("created", Float, nullable=False), Column("difference", Float, nullable=False),
)  # fmt: skip
_CHANGE = Table(
    "change", _META, Column("id", Integer, primary_key=True), Column("device", Text, nullable=False),
    Column("created", Float, nullable=False),
)  # fmt: skip


def default_folder() -> Path:
    """The folder for what outlives a run: $SURGENAS_HOME, else `surgenas` in the user's cache folder."""
    home = os.environ.get("SURGENAS_HOME")
    cache = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(home or Path(cache) / "surgenas").expanduser()


def default_store() -> Store:
    """The store at $SURGENAS_STORE (a SQLAlchemy URL), else in a file in `default_folder`."""
    return Store(os.environ.get("SURGENAS_STORE") or default_folder() / "measurements.sqlite")


class Store:
    """Measurements with their raw runs, and the history of reference latencies, by device key.

    where: a file, or a SQLAlchemy URL such as postgresql+psycopg://team@host/latency. clock: seconds since 1970. Raises
    UsageError for a URL that is none, EnvironmentFault for a place that cannot be written or reached, CorruptError for
    a file that is no store.
    """

    def __init__(self, where: Path | str, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        if isinstance(where, Path):
            try:
                where.parent.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise EnvironmentFault(f"measurement store {where}: {error.strerror}; set SURGENAS_HOME") from error
        try:
            url = URL.create("sqlite", database=str(where)) if isinstance(where, Path) else make_url(where)
            # a connection a transaction: nothing is shared with a forked process or held between campaigns
            self._engine = create_engine(url, poolclass=NullPool)
        except (ArgumentError, ModuleNotFoundError) as error:
            raise UsageError(
                f"SURGENAS_STORE: {str(error).splitlines()[0]}; expected a URL such as "
                "postgresql+psycopg://user@host/name (pip install 'surgenas[postgres]')"
            ) from error
        self.name = url.render_as_string(hide_password=True)
        self._queue: Path | None = None
        if url.get_backend_name() == "sqlite":
            self._queue = Path(f"{url.database}.queue")
            event.listen(self._engine, "connect", _set_pragmas)
        with self._turn():
            with suppress(DatabaseError), self._engine.begin() as db:
                _META.create_all(db)
            with self._connect() as db:  # again, for where another machine made them at this very moment
                _META.create_all(db)

    def add(self, measurement: Measurement, rounds: Sequence[Round], steady: Sequence[Round] = ()) -> None:
        """Store one measurement and every run behind it: its interleaved rounds, and its visits back to back."""
        raw = {"rounds": _runs_record(rounds), "steady": _runs_record(steady)}
        row = {
            "network": measurement.key, "device": measurement.device, "protocol": PROTOCOL_VERSION,
            "created": self._clock(), "record": json.dumps(measurement.to_dict()), "raw": json.dumps(raw),
        }  # fmt: skip
        with self._turn(), self._connect() as db:
            db.execute(insert(_MEASUREMENT), row)

    def find(self, key: str, device: str) -> list[Measurement]:
        """All measurements of a network (its key) on a device (its key) since the device last changed, oldest first."""
        t = _MEASUREMENT.c
        query = select(t.record).where(
            t.network == key, t.device == device, t.protocol == PROTOCOL_VERSION, t.created > _last_change(device)
        )
        with self._connect() as db:
            records = db.execute(query.order_by(t.id)).scalars().all()
        return [Measurement.from_dict(json.loads(record)) for record in records]

    def add_change(self, device: str) -> None:
        """Record that a device has changed, so that what was measured there until now is passed over."""
        self._add_many(_CHANGE, [{"device": device}])

    def add_reference(self, name: str, device: str, times_ms: Sequence[float]) -> None:
        """Add latencies in ms to the history of a reference network on a device."""
        self._add_many(_REFERENCE, [{"name": name, "device": device, "ms": ms} for ms in times_ms])

    def reference_history(self, name: str, device: str, last: int = 2000) -> list[float]:
        """The latest latencies in ms of a reference network since the device last changed, the newest first."""
        t = _REFERENCE.c
        seen = select(t.ms).where(t.name == name, t.device == device, t.created > _last_change(device))
        query = seen.order_by(t.id.desc()).limit(last)
        with self._connect() as db:
            return list(db.execute(query).scalars())

    def looks(self, name: str, device: str) -> list[Look]:
        """The latest looks at a reference network since the device last changed, one for each campaign, the newest
        first."""
        t = _REFERENCE.c
        seen = select(t.created, t.ms).where(t.name == name, t.device == device, t.created > _last_change(device))
        with self._connect() as db:
            rows = db.execute(seen.order_by(t.id.desc()).limit(LATEST)).all()
        campaigns = [(at_s, [ms for _, ms in rows]) for at_s, rows in groupby(rows, key=lambda row: row[0])]
        return [Look(at_s, float(np.quantile(ms, 0.1))) for at_s, ms in campaigns]

    def add_pairs(self, device: str, differences: Sequence[float]) -> None:
        """Add the |ln ratio| of networks measured under two names in one campaign (docs/measurement.md, 9)."""
        self._add_many(_PAIR, [{"device": device, "difference": difference} for difference in differences])

    def pair_history(self, device: str, last: int = 40) -> list[float]:
        """The latest |ln ratio| that `add_pairs` added for a device, the newest first."""
        t = _PAIR.c
        query = select(t.difference).where(t.device == device).order_by(t.id.desc()).limit(last)
        with self._connect() as db:
            return list(db.execute(query).scalars())

    def _add_many(self, table: Table, rows: Sequence[dict[str, Any]]) -> None:
        now = self._clock()
        if rows:
            with self._turn(), self._connect() as db:
                db.execute(insert(table), [row | {"created": now} for row in rows])

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """Hold the turn to write to an SQLite file; writers get it in the order in which they came.

        SQLite alone lets each writer try again now and then, and of thirty some wait for seconds. The kernel passes the
        turn on when its holder dies.
        """
        if self._queue is None:
            yield
            return
        with ExitStack() as held:
            try:
                queue = held.enter_context(self._queue.open("a"))
                fcntl.flock(queue, fcntl.LOCK_EX)
            except OSError as error:  # also of a file system without locks
                raise EnvironmentFault(f"measurement store {self.name}: {error.strerror}; {_ELSEWHERE}") from error
            yield

    @contextmanager
    def _connect(self) -> Iterator[Connection]:
        """Open one transaction, which is committed if the block raises nothing."""
        try:
            with self._engine.begin() as db:
                yield db
        except OperationalError as error:
            raise EnvironmentFault(f"measurement store {self.name}: {_first_line(error)}; {_ELSEWHERE}") from error
        except DatabaseError as error:
            raise CorruptError(
                f"measurement store {self.name}: {_first_line(error)}; move it away and start again"
            ) from error


_ELSEWHERE = "set SURGENAS_HOME to a folder, or SURGENAS_STORE to a database, that can be written"


def _first_line(error: DatabaseError) -> str:
    return str(error.orig).splitlines()[0]


def _set_pragmas(connection: sqlite3.Connection, _: object) -> None:
    """Set up an SQLite connection for many readers and one writer at a time, who wait instead of failing."""
    connection.execute("PRAGMA busy_timeout = 30000")
    connection.execute("PRAGMA journal_mode = WAL")


def _last_change(device: str) -> ScalarSelect[float]:
    """A query for the time when a device last changed; 0 if it never did."""
    return select(func.coalesce(func.max(_CHANGE.c.created), 0.0)).where(_CHANGE.c.device == device).scalar_subquery()


def _runs_record(rounds: Sequence[Round]) -> list[list[list[list[float]]]]:
    """Rounds as plain values: each is three blocks (reference, network, reference) of [runs in ms, which are clean]."""
    return [
        [[[round(ms, 5) for ms in b.runs_ms], [float(ok) for ok in b.clean]] for b in (r.before, r.candidate, r.after)]
        for r in rounds
    ]
