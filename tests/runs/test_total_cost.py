"""What a network cost is counted in images, from what was planned and done."""

from __future__ import annotations

import pytest

from surgenas.report.words import cost_note
from surgenas.runs.results import Planned, Started, TotalCost
from surgenas.runs.run import Run
from surgenas.runs.searching import Searching
from surgenas.runs.total_cost import describe_search, search_passes, total_cost
from tests.runs.written import again, new_run, written_run

TRAIN = 1438
"""Images of the digits to train on."""


def planned(folder, **words):
    run = new_run(folder, batch=32, **words)
    assert run.data.name
    run.record("plan", Planned(4, 6, 1.0, 1.0, 1.0, 1.0, 1))
    return again(run)


def test_every_path_of_every_step_counts(tmp_path):
    run = planned(tmp_path / "run", method="spos")
    searching = Searching(run)
    needs, steps = searching.needs, searching.steps_per_epoch
    assert searching.needs.passes == 1
    assert search_passes(searching, 4) == 4 * steps * 32
    cost = total_cost(run)
    held = searching.held_out
    assert cost == TotalCost(
        search=4 * steps * 32, judging=round(needs.judged * (len(held.images) + len(held.calibration)) * 0.08),
        training=6 * (TRAIN // 32) * 32, train_epochs=6,
    )  # fmt: skip
    assert cost.passes == cost.search + cost.judging + cost.training
    assert cost.epochs == round(6 * cost.passes / cost.training)


def test_candidates_that_are_trained_count_as_trained(tmp_path):
    run = planned(tmp_path / "run", method="random", method_settings={"trials": 10})
    for i in range(7):
        run.journal.append("trial", key=str(i), rung=0, genes=["k3e3"], score=0.5, latency_ms=None)
    cost, searching = total_cost(run), Searching(run)
    assert cost.search == 7 * 4 * searching.steps_per_epoch * 32
    assert cost.judging == 0
    assert "10 candidates of 4 epochs each" in describe_search(run, run.result(Planned))


def test_making_the_whole_network_ready_counts(tmp_path, monkeypatch):
    run = planned(tmp_path / "run", method="random", method_settings={"trials": 10})
    before = total_cost(run)
    real = Run.result
    monkeypatch.setattr(Run, "result", lambda self, kind: Ready() if kind is Started else real(self, kind))
    assert total_cost(run).search == before.search + 3 * len(run.images.search.train)


def test_a_network_that_meets_the_limit_as_it_is_takes_no_search(tmp_path, monkeypatch):
    run = planned(tmp_path / "run", method="spos")
    monkeypatch.setattr("surgenas.runs.total_cost.meets_limit_whole", lambda run: True)
    cost = total_cost(run)
    assert (cost.search, cost.judging, cost.in_trainings) == (0, 0, 1.0)


class Ready:
    """As a result of the step that makes a whole network ready."""

    epochs = 3


def test_it_is_said_beside_the_seconds_of_what_was_needed():
    (line,) = cost_note(TotalCost(3000, 0, 1000, 2), {"search": 60.0, "train found": 30.0, "verify": 500.0})
    assert line == (
        "cost    4,000 images passed (search 3,000, training 1,000), as by 8 epochs of training alone; 90 s "
        "with measuring"
    )
    assert cost_note(None, {}) == []


def test_a_run_of_before_it_was_counted_has_none(tmp_path):
    run = written_run(tmp_path / "run")
    assert run.result(TotalCost) == TotalCost(3000, 100, 1000, 2)
    assert new_run(tmp_path / "other").result(TotalCost) is None
    with pytest.raises(AssertionError, match="planned before"):
        total_cost(new_run(tmp_path / "third"))
