"""The far side: it greets, answers one message, tells whatever went wrong, and measures for nobody."""

from __future__ import annotations

import io
import math
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from surgenas.core.catalog import look_up
from surgenas.hardware import RUNTIMES
from surgenas.hardware.context import host_fingerprint, processor_name
from surgenas.hardware.runtimes import Runtime
from surgenas.hardware.timed.link import HERE, Link
from surgenas.hardware.timed.session import WORKING, Network, Request, parse_answer, parse_greeting, request_message
from surgenas.hardware.timed.timing import Protocol
from surgenas.hardware.timed.wire import Message, read, write
from surgenas.hardware.worker import greeting, serve

SHORT = Protocol(rounds=3, max_rounds=3, warmup_s=0.0, block_ms=0.1, min_runs=2, backoff_s=())


class Loud(Runtime):
    """Prints while it works, by Python and past it; its model is what it prints."""

    name = "loud"
    version = "1"

    def convert(self, network, input_shape, batch):
        return b""

    def prepare(self, model, images, threads, precision):
        if model == b"fail":
            raise KeyError("no kernel\nfor this")
        print(model.decode(), flush=True)  # noqa: T201  what must not get between messages
        os.write(1, model)
        return lambda: images.mean((2, 3))


def campaign(**models):
    networks = {name: Network(model, (1, 3, 4, 4)) for name, model in models.items()}
    return Request(f"{__name__}:Loud", "fp32", 1, networks, Network(b"r", (1, 3, 4, 4)), math.inf, SHORT, 0)


def served(*messages, after=b"whoever asked is still there"):
    """All that is said back to these."""
    source, sink = io.BytesIO(), io.BytesIO()
    for message in messages:
        write(source, message)
    source.write(after)
    source.seek(0)
    serve(source, sink)
    end = sink.tell()
    sink.seek(0)
    found = []
    while sink.tell() < end:
        found.append(read(sink))
    return found


def test_a_campaign_is_greeted_reported_on_and_answered():
    hello, *working, answer = served(request_message(campaign(a=b"A", b=b"B")))
    assert parse_greeting(hello).host == host_fingerprint()
    assert [message.kind for message in working] == [WORKING] * 3, "two networks and the reference"
    found = parse_answer(answer)
    assert list(found.campaign.rounds) == ["a", "b"]
    assert np.allclose(found.outputs["a"], Network(b"", (1, 3, 4, 4)).images.mean((2, 3)))


def test_a_greeting_has_the_runtimes_that_are_installed_in_their_versions():
    found = parse_greeting(greeting())
    assert (found.host, found.processor) == (host_fingerprint(), processor_name())
    assert {"onnxruntime", "pytorch"} <= found.runtimes.keys() <= RUNTIMES.keys()
    for name, version in found.runtimes.items():
        assert version == look_up("runtime", name, RUNTIMES)().version


@pytest.mark.parametrize(
    ("message", "told"),
    [
        (Message("campaign"), "a campaign that cannot be understood"),
        (request_message(replace(campaign(a=b"A"), runtime="abacus")), "unknown runtime 'abacus'"),
        (request_message(campaign(a=b"fail")), "KeyError: 'no kernel"),
    ],
    ids=["no campaign", "no such runtime", "a runtime that fails"],
)
def test_whatever_goes_wrong_is_told(message, told):
    hello, failed = served(message)
    assert (hello.kind, failed.kind) == ("hello", "failed")
    assert failed.values["why"].startswith(told)


def test_whoever_says_nothing_or_nonsense_is_told_so():
    for said, told in ((b"", "ended before its message did"), (b"ls -la\nexit\n", "expected a surgenas message")):
        hello, failed = served(after=said)
        assert hello.kind == "hello"
        assert told in failed.values["why"]


def far(monkeypatch):
    """This file is where the far side finds the runtime."""
    folders = (str(Path(__file__).parent), os.environ.get("PYTHONPATH", ""))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(folders))


def test_what_a_runtime_prints_does_not_get_between_the_messages(monkeypatch):
    far(monkeypatch)
    answer = Link(HERE, pauses_s=()).perform(campaign(a=b"SNAS says hello"))
    assert list(answer.campaign.rounds) == ["a"]


def test_it_ends_when_whoever_asked_goes_away(monkeypatch):
    far(monkeypatch)
    endless = replace(SHORT, max_rounds=10**9, rounds=10**9, budget_s=1e9, patience_s=1e9)
    pipe = subprocess.PIPE
    with subprocess.Popen(HERE, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL) as process:
        assert read(process.stdout).kind == "hello"
        write(process.stdin, request_message(replace(campaign(a=b"A"), protocol=endless)))
        assert [read(process.stdout).kind for _ in range(2)] == [WORKING] * 2
        assert process.poll() is None
        process.stdin.close()
        assert process.wait(20) == 1


def test_it_needs_no_torch(monkeypatch, tmp_path):
    """A worker on a small machine has none."""
    (tmp_path / "torch.py").write_text("raise ImportError('there is no torch here')")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join((str(tmp_path), os.environ.get("PYTHONPATH", ""))))
    found = Link((sys.executable, "-m", "surgenas.hardware.worker"), pauses_s=()).greet()
    assert found.host == host_fingerprint()
    assert "onnxruntime" in found.runtimes
