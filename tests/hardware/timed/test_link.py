"""Campaigns in other processes: the same answer as here, and every way to lose one ends in a retry or a clear error."""

from __future__ import annotations

import sys
from dataclasses import replace

import numpy as np
import pytest

from surgenas.core import moves
from surgenas.core.cost import Effort, Failure
from surgenas.core.errors import SurgenasError
from surgenas.engine.jobs import job_of
from surgenas.hardware.onnx_file import to_onnx
from surgenas.hardware.timed.link import HERE, DeviceGone, DeviceLost, Link
from surgenas.hardware.timed.session import HIDDEN, Network, Request, perform
from surgenas.hardware.timed.timing import Protocol
from surgenas.testing import brief_device

SHORT = Protocol(rounds=3, max_rounds=3, warmup_s=0.01, block_ms=0.5, duplicates=1)


@pytest.fixture(scope="module")
def request_(small):
    def network(operator):
        return Network(
            to_onnx(small.build(moves.uniform_architecture(small, operator)), small.input_shape),
            (1, *small.input_shape),
        )

    names = ("k3e3", "skip")
    return Request("onnxruntime", "fp32", 1, {n: network(n) for n in names}, network("k3e6"), float("inf"), SHORT, 3)


def python(code):
    return (sys.executable, "-c", code)


def test_a_fresh_process_answers_what_this_one_would(request_):
    here, there = perform(request_), Link().perform(request_)
    assert there.campaign.rounds.keys() == here.campaign.rounds.keys()
    assert sum(name.startswith(HIDDEN) for name in there.campaign.rounds) == 1
    assert len(there.pairs) == 1
    for name, output in here.outputs.items():
        assert np.array_equal(output, there.outputs[name])
    assert all(len(rounds) == 3 for rounds in there.campaign.rounds.values())
    assert there.context["before"].keys() == here.context["before"].keys()


@pytest.mark.parametrize(
    ("code", "hello_s", "named"),
    [
        ("print('Welcome to pi!')", 60.0, "print something of its own"),
        ("import sys; sys.exit('no route to host')", 60.0, "no route to host"),
        ("import os; os.kill(os.getpid(), 11)", 60.0, "signal 11"),
        ("import time; time.sleep(60)", 0.1, "no answer within 0.1 s"),
        ("raise SystemExit(3)", 60.0, "ended before its message did, exit status 3"),
        ("import sys; sys.stdout.buffer.write(b'SNAS\\x09' + bytes(4))", 60.0, "version 9"),
    ],
)
def test_what_cannot_be_talked_to_is_tried_again_and_then_named(request_, listener, code, hello_s, named):
    with pytest.raises(DeviceLost, match=named) as caught:
        Link(python(code), hello_s=hello_s, pauses_s=(0.01,)).perform(request_, listener)
    assert "2 tries" in str(caught.value)
    assert len(listener.said) == 1


def test_a_device_that_is_gone_is_asked_nothing_more(request_):
    with pytest.raises(DeviceGone, match="nothing more is asked of it"):
        Link(python("raise SystemExit('unplugged')"), pauses_s=()).perform(request_)


def test_a_device_that_is_gone_is_asked_once_for_all_networks(small):
    asked = []

    class Gone:
        command = ("unplugged",)

        def perform(self, request, progress):
            asked.append(request)
            raise DeviceGone("unplugged")

    device = replace(brief_device(), link=Gone())
    found = device.on_scale(("reference-s/2", 1.0)).price(
        [job_of(moves.uniform_architecture(small, gene)) for gene in ("skip", "k3e3", "k7e6")], Effort.CLAIM
    )
    assert len(asked) == 1
    assert [type(f.error) for f in found if isinstance(f, Failure)] == [DeviceGone] * 3


def test_a_network_that_takes_its_process_down_leaves_the_device_there(request_):
    crashing = "from surgenas.hardware import worker\nimport os\nworker.perform = lambda *_: os._exit(3)\nworker.main()"
    with pytest.raises(DeviceLost) as caught:
        Link(python(crashing), pauses_s=()).perform(request_)
    assert not isinstance(caught.value, DeviceGone)


def test_a_command_that_is_not_there(request_):
    with pytest.raises(DeviceLost, match=r"no-such-command.*cannot be started"):
        Link(("no-such-command",), pauses_s=()).perform(request_)


def test_a_device_that_breaks_off_once_is_asked_again(request_, listener, tmp_path):
    """The first try dies in the middle of its answer; the second is whole."""
    flaky = (
        f"import os, sys, pathlib; mark = pathlib.Path({str(tmp_path / 'mark')!r})\n"
        "from surgenas.hardware import worker\nfrom surgenas.hardware.timed import wire\n"
        "if not mark.exists():\n"
        "    mark.touch(); whole = wire.write\n"
        "    def write(stream, message):\n"
        "        if message.kind == 'answer': stream.write(b'SNAS'); stream.flush(); os._exit(1)\n"
        "        whole(stream, message)\n"
        "    worker.write = write\n"
        "worker.main()"
    )
    answer = Link(python(flaky), pauses_s=(0.01,)).perform(request_, listener)
    assert len(answer.outputs) == 2
    assert len(listener.said) == 1


def test_a_campaign_that_cannot_be_done_is_told_and_not_tried_again(request_, listener):
    broken = replace(request_, networks={"x": Network(b"no model", (1, 3, 8, 8))})
    with pytest.raises(SurgenasError, match="INVALID_PROTOBUF"):
        Link(HERE).perform(broken, listener)
    assert not listener.said
