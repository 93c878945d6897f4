"""Stand-ins are what they are said to be: known latencies, a planted operator, a device that measures briefly."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from surgenas.core import moves
from surgenas.core.catalog import look_up
from surgenas.core.cost import Effort
from surgenas.core.errors import UsageError
from surgenas.engine.jobs import job_of
from surgenas.hardware.devices import make_target
from surgenas.hardware.target import Job, TimedTarget
from surgenas.testing.doubles import (
    BRIEF,
    MuteDevice,
    Planted,
    ToyDevice,
    ZeroPredictor,
    brief_device,
    brief_int8_device,
    toy_device,
)
from surgenas.testing.spaces import check_space
from surgenas.testing.targets import check_target

SPACE = Planted()
CONV = Job("conv", lambda: nn.Conv2d(3, 4, 3), (3, 8, 8))
"""112 parameters in one convolution."""


@pytest.mark.parametrize("kind", [ToyDevice, MuteDevice])
def test_a_simulated_device_keeps_the_contract_of_real_ones(kind):
    device = kind()
    check_target(device, [job_of(moves.uniform_architecture(SPACE, gene), SPACE) for gene in ("k3e3", "bad")])
    assert isinstance(device, TimedTarget)


@pytest.mark.parametrize("effort", Effort)
def test_a_latency_is_a_function_of_the_network_whatever_the_effort(effort):
    (found,) = toy_device().price([CONV], effort, seed=3)
    assert found.ms == pytest.approx(1e-4 + 112e-7)
    assert (found.key, found.target, found.grade, found.is_usable) == ("conv", "toy/1", "A", True)
    assert found.ms == found.ratio * found.reference_ms


def test_a_simulated_device_runs_nothing_and_a_mute_one_tells_no_layers():
    assert sum(toy_device().layer_shares(CONV).values()) == 1.0
    with pytest.raises(UsageError, match="toy: nothing runs here"):
        toy_device().logits(CONV, np.zeros((1, 3, 8, 8), np.float32))
    with pytest.raises(UsageError, match="layers are not told"):
        MuteDevice().layer_shares(CONV)


@pytest.mark.parametrize(
    ("path", "key"), [("toy_device", "toy/1"), ("brief_device", "/fp32/"), ("brief_int8_device", "/int8/")]
)
def test_a_stand_in_is_named_on_the_command_line_by_its_path(path, key):
    assert key in make_target(f"surgenas.testing:{path}").key


def test_a_brief_device_is_the_shipped_one_but_for_how_long_it_measures():
    brief, shipped = brief_device("onnxruntime-cpu-batch8"), make_target("onnxruntime-cpu-batch8")
    assert (brief.key, brief.name, brief.batch) == (shipped.key, shipped.name, 8)
    assert dict(brief.protocols) == dict.fromkeys(Effort, BRIEF)
    assert brief.look == BRIEF
    assert brief_int8_device().precision == "int8"
    with pytest.raises(AssertionError):
        brief_device("roofline-example")  # nothing is timed there


def test_a_brief_campaign_is_too_short_to_be_relied_on_and_has_a_duplicate():
    assert BRIEF.max_rounds <= 3
    assert BRIEF.duplicates == 1
    assert not BRIEF.fresh
    assert all(BRIEF.max_rounds < protocol.rounds for protocol in make_target("onnxruntime-cpu").protocols.values())


def test_a_predictor_of_nothing_gives_every_network_one_millisecond_and_no_slope():
    costs = SPACE.costs()
    predictor = ZeroPredictor(costs).fit(np.zeros((2, 6, 4)), np.array([5.0, 7.0]))
    gates = torch.rand(3, 6, 4, requires_grad=True)
    found = predictor.predict_relaxed(gates)
    (slope,) = torch.autograd.grad(found.sum(), gates)
    assert found.tolist() == [1.0] * 3
    assert slope.abs().max() == 0
    assert predictor.differentiable
    assert predictor.predict(np.eye(4)[np.zeros((5, 6), int)]).tolist() == [1.0] * 5


def test_the_planted_space_keeps_the_contract_of_spaces():
    check_space(SPACE, trials=1)
    assert moves.size(SPACE) == 4**6
    assert look_up("space", "surgenas.testing:Planted", {}) is Planted


@pytest.mark.parametrize("layer", range(6))
def test_the_bad_operator_leaves_nothing_of_its_input(layer):
    cin, cout, stride = Planted.SHAPES[layer]
    operator, images = SPACE.operator("bad", cin, cout, stride, affine=True), torch.randn(8, cin, 8, 8)
    shape = (8, cout, 8 // stride, 8 // stride)
    with torch.no_grad():
        noise, other, nothing = operator.train()(images), operator(images), operator.eval()(images)
    assert noise.shape == shape
    assert not torch.equal(noise, other), "other noise each time"
    assert abs(float(noise.mean())) < 0.2
    assert float(noise.std()) == pytest.approx(1.0, abs=0.2)
    assert torch.equal(nothing, torch.zeros(shape))


def test_the_bad_operator_costs_something_and_less_than_the_others():
    costs = SPACE.costs()
    bad = Planted.OPTIONS.index("bad")
    assert (costs.params[:, bad] > 0).all()
    assert (costs.macs.argmin(1) == bad).all()
