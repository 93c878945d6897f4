"""One process measures at a time on each machine; whoever waits is told, and no way to end leaves it locked."""

from __future__ import annotations

import subprocess
import sys
import threading

import pytest

from surgenas.core.errors import Interrupted
from surgenas.core.progress import Progress
from surgenas.hardware.timed.lock import measuring_lock

HOLDER = """
from surgenas.core.errors import Interrupted
from surgenas.core.progress import Progress
from surgenas.hardware.timed.lock import measuring_lock
with measuring_lock("host", Progress()):
    print("held", flush=True)
    input()
"""


@pytest.fixture(autouse=True)
def _own_home(tmp_path, monkeypatch):
    monkeypatch.setenv("SURGENAS_HOME", str(tmp_path / "home"))


class Waiting(Progress):
    """Tells when it was told that somebody else is measuring."""

    def __init__(self):
        self.told = threading.Event()

    def log(self, message):
        assert "another process is measuring" in message
        self.told.set()


def test_whoever_comes_second_is_told_and_waits_for_the_first():
    order, waiting = [], Waiting()

    def second():
        with measuring_lock("host", waiting):
            order.append("second")

    thread = threading.Thread(target=second)
    with measuring_lock("host", Progress()):
        thread.start()
        assert waiting.told.wait(10)
        order.append("first")
    thread.join(10)
    assert order == ["first", "second"]


def test_whoever_waits_may_have_enough_of_it():
    class Impatient(Waiting):
        def check(self):
            assert self.told.is_set()
            raise Interrupted("time is up")

    ended = []

    def second():
        with pytest.raises(Interrupted), measuring_lock("host", Impatient()):
            pytest.fail("it is held")
        ended.append("stopped")

    thread = threading.Thread(target=second)
    with measuring_lock("host", Progress()):
        thread.start()
        thread.join(10)
    assert ended == ["stopped"]


def test_machines_do_not_wait_for_each_other(listener):
    with measuring_lock("one", listener), measuring_lock("other/with: odd, letters", listener):
        assert listener.said == []


def test_an_error_within_gives_the_machine_back(listener):
    with pytest.raises(ZeroDivisionError), measuring_lock("host", listener):
        raise ZeroDivisionError
    with measuring_lock("host", listener):
        assert listener.said == []


def test_the_lock_dies_with_its_holder():
    """Killed in the middle of it, as by a lack of memory."""
    holder = subprocess.Popen([sys.executable, "-c", HOLDER], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert holder.stdout.readline() == b"held\n"
    waiting, entered = Waiting(), threading.Event()

    def wait():
        with measuring_lock("host", waiting):
            entered.set()

    thread = threading.Thread(target=wait)
    thread.start()
    assert waiting.told.wait(10)
    assert not entered.is_set()
    holder.kill()
    holder.communicate()
    assert entered.wait(10)
    thread.join(10)
