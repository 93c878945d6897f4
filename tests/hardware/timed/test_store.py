"""The store: raw runs kept, many writers, a team's database, and what is wrong said in one line."""

from __future__ import annotations

import getpass
import json
import math
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, event

from surgenas.core.errors import CorruptError, EnvironmentFault, UsageError
from surgenas.hardware.timed.measurement import Block, Measurement, Round
from surgenas.hardware.timed.store import Store, default_folder, default_store

ROUND = Round(*(Block((1.0, 2.0), (True, True)) for _ in range(3)))


def measurement(key, ms=1.0):
    return Measurement(key, "here", ms, ms, 0.01, "A", 10, ms, ms, "reference-s/2", 1.0, 0.0)


@pytest.fixture(scope="module")
def postgres(tmp_path_factory) -> Iterator[str]:
    """A database of Debian's package, on a socket of its own."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    if not found:
        pytest.skip("PostgreSQL is not installed")
    folder = Path(tempfile.mkdtemp())  # not pytest's: the server's user must be able to reach it
    user = "postgres" if getpass.getuser() == "root" else getpass.getuser()  # it refuses to run as root
    shutil.chown(folder, user)
    control = [str(found[-1] / "pg_ctl"), "-D", str(folder / "data"), "-w"]
    options = f"-c listen_addresses='' -c unix_socket_directories={folder} -c fsync=off"

    def run(*command):
        subprocess.run([*control, *command], check=True, user=user, cwd="/", stdout=subprocess.DEVNULL)

    run("initdb", "-o", f"-U {user} --auth=trust")
    run("start", "-l", str(folder / "log"), "-o", options)
    yield f"postgresql+psycopg:///postgres?host={folder}&user={user}"
    run("stop", "-m", "immediate")
    shutil.rmtree(folder)


@pytest.fixture(params=["sqlite", "postgres"])
def where(request, tmp_path):
    return tmp_path / "m.sqlite" if request.param == "sqlite" else request.getfixturevalue("postgres")


def test_what_was_added_is_found_again(where):
    store, key = Store(where), "found-again"
    for ms in (1.0, 2.0):
        store.add(measurement(key, ms), [ROUND])
    assert [m.ms for m in Store(where).find(key, "here")] == [1.0, 2.0], "oldest first"
    assert store.find(key, "elsewhere") == []
    store.add_reference("r", "here", [3.0, 4.0])
    store.add_reference("r", "here", [])
    store.add_pairs("here", [0.1, 0.2])
    assert store.reference_history("r", "here") == [4.0, 3.0]
    assert store.pair_history("here", last=1) == [0.2]


def test_reference_latencies_from_before_a_change_are_passed_over(tmp_path):
    store = Store(tmp_path / "m.sqlite")
    store.add_reference("middle", "here", [1.0, 2.0])
    store.add_change("elsewhere")
    assert store.reference_history("middle", "here") == [2.0, 1.0]
    store.add_change("here")
    store.add_reference("middle", "here", [3.0])
    assert store.reference_history("middle", "here") == [3.0]


WRITERS = """
import os, sys
from pathlib import Path
from surgenas.hardware.timed.store import Store
from tests.hardware.timed.test_store import ROUND, measurement
where = sys.argv[1]
for n in range(6):
    if os.fork() == 0:
        break
else:
    sys.exit()
os.write(1, f"{n} {os.getpid()}\\n".encode())
store = Store(where if "://" in where else Path(where))
for i in range(1000):
    store.add(measurement(f"w{n}-{i}"), [ROUND] * 20)
    os.write(1, f"{n}\\n".encode())
