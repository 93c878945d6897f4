"""How long a run may take: all its sessions count, whoever asks is stopped in time, and it is said how to go on."""

from __future__ import annotations

import numpy as np
import pytest

from surgenas.core import moves
from surgenas.core.errors import Interrupted, UsageError
from surgenas.core.work import Epochs, Judge
from surgenas.runs.limit import Timely, begin_session, check_time
from surgenas.runs.measured import TOGETHER, price
from surgenas.runs.searching import Searching
from surgenas.runs.steps.derive import derive
from surgenas.runs.steps.operators import choose_operators
from surgenas.runs.steps.predict import predict
from surgenas.runs.steps.train import train
from tests.runs.written import ARCH, CountingDevice, again, lines_of, new_run


def at(seconds):
    return lambda: 1000.0 + seconds


def expired(run):
    """The run in a session whose time is up."""
    run.journal.append("session", time=0.0, limit_s=1.0)
    return run


def test_time_is_up_only_after_the_limit_and_only_if_there_is_one(tmp_path):
    run = new_run(tmp_path / "run", time_limit_s=10.0)
    check_time(run)
    begin_session(run, clock=at(0))
    check_time(run, at(10))
    again_ = r"`surgenas resume .*run"
    said = rf"time limit of 10 s reached; {again_}` goes on without one, {again_} --time-limit 1m`"
    with pytest.raises(Interrupted, match=said):
        check_time(run, at(11))
    free = new_run(tmp_path / "free")
    begin_session(free, clock=at(0))
    check_time(free, at(1e9))


def test_what_earlier_sessions_took_counts_and_the_pause_between_them_does_not(tmp_path):
    run = new_run(tmp_path / "run", time_limit_s=10.0)
    begin_session(run, clock=at(0))
    run.journal.append("spent", step="reach", seconds=4.0)
    run.journal.append("spent", step="profile", seconds=3.0)
    run = again(run)
    begin_session(run, clock=at(5000))
    run.journal.append("spent", step="profile", seconds=2.0)
    check_time(run, at(5003))
    with pytest.raises(Interrupted):
        check_time(run, at(5003.5))


def test_a_limit_that_was_reached_holds_no_more_when_the_run_is_resumed(tmp_path):
    run = new_run(tmp_path / "run", time_limit_s=10.0)
    begin_session(run, clock=at(0))
    with pytest.raises(Interrupted):
        check_time(run, at(11))
    begin_session(again(run), clock=at(20))
    check_time(again(run), at(1e9))


def test_a_new_limit_is_of_the_whole_run_and_holds_until_it_is_reached(tmp_path):
    run = new_run(tmp_path / "run", time_limit_s=10.0)
    begin_session(run, clock=at(0))
    run.journal.append("spent", step="profile", seconds=12.0)
    with pytest.raises(UsageError, match=r"--time-limit 12 s: the run has taken 12 s already"):
        begin_session(run, 12.0, at(20))
    begin_session(run, 30.0, at(20))
    run.journal.append("spent", step="profile", seconds=3.0)
    begin_session(run, clock=at(40))
    check_time(run, at(55))
    with pytest.raises(Interrupted, match="time limit of 30 s"):
        check_time(run, at(56))
    begin_session(run, clock=at(100))
    check_time(run, at(1e9))


def test_a_session_of_an_earlier_version_has_the_limit_of_its_configuration(tmp_path):
    run = new_run(tmp_path / "run", time_limit_s=10.0)
    run.journal.append("session", time=1000.0)
    check_time(run, at(9))
    with pytest.raises(Interrupted):
        check_time(run, at(11))


def test_the_listener_of_a_run_hears_all_and_stops_the_work(tmp_path, listener):
    run = again(new_run(tmp_path / "run"), listener)
    timely = Timely(run)
    timely.log("said")
    with timely.task("work", 2) as task:
        task.advance()
    timely.check()
    assert "said" in listener.said
    expired(run)
    with pytest.raises(Interrupted):
        timely.check()


# --- whoever works asks


def test_no_target_is_asked_once_the_time_is_up(tmp_path, monkeypatch):
    monkeypatch.setattr(CountingDevice, "asked", [])
    run = new_run(tmp_path / "run", device="tests.runs.written:CountingDevice")
    archs = moves.sample_many(run.space, TOGETHER + 1, np.random.default_rng(0))

    class Slow(CountingDevice):
        def price(self, *args, **how):
            found = super().price(*args, **how)
            expired(run)
            return found

    monkeypatch.setattr("tests.runs.written.CountingDevice", Slow)
    with pytest.raises(Interrupted):
        price(run, "profile", archs)
    assert [len(keys) for keys in CountingDevice.asked] == [TOGETHER], "between two batches of networks"
    assert len(again(run).journal.all("measured")) == TOGETHER, "what is known is kept"


@pytest.mark.parametrize("step", [predict, derive], ids=lambda step: step.__name__)
def test_predicting_stops_too(profiled, copied, step):
    with pytest.raises(Interrupted):
        step(expired(copied(profiled)))


def test_training_stops_between_two_batches(profiled, copied):
    run = expired(copied(profiled))
    engine = Searching(run).engine
    for work in (Judge(ARCH), Epochs(0)):
        with pytest.raises(Interrupted):
            list(engine.perform(work))
    with pytest.raises(Interrupted):
        train(run, "found", ARCH)
    assert not [event for event in lines_of(run) if event["event"] == "trained"]


def test_selecting_operators_stops_between_two_campaigns(tmp_path):
    class Asking(CountingDevice):
        def price(self, jobs, effort=None, *, progress, **how):
            progress.check()
            pytest.fail("asked though the time is up")

    run = expired(new_run(tmp_path / "run", method="hurricane", space="operators"))
    vars(run)["target"] = Asking()
    with pytest.raises(Interrupted):
        choose_operators(run)
