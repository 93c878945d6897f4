"""How long the trainings are once all before them is done: what the time limit leaves, within what is of use."""

from __future__ import annotations

import pytest

from surgenas.runs.allotment import USED
from surgenas.runs.limit import begin_session
from surgenas.runs.results import Derived, Planned, Rivals, Scheduled
from surgenas.runs.steps.schedule import schedule
from surgenas.runs.training import recipe
from tests.runs.written import ARCH, timed


def found(run, **others):
    """The run, planned for 5 epochs of training, with a network found."""
    arch = run.space.architecture(ARCH.genes)
    run.record("plan", Planned(1, 5, 1.0, 0.0, 1.0, 0.0, 10**9))
    run.record("derive", Derived(arch, 1.0, timed(1.0), 1))
    run.record("rivals", Rivals(dict.fromkeys(others.get("names", ()), arch)))
    return run


@pytest.fixture
def how(images):
    return {"data": images, "batch": 32, "accelerator": "cpu"}


def test_without_a_time_limit_the_plan_stands(fresh, how):
    run = found(fresh(**how))
    assert schedule(run) is None
    begin_session(run, 3600.0)
    assert schedule(run) is None, "resumed with one: the result stays the same"
    assert recipe(run).epochs == 5


def test_a_run_that_goes_on_without_its_limit_has_all_the_time(fresh, how):
    run = found(fresh(time_limit_s=0.1, **how))
    assert schedule(run).train_epochs == 2
    run.journal.append("stopped", limit_s=0.1)
    begin_session(run)
    assert schedule(run).train_epochs == 60


def test_trainings_take_the_time_that_is_left(fresh, how):
    run = found(fresh(time_limit_s=100.0, **how))
    run.journal.append("spent", step="profile", seconds=100.0 * USED - 1.0)
    alone = schedule(run)
    assert 2 < alone.train_epochs < 60
    assert 0.5 < alone.train_epochs * alone.epoch_s <= 1.0
    run.record("schedule", Scheduled(7, 1.0))
    assert recipe(run).epochs == 7


@pytest.mark.parametrize(("seconds", "epochs"), [(1e6, 60), (0.1, 2)])
def test_no_training_is_longer_or_shorter_than_is_of_use(fresh, how, seconds, epochs):
    assert schedule(found(fresh(time_limit_s=seconds, **how))).train_epochs == epochs


def test_a_length_that_was_asked_for_is_not_made_longer(fresh, how):
    assert schedule(found(fresh(time_limit_s=1e6, train_epochs=9, **how))).train_epochs == 9


def test_all_networks_share_what_is_left_and_those_trained_as_long_as_all_need_more(fresh, how):
    limit = {"time_limit_s": 1000.0}
    alone = schedule(found(fresh("alone", **limit, **how)))
    names = [f"random {i}" for i in range(1, 100)]
    many = schedule(found(fresh("many", **limit, **how), names=names))
    assert many.train_epochs <= alone.train_epochs
    longer = found(fresh("longer", **limit, **how), names=["random at equal total cost 1"])
    longer.journal.append("spent", step="search", seconds=475.0)
    assert schedule(longer).train_epochs == 2, "as the search took"


def test_candidates_that_are_trained_on_keep_their_length(fresh, how):
    assert schedule(found(fresh(time_limit_s=1e6, method="race", space="mobile", **how))) is None
