"""What is asked of a device elsewhere is what is asked of it where it is."""

from __future__ import annotations

from dataclasses import replace
from importlib.metadata import version
from typing import Any

import numpy as np
import pytest
from torch import nn

from surgenas.core.cost import Effort
from surgenas.core.errors import EnvironmentFault, Interrupted, UsageError
from surgenas.core.progress import Progress
from surgenas.engine.ray_target import Holder, RemoteDeliverer, RemoteTarget, carried, remote_target
from surgenas.hardware.target import Deliverer, Job, Known, TargetInfo, TimedTarget

HERE = version("surgenas")
JOB = Job("net", None, (3, 8, 8))
INFO = TargetInfo("board", "board/1", "measured", "onnxruntime 1", "a processor")


class Board:
    """A device that says what it was asked. ratio: what its milliseconds are multiplied by."""

    name, key, units, suffixes, runs_open_onnx = "board", "board/1", ("ms",), (".onnx",), True

    def __init__(self, ratio: float = 1.0) -> None:
        self.ratio = ratio

    def describe(self) -> TargetInfo:
        return INFO

    def price(self, jobs: Any, effort: Any, *, seed: int, reuse: bool, progress: Progress = Progress()) -> Any:  # noqa: B008
        return [(job.key, effort, seed, reuse, self.ratio) for job in jobs]

    def calibrate(self, job: Job) -> tuple[str, float]:
        return "ref", 2.0

    def known(self, reference: str) -> Known:
        return Known(3.0, 0.1)

    def on_scale(self, scale: tuple[str, float]) -> Board:
        return Board(scale[1])

    def layer_shares(self, job: Job) -> dict[str, float]:
        return {job.key: self.ratio}

    def logits(self, job: Job, images: Any) -> Any:
        return images + self.ratio

    def deliver(self, job: Job) -> dict[str, bytes]:
        return {".onnx": b"file"}


@pytest.fixture
def holder(monkeypatch) -> Holder:
    monkeypatch.setattr("surgenas.engine.ray_target.make_target", lambda name: Board())
    return Holder("board")


def test_it_is_a_device_like_the_one_there(holder):
    target = remote_target(holder.do, holder.kind(HERE))
    assert isinstance(target, RemoteDeliverer)
    assert isinstance(target, TimedTarget)
    assert isinstance(target, Deliverer)
    assert (target.name, target.key, target.units, target.describe()) == ("board", "board/1", ("ms",), INFO)
    assert target.suffixes == (".onnx",)
    assert target.runs_open_onnx
    assert target.deliver(JOB) == {".onnx": b"file"}
    assert target.calibrate(JOB) == ("ref", 2.0)
    assert target.known("ref") == Known(3.0, 0.1)
    assert target.price([JOB], Effort.CLAIM, seed=3, reuse=True) == [("net", Effort.CLAIM, 3, True, 1.0)]


def test_a_scale_holds_for_all_that_is_asked(holder):
    target = remote_target(holder.do, holder.kind(HERE)).on_scale(("ref", 5.0))
    assert target.price([JOB]) == [("net", Effort.LEARN, 0, False, 5.0)]
    assert target.layer_shares(JOB) == {"net": 5.0}
    assert target.logits(JOB, np.ones(2)).tolist() == [6.0, 6.0]


def test_a_device_that_hands_on_nothing_does_not_pretend_to(monkeypatch):
    monkeypatch.delattr(Board, "deliver")
    monkeypatch.setattr("surgenas.engine.ray_target.make_target", lambda name: Board())
    holder = Holder("board")
    assert holder.kind(HERE).delivers is None
    assert type(remote_target(holder.do, holder.kind(HERE))) is RemoteTarget


def test_a_run_whose_time_is_up_asks_no_more(holder):
    class Over(Progress):
        def check(self) -> None:
            raise Interrupted("time is up")

    with pytest.raises(Interrupted, match="time is up"):
        remote_target(holder.do, holder.kind(HERE)).price([JOB], progress=Over())


def test_what_a_node_needs_of_a_trained_network_travels_with_it():
    images, calls = np.ones((2, 3, 8, 8), np.float32), []

    def read_here(value: Any) -> Any:
        return lambda *_: (calls.append(value), value)[1]

    def is_there(job: Job, info: TargetInfo) -> Job:
        there = carried(job, info)
        calls.clear()
        return there

    int8, job = replace(INFO, precision="int8"), Job("net", read_here(nn.Linear(2, 3)), (3, 8, 8))
    assert is_there(job, INFO) == job, "weights do not matter, so it is built there"
    job = replace(job, images=read_here(images))
    assert is_there(job, INFO).module.out_features == 3
    assert is_there(job, INFO).images is None, "it is not quantized there"
    assert is_there(job, int8).images() is images
    there = is_there(replace(job, files=read_here({".onnx": b"file"})), int8)
    assert (there.files(), there.images) == ({".onnx": b"file"}, None), "it is quantized already"
    assert is_there(replace(JOB, model=read_here(b"file")), INFO).model(1) == b"file"
    assert not calls, "nothing is read where the device is"


def test_a_device_that_cannot_be_made_there_is_said_when_it_is_asked():
    with pytest.raises(UsageError, match="nosuch"):
        Holder("nosuch").kind(HERE)
    with pytest.raises(EnvironmentFault, match=r"a node of the Ray cluster has surgenas .*, this is 0.0; install the"):
        Holder("roofline-example").kind("0.0")
