"""How long it will take, and what a time limit leaves of it."""

from __future__ import annotations

from surgenas.runs.steps.plan import OVERHEAD_S, SECONDS_PER_SAMPLE, plan


def test_a_plan_is_as_asked_and_every_part_takes_time(fresh, images):
    found = plan(fresh(data=images, epochs=3, train_epochs=4, samples=20, batch=32))
    assert (found.epochs, found.train_epochs) == (3, 4)
    assert found.profile_s == SECONDS_PER_SAMPLE * 32, "and twelve are measured twice"
    assert min(found.search_s, found.train_s) > 0
    assert found.other_s == OVERHEAD_S
    assert found.memory_bytes > 1e7


def test_a_time_limit_leaves_fewer_epochs_but_two(fresh, images):
    how = {"data": images, "epochs": 500, "train_epochs": 900, "samples": 12, "batch": 32}
    found = plan(fresh("soon", time_limit_s=1.0, **how))
    assert (found.epochs, found.train_epochs) == (2, 2)
    later = plan(fresh("later", time_limit_s=200.0, **how))
    assert 2 <= later.epochs < 500
    assert 2 <= later.train_epochs < 900
    assert plan(fresh("never", time_limit_s=1e9, **how)).epochs == 500


def test_a_search_that_samples_is_planned_by_its_candidates(fresh, images):
    how = {"data": images, "method": "random", "epochs": 1, "train_epochs": 1, "samples": 12, "batch": 32}
    few = plan(fresh("few", method_settings={"trials": 2}, **how))
    many = plan(fresh("many", method_settings={"trials": 200}, **how))
    assert many.search_s > 10 * few.search_s
    assert many.profile_s > few.profile_s, "each candidate is priced"
