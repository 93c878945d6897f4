"""The store: raw runs kept, many writers, a team's database, and what is wrong said in one line."""

from __future__ import annotations

import getpass
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from surgenas.core.errors import CorruptError, EnvironmentFault, UsageError
from surgenas.hardware.timed.measurement import Block, Measurement, Round
from surgenas.hardware.timed.store import Store

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


WRITER = """
import sys
from pathlib import Path
from surgenas.hardware.timed.store import Store
from tests.hardware.test_store import ROUND, measurement
where, name = sys.argv[1:]
store = Store(where if "://" in where else Path(where))
for i in range(1000):
    store.add(measurement(f"{name}-{i}"), [ROUND] * 20)
    print(i, flush=True)
"""


def test_many_writers_lose_nothing_that_was_committed(where):
    """Six write at once until they are killed in the middle of it; what each was told is kept is there, once."""
    command = [sys.executable, "-c", WRITER, str(where)]
    writers = {f"w{n}": subprocess.Popen([*command, f"w{n}"], stdout=subprocess.PIPE) for n in range(6)}
    told = dict.fromkeys(writers, 0)
    for name, process in writers.items():
        while told[name] < 20:
            assert process.stdout.readline(), "a writer failed"
            told[name] += 1
    for process in writers.values():
        process.send_signal(signal.SIGKILL)
    for name, process in writers.items():
        told[name] += len(process.communicate()[0].split())
    store = Store(where)
    for name, count in told.items():
        kept = [len(store.find(f"{name}-{i}", "here")) for i in range(count + 2)]
        assert kept[:count] == [1] * count
        assert kept[count] in (0, 1), "the one under way may be there or not"
        assert kept[count + 1] == 0


def test_many_may_find_it_missing_at_once(tmp_path):
    for turn in range(5):
        with ThreadPoolExecutor(16) as pool:
            stores = list(pool.map(Store, [tmp_path / f"{turn}.sqlite"] * 16))
        assert all(store.find("x", "here") == [] for store in stores)


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
    from sqlalchemy import event

    store = Store(tmp_path / "m.sqlite")
    event.listen(store._engine, "connect", lambda connection, _: connection.execute("PRAGMA max_page_count = 12"))

    def fill():
        for i in range(100):
            store.add(measurement(str(i)), [ROUND] * 50)

    with pytest.raises(EnvironmentFault, match="full"):
        fill()
    assert store.find("0", "here") == [measurement("0")], "what was kept is still there"
