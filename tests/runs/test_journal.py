"""A journal that was torn, flipped, or killed at any point tells nothing that was not so."""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from surgenas.core.errors import CorruptError, EnvironmentFault, SurgenasError
from surgenas.core.progress import Progress
from surgenas.runs.config import make_config
from surgenas.runs.journal import Journal, discard, exclusive
from surgenas.runs.run import Run
from tests.runs.written import new_run


def written(folder, n=4):
    journal = Journal(folder / "journal.jsonl")
    for i in range(n):
        journal.append("tick", i=i)
    return journal


@given(st.integers(1, 60))
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_torn_tail_is_cut_off_and_written_on(tmp_path, lost):
    path = tmp_path / "journal.jsonl"
    path.unlink(missing_ok=True)
    events = written(tmp_path).events
    size = path.stat().st_size
    os.truncate(path, size - lost)
    kept = Journal(path)
    assert path.stat().st_size == size - lost, "reading changes nothing: another process may be writing that line"
    assert kept.events == events[: len(kept.events)]
    kept.append("after")
    assert [e["event"] for e in Journal(path).events] == [*("tick" for _ in kept.events[:-1]), "after"]


def test_a_line_that_the_disk_did_not_take_whole_is_cut_off_before_the_next(tmp_path, monkeypatch):
    journal = written(tmp_path, 2)
    with monkeypatch.context() as full:
        full.setattr(os, "fsync", lambda _: (_ for _ in ()).throw(OSError(28, "No space left on device")))
        with pytest.raises(EnvironmentFault, match="No space"):
            journal.append("lost")
    journal.append("after")
    assert [e["event"] for e in Journal(journal.path).events] == ["tick", "tick", "after"]


def test_what_another_process_wrote_before_it_let_go_is_kept(tmp_path):
    run = Run.create(tmp_path / "run", make_config(), Progress())
    other = written(run.folder)
    os.truncate(other.path, other.path.stat().st_size - 5)  # in the middle of its last line
    run = Run.open(run.folder, Progress())
    written(run.folder, 2)
    with run.exclusive():
        run.journal.append("mine")
    assert [e["event"] for e in Journal(other.path).events] == ["tick"] * 5 + ["mine"]


def test_damage_in_the_middle_is_refused_by_line(tmp_path):
    path = written(tmp_path).path
    content = bytearray(path.read_bytes())
    content[15] ^= 1
    path.write_bytes(content)
    with pytest.raises(CorruptError, match="line 1"):
        Journal(path)


def test_events_are_found_by_their_kind_and_their_fields(tmp_path):
    journal = written(tmp_path)
    journal.append("tock", i=1)
    assert [e["i"] for e in journal.all("tick")] == [0, 1, 2, 3]
    assert journal.all("tick", i=2) == [{"event": "tick", "i": 2}]
    assert journal.last("tick")["i"] == 3
    assert journal.last("tick", i=9) is None
    assert journal.all("tick", colour="red") == []


def test_what_is_returned_is_what_will_be_read(tmp_path):
    """Tuples become lists at once, not after the next start."""
    journal = Journal(tmp_path / "journal.jsonl")
    assert journal.append("pair", values=(1, 2)) == {"event": "pair", "values": [1, 2]}
    assert journal.events == Journal(journal.path).events


def test_one_process_works_on_a_folder(tmp_path):
    with exclusive(tmp_path), pytest.raises(SurgenasError, match="another process is working on"), exclusive(tmp_path):
        pass
    with exclusive(tmp_path):
        pass


def test_a_full_disk_is_said_with_path_and_bytes(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(EnvironmentFault, match=r"journal\.jsonl.*\d+ bytes.*No space left"):
        Journal(tmp_path / "journal.jsonl").append("x")


def test_followers_hear_of_what_is_appended_when_it_is_on_disk(tmp_path):
    journal, heard = Journal(tmp_path / "journal.jsonl"), []
    journal.append("tick", i=0)
    journal.followers.append(lambda event: heard.append((event, Journal(journal.path).events[-1])))
    journal.append("tick", i=(1,))
    journal.read()
    assert heard == [({"event": "tick", "i": [1]},) * 2], "reading tells nobody"


def test_a_run_that_has_hardly_begun_can_be_discarded_and_no_other(tmp_path):
    begun, done = new_run(tmp_path / "begun"), new_run(tmp_path / "done")
    begun.journal.append("begin", step="reach")
    done.journal.append("begin", step="profile")
    for run in (begun, done):
        discard(run.folder)
    assert not begun.folder.exists()
    assert done.folder.is_dir()