"""


def test_many_writers_lose_nothing_that_was_committed(where):
    """Six write at once until they are killed in the middle of it; what each was told is kept is there, once.

    They are forked by a process that has imported everything: so they start together, and soon.
    """
    with subprocess.Popen([sys.executable, "-c", WRITERS, str(where)], stdout=subprocess.PIPE, text=True) as parent:
        pids, told = {}, dict.fromkeys(range(6), 0)
        while min(told.values()) < 20:
            name, *pid = parent.stdout.readline().split()
            if pid:
                pids[int(name)] = int(pid[0])
            else:
                told[int(name)] += 1
        for pid in pids.values():
            os.kill(pid, signal.SIGKILL)
        for line in parent.stdout:
            told[int(line)] += 1
    store = Store(where)
    for name, count in told.items():
        kept = [len(store.find(f"w{name}-{i}", "here")) for i in range(count + 2)]
        assert kept[:count] == [1] * count
        assert kept[count] in (0, 1), "the one under way may be there or not"
        assert kept[count + 1] == 0


def test_many_may_find_it_missing_at_once(tmp_path):
    for turn in range(5):
        with ThreadPoolExecutor(16) as pool:
            stores = list(pool.map(Store, [tmp_path / f"{turn}.sqlite"] * 16))
        assert all(store.find("x", "here") == [] for store in stores)


MS = st.floats(1e-3, 1e3)
RECORDS = st.builds(
    Measurement,
    key=st.sampled_from("ab"),
    device=st.sampled_from(["here", "there"]),
    ms=MS,
    half_width=st.floats(0, 1) | st.just(math.inf),
    grade=st.sampled_from("ABCD"),
    p90_ms=st.none() | MS,
    steady_ms=st.none() | MS,
    campaigns_ms=st.lists(MS, max_size=3).map(tuple),
    **dict.fromkeys(("ratio", "p50_ms", "reference_ms", "max_difference", "floor"), MS),
    context=st.dictionaries(st.text(), st.floats(0, 1) | st.none() | st.text(), max_size=3),
)


@settings(deadline=None, max_examples=10)
@given(st.lists(RECORDS, max_size=5))
def test_every_measurement_is_found_under_its_network_and_device_as_it_was_and_in_order(tmp_path_factory, records):
    store = Store(tmp_path_factory.mktemp("store") / "m.sqlite")
    for record in records:
        store.add(record, [ROUND])
    for key in "ab":
        for device in ("here", "there"):
            found = store.find(key, device)
            assert found == [r for r in records if (r.key, r.device) == (key, device)]
            assert [m.context for m in found] == [r.context for r in records if (r.key, r.device) == (key, device)]


@settings(deadline=None, max_examples=10)
@given(st.lists(st.lists(MS, max_size=4), max_size=4), st.integers(1, 10))
def test_a_history_is_the_latest_first_however_it_was_added(tmp_path_factory, parts, last):
    store = Store(tmp_path_factory.mktemp("store") / "m.sqlite")
    for part in parts:
        store.add_reference("r", "here", part)
        store.add_reference("r", "elsewhere", [7.0])
        store.add_pairs("here", part)
    latest = [ms for part in parts for ms in part][::-1][:last]
    assert store.reference_history("r", "here", last=last) == latest
    assert store.pair_history("here", last=last) == latest


def test_what_was_measured_before_a_device_changed_is_passed_over(tmp_path):
    store = Store(tmp_path / "m.sqlite")
    store.add(measurement("a"), [])
    store.add_change("elsewhere")
    assert store.find("a", "here") == [measurement("a")]
    store.add_change("here")
    assert store.find("a", "here") == []
    store.add(measurement("a", 2.0), [])
    assert store.find("a", "here") == [measurement("a", 2.0)]


def test_what_another_version_of_the_protocol_measured_is_passed_over(tmp_path):
    store = Store(tmp_path / "m.sqlite")
    store.add(measurement("a"), [])
    with sqlite3.connect(tmp_path / "m.sqlite") as db:
        db.execute("UPDATE measurement SET protocol = protocol - 1")
    assert store.find("a", "here") == []


def test_every_run_is_kept_with_whether_it_was_clean(tmp_path):
    uneven = Round(Block((1.0,), (True,)), Block((2.0, 2.123456789), (False, True)), Block((1.5,), (False,)))
    Store(tmp_path / "m.sqlite").add(measurement("a"), [uneven], steady=[ROUND])
    with sqlite3.connect(tmp_path / "m.sqlite") as db:
        ((raw,),) = db.execute("SELECT raw FROM measurement").fetchall()
    found = json.loads(raw)
    assert found["rounds"] == [[[[1.0], [1.0]], [[2.0, 2.12346], [0.0, 1.0]], [[1.5], [0.0]]]]
    assert len(found["steady"]) == 1


def test_where_it_lies_is_said_by_the_environment(tmp_path, monkeypatch):
    monkeypatch.setenv("SURGENAS_HOME", str(tmp_path / "home"))
    assert default_folder() == tmp_path / "home"
    assert default_store().name == f"sqlite:///{tmp_path}/home/measurements.sqlite"
    monkeypatch.setenv("SURGENAS_STORE", f"sqlite:///{tmp_path}/team.sqlite")
    assert default_store().name == f"sqlite:///{tmp_path}/team.sqlite"
    monkeypatch.delenv("SURGENAS_HOME")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert default_folder() == tmp_path / "cache" / "surgenas"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert default_folder() == tmp_path / ".cache" / "surgenas"


def test_a_file_system_without_locks_says_so(tmp_path, monkeypatch):
    def refuse(*_):
        raise OSError(37, "No locks available")

    monkeypatch.setattr("surgenas.hardware.timed.store.fcntl.flock", refuse)
    with pytest.raises(EnvironmentFault, match=r"No locks available.*SURGENAS_STORE"):
        Store(tmp_path / "m.sqlite")


def test_a_store_that_is_no_good_says_so(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(EnvironmentFault, match="SURGENAS_HOME"):
        Store(tmp_path / "file" / "db.sqlite")
    (tmp_path / "bad.sqlite").write_bytes(b"not a database" * 100)
    with pytest.raises(CorruptError, match="move it away"):
        Store(tmp_path / "bad.sqlite")
    with pytest.raises(UsageError, match="expected a URL such as"):
        Store("nonsense")


def test_a_database_that_cannot_be_reached_is_named_without_its_password():
    pytest.importorskip("psycopg")
    with pytest.raises(EnvironmentFault, match=r"nobody:\*\*\*@127\.0\.0\.1:1/x.*SURGENAS_STORE") as caught:
        Store("postgresql+psycopg://nobody:secret@127.0.0.1:1/x")
    assert "secret" not in str(caught.value)


def test_a_full_disk_is_an_environment_fault(tmp_path):
    """SQLite's own page limit stands in for the disk."""
    store = Store(tmp_path / "m.sqlite")

    def limit(connection, _):
        connection.execute("PRAGMA max_page_count = 12")

    def fill():
        for i in range(100):
            store.add(measurement(str(i)), [ROUND] * 50)

    event.listen(Engine, "connect", limit)
    try:
        with pytest.raises(EnvironmentFault, match="full"):
            fill()
    finally:
        event.remove(Engine, "connect", limit)
    assert store.find("0", "here") == [measurement("0")], "what was kept is still there"
