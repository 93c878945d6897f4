"""A file that is written is the old one or the new one, whoever reads it and whatever goes wrong."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from surgenas.core.errors import EnvironmentFault
from surgenas.core.files import cannot_write, make_folder, write_atomic


@given(st.lists(st.binary(max_size=200), min_size=1, max_size=4))
@settings(max_examples=20, deadline=None)
def test_the_last_content_written_is_what_is_read(tmp_path_factory, contents):
    path = tmp_path_factory.getbasetemp() / "file.bin"
    for content in contents:
        write_atomic(path, content)
    assert path.read_bytes() == contents[-1]
    assert not path.with_name("file.bin.part").exists()


def test_a_reader_never_sees_half_of_a_file(tmp_path):
    path, contents = tmp_path / "file.bin", [b"a" * 300_000, b"b" * 200_000]
    write_atomic(path, contents[0])
    stop, seen = threading.Event(), []

    def read() -> None:
        while not stop.is_set():
            seen.append(path.read_bytes())

    reader = threading.Thread(target=read)
    reader.start()
    for turn in range(30):
        write_atomic(path, contents[turn % 2])
    stop.set()
    reader.join()
    assert seen
    assert set(seen) <= set(contents)


WRITER = """
import sys
from pathlib import Path
from surgenas.core.files import write_atomic
sizes = (1_000_000, 2_000_000)
print("ready", flush=True)
while True:
    for size in sizes:
        write_atomic(Path(sys.argv[1]), bytes([size // 1_000_000]) * size)
"""


def test_a_writer_that_is_killed_leaves_a_whole_file(tmp_path):
    path = tmp_path / "file.bin"
    write_atomic(path, b"\1" * 1_000_000)
    for after in (0.0, 0.003, 0.011):
        writer = subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE)
        with writer:
            assert writer.stdout is not None
            assert writer.stdout.readline() == b"ready\n"
            time.sleep(after)
            writer.kill()
        content = path.read_bytes()
        assert content == content[:1] * (content[0] * 1_000_000)


def test_a_write_that_fails_leaves_what_was_there_and_no_part(tmp_path):
    """A folder stands where the file is to go: the new content is written beside it, and cannot take its place."""
    path = tmp_path / "taken"
    path.mkdir()
    (path / "old").write_bytes(b"old")
    with pytest.raises(EnvironmentFault, match=r"cannot write .*taken \(3 bytes\): Is a directory"):
        write_atomic(path, b"new")
    assert (path / "old").read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["taken"]


def test_a_folder_that_is_missing_is_named(tmp_path):
    with pytest.raises(EnvironmentFault, match=r"none/file: there is no folder .*none$"):
        write_atomic(tmp_path / "none" / "file", b"12345")


def test_a_full_disk_is_said_as_such():
    error = cannot_write(Path("/x/y"), 7, OSError(28, "No space left on device"))
    assert isinstance(error, EnvironmentFault)
    assert str(error).startswith("cannot write /x/y (7 bytes): No space left on device; free the disk")
    assert "(7 bytes): odd;" in str(cannot_write(Path("/x/y"), 7, OSError("odd")))


def test_folders_are_made_with_their_parents_and_may_be_there(tmp_path):
    for _ in range(2):
        make_folder(tmp_path / "a" / "b")
    assert (tmp_path / "a" / "b").is_dir()


def test_a_folder_that_cannot_be_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(EnvironmentFault, match=r"cannot create .*file/b: Not a directory; choose another --out"):
        make_folder(tmp_path / "file" / "b")
