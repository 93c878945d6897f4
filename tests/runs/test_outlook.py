"""How long will the rest take: planned phases less what is done, and trainings as long as those before."""

from __future__ import annotations

import pytest

from surgenas.runs.outlook import seconds_left
from surgenas.runs.pace import OTHER, OVERHEAD_S
from surgenas.runs.results import Accuracy, Derived, Planned, Profiled, Rivals, Scheduled, Searched, TotalCost
from tests.runs.written import GENES, new_run, timed

PRICED_S = 90.0 - OVERHEAD_S


@pytest.fixture
def run(tmp_path):
    """Planned: 10 s of profile, 20 s of search, 60 s of trainings of two epochs, and 90 s of all else."""
    made = new_run(tmp_path / "run")
    made.record("plan", Planned(2, 2, 10.0, 20.0, 60.0, 90.0, 10**9))
    return made


def spend(run, step, seconds, result):
    run.journal.append("spent", step=step, seconds=seconds)
    run.record(step, result)


def test_before_it_is_planned_nobody_knows(tmp_path):
    assert seconds_left(new_run(tmp_path / "new")) is None


def test_a_phase_that_is_done_takes_no_more_time_however_long_it_took(run):
    assert seconds_left(run) == pytest.approx(180.0)
    run.journal.append("spent", step="profile", seconds=4.0)
    assert seconds_left(run) == pytest.approx(176.0), "interrupted"
    spend(run, "profile", 50.0, Profiled(40, ()))
    assert seconds_left(run) == pytest.approx(80.0 + OVERHEAD_S + 5.4 * PRICED_S), "54 s instead of 10"
    spend(run, "profile", 0.0, Profiled(14, ()))
    assert seconds_left(run) == pytest.approx(80.0 + OVERHEAD_S + 10.8 * PRICED_S), "for half of the networks"
    spend(run, "search", 1.0, Searched(2))
    assert seconds_left(run) == pytest.approx(60.0 + OVERHEAD_S + 10.8 * PRICED_S)


def test_trainings_that_are_done_say_how_long_the_others_take(run):
    arch = run.space.architecture(GENES)
    spend(run, "profile", 10.0, Profiled(40, ()))
    spend(run, "search", 1.0, Searched(2))
    spend(run, "derive", 1.0, Derived(arch, 1.0, timed(1.0), 1))
    spend(run, "rivals", 1.0, Rivals({"MobileNetV2": arch, "random 1": arch}))
    other_s = 90.0 * (1 - OTHER["derive"] - OTHER["rivals"])
    assert seconds_left(run) == pytest.approx(other_s + 60.0)
    spend(run, "schedule", 0.0, Scheduled(4, 3.0))
    assert seconds_left(run) == pytest.approx(other_s + 36.0), "three trainings, by what an epoch was seen to take"
    spend(run, "schedule", 0.0, Scheduled(2, 10.0))
    spend(run, "train found", 4.0, Accuracy(0.9))
    assert seconds_left(run) == pytest.approx(other_s + 8.0)
    spend(run, "train MobileNetV2", 8.0, Accuracy(0.9))
    assert seconds_left(run) == pytest.approx(other_s + 6.0)
    spend(run, "train random 1", 8.0, Accuracy(0.9))
    assert seconds_left(run) == pytest.approx(other_s)


def test_what_is_trained_for_as_long_as_all_took_is_counted_so_before_that_is_known(run):
    """20 s of search are as long as two epochs of the two networks that are trained for 40 of the planned 60 s."""
    arch = run.space.architecture(GENES)
    spend(run, "profile", 10.0, Profiled(40, ()))
    spend(run, "search", 20.0, Searched(2))
    spend(run, "derive", 1.0, Derived(arch, 1.0, timed(1.0), 1))
    spend(run, "rivals", 1.0, Rivals({"random at equal total cost 1": arch}))
    other_s = 90.0 * (1 - OTHER["derive"] - OTHER["rivals"])
    assert seconds_left(run) == pytest.approx(other_s + 10.0 * (2 + 4))
    spend(run, "train found", 20.0, Accuracy(0.9))
    assert seconds_left(run) == pytest.approx(other_s + 10.0 * 4)
    run.record("cost", TotalCost(600, 0, 200, 2))
    assert seconds_left(run) == pytest.approx(other_s + 10.0 * 8)
