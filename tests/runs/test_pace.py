"""How fast a run is: what a pass takes, and what pricing takes where it is slower than planned."""

from __future__ import annotations

import pytest
import torch

from surgenas.runs.pace import OTHER, OVERHEAD_S, TIMES, pass_s, pricing_left
from surgenas.runs.results import Planned, Profiled
from tests.runs.written import new_run


def test_the_shares_of_all_else_are_a_whole():
    assert sum(OTHER.values()) == pytest.approx(1.0)


def test_a_pass_is_timed_several_times_after_a_first_one(fresh, images):
    run, seen = fresh(data=images, batch=32), []
    weights = torch.nn.Linear(3, len(run.data.classes))

    def forward(batch):
        seen.append(batch.shape)
        return weights(batch.mean((2, 3)))

    assert pass_s(run, torch.device("cpu"), forward) > 0
    assert seen == [(32, 3, 16, 16)] * (TIMES + 1)
    assert weights.weight.grad is not None, "backward, too"


def test_what_is_priced_takes_its_time_as_the_profile_did(tmp_path):
    run, planned = new_run(tmp_path / "run"), Planned(2, 2, 10.0, 20.0, 60.0, 90.0, 10**9)
    run.record("plan", planned)
    assert pricing_left(run, planned) == pytest.approx(90.0)
    run.journal.append("spent", step="profile", seconds=20.0)
    run.record("profile", Profiled(40, ()))
    assert pricing_left(run, planned) == pytest.approx(OVERHEAD_S + 2 * (90.0 - OVERHEAD_S))
    run.record("derive", None)
    assert pricing_left(run, planned) == pytest.approx((180.0 - OVERHEAD_S) * (1 - OTHER["derive"]))
