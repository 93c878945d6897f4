"""How long it will take, and what a time limit leaves of it."""

from __future__ import annotations

import pytest

from surgenas.runs.pace import OVERHEAD_S
from surgenas.runs.searching import Searching
from surgenas.runs.steps.plan import SECONDS_PER_SAMPLE, plan


def test_a_plan_is_as_asked_and_every_part_takes_time(fresh, images):
    found = plan(fresh(data=images, epochs=3, train_epochs=4, samples=20, batch=32))
    assert (found.epochs, found.train_epochs) == (3, 4)
    assert found.profile_s == SECONDS_PER_SAMPLE * 32, "and twelve are measured twice"
    assert min(found.search_s, found.train_s) > 0
    assert found.other_s == pytest.approx(OVERHEAD_S + SECONDS_PER_SAMPLE * (16 + 5 + 13 * 5)), "five claims"
    assert found.memory_bytes > 1e7


def test_what_is_compared_with_is_measured_too_and_an_estimator_takes_the_time_that_it_was_seen_to_take(fresh, images):
    how = {"data": images, "epochs": 3, "train_epochs": 4, "samples": 20, "batch": 32}
    more = plan(fresh("more", random_at_equal_latency=1, random=1, **how))
    assert more.other_s == pytest.approx(OVERHEAD_S + SECONDS_PER_SAMPLE * (16 + 5 + 3 + 13 * 10))
    run = fresh("paper", device="roofline-example", **how)
    run.journal.append("spent", step="reach", seconds=1.0)
    found = plan(run)
    assert found.profile_s == pytest.approx(0.5 * 32)
    assert found.other_s == pytest.approx(OVERHEAD_S + 0.5 * (16 + 5 + 5))


def test_a_time_limit_leaves_fewer_epochs_but_two(fresh, images):
    how = {"data": images, "epochs": 500, "train_epochs": 900, "samples": 12, "batch": 32}
    found = plan(fresh("soon", time_limit_s=1.0, **how))
    assert (found.epochs, found.train_epochs) == (2, 2)
    later = plan(fresh("later", time_limit_s=200.0, **how))
    assert 2 <= later.epochs < 500
    assert 2 <= later.train_epochs < 900
    assert plan(fresh("never", time_limit_s=1e9, **how)).epochs == 500


def test_a_search_that_nobody_asked_for_is_left_out_where_time_is_short(fresh, images):
    how = {"data": images, "samples": 12, "batch": 32, "device": "roofline-example"}
    usual = plan(fresh("usual", **how))
    seconds = (usual.profile_s + usual.other_s + 0.4 * usual.train_s) / 0.85
    short = plan(fresh("short", time_limit_s=seconds, **how))
    assert (short.epochs, short.search_s) == (0, 0.0)
    assert 2 <= short.train_epochs < 60
    long = plan(fresh("long", time_limit_s=1e6, **how))
    assert (long.epochs, long.train_epochs) == (usual.epochs, usual.train_epochs)
    for i, asked in enumerate(({"epochs": 3}, {"method": "spos"}, {"method_settings": {"warmup": 0.5}},
                               {"start": "inherit"})):  # fmt: skip
        assert plan(fresh(f"asked-{i}", time_limit_s=seconds, **how, **asked)).epochs > 0, asked


@pytest.mark.parametrize(("method", "settings"), [("race", {"networks": 2}), ("race", {}), ("halving", {"trials": 2})])
@pytest.mark.parametrize("seconds", [1.0, 112.0, 130.0])
def test_a_short_time_leaves_fidelities_that_differ_and_no_longer_than_the_training(
    fresh, images, method, settings, seconds
):
    how = {"data": images, "epochs": 40, "train_epochs": 60, "samples": 12, "batch": 32}
    run = fresh(f"{method}-{seconds}", method=method, method_settings=settings, time_limit_s=seconds, **how)
    found = plan(run)
    run.record("plan", found)
    assert len(Searching(run).rungs) == Searching(run).needs.rungs, "not refused"
    if method == "race":
        assert found.epochs <= found.train_epochs


def test_a_method_that_searches_nothing_has_no_epochs_whatever_is_asked_for(fresh, images):
    how = {"data": images, "method": "drawn", "epochs": 5, "samples": 12, "device": "roofline-example"}
    assert plan(fresh("free", **how)).epochs == 0
    assert plan(fresh("soon", time_limit_s=60.0, **how)).epochs == 0


def test_a_search_that_samples_is_planned_by_its_candidates(fresh, images):
    how = {"data": images, "method": "random", "epochs": 1, "train_epochs": 1, "samples": 12, "batch": 32}
    few = plan(fresh("few", method_settings={"trials": 2}, **how))
    many = plan(fresh("many", method_settings={"trials": 200}, **how))
    assert many.search_s > 10 * few.search_s
    assert many.profile_s > few.profile_s, "each candidate is priced"
