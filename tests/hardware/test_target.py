"""What the rest of the program may ask of a target: jobs that know their network, and all costs or the first error."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from surgenas.core.cost import Failure
from surgenas.core.errors import DataError, UsageError
from surgenas.hardware.target import Job, Target, TimedTarget, all_costs
from surgenas.testing import ToyDevice, toy_device

SHAPE = (3, 8, 8)


def job(key):
    return Job(key, lambda: nn.Sequential(nn.Flatten(), nn.Linear(192, 10)), SHAPE)


def test_a_job_gives_its_network_ready_to_be_measured():
    network = nn.Sequential(nn.BatchNorm2d(3), nn.Dropout(0.5)).train()
    found = Job("x", lambda: network, SHAPE).module
    assert not any(module.training for module in found.modules())
    assert found(torch.ones(1, *SHAPE)).shape == (1, *SHAPE)


def test_a_job_that_is_a_file_has_no_network_to_look_into():
    with pytest.raises(UsageError, match="best is an ONNX file: there is no PyTorch network"):
        _ = Job("best", None, SHAPE, model=lambda batch: b"").module


def test_all_costs_are_those_of_the_jobs_in_their_order():
    found = all_costs(toy_device().price([job(key) for key in "cab"]))
    assert [cost.key for cost in found] == list("cab")
    assert all_costs([]) == []


def test_where_one_cost_is_missing_the_first_reason_is_raised():
    reasons = [Failure("b", DataError("b is empty")), Failure("c", UsageError("c is wrong"))]
    with pytest.raises(DataError, match="b is empty"):
        all_costs([*toy_device().price([job("a")]), *reasons])


def test_a_target_is_known_by_what_it_can_do():
    class Priceless(ToyDevice):
        price = None

    class Estimator(ToyDevice):
        calibrate = None

    assert isinstance(ToyDevice(), TimedTarget)
    assert not isinstance(Priceless(), Target)
    assert isinstance(Estimator(), Target)
    assert not isinstance(Estimator(), TimedTarget)
