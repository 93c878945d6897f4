"""Logits of images, asked here or of a worker: the same, in as many messages as it takes, and nonsense is refused."""

from __future__ import annotations

import sys
from dataclasses import replace

import numpy as np
import pytest

from surgenas.core import moves
from surgenas.core.errors import SurgenasError
from surgenas.hardware.onnx_file import to_onnx
from surgenas.hardware.timed import answering
from surgenas.hardware.timed.answering import (
    Inquiry,
    answer,
    in_parts,
    inquiry_message,
    logits_message,
    parse_inquiry,
    parse_logits,
)
from surgenas.hardware.timed.link import DeviceLost, Link
from surgenas.hardware.timed.session import Network
from surgenas.hardware.timed.wire import Message, WireError


@pytest.fixture
def inquiry(small):
    """Five images for a network that takes two at once."""
    shape = small.input_shape
    model = to_onnx(small.build(moves.uniform_architecture(small, "k3e3")), shape, batch=2)
    images = np.random.default_rng(0).standard_normal((5, *shape), dtype=np.float32)
    return Inquiry("onnxruntime", "fp32", 1, Network(model, (2, *shape)), images)


def test_a_worker_answers_what_this_process_does(inquiry):
    here = answer(inquiry)
    assert here.shape == (5, 10)
    assert np.allclose(here, Link().ask(inquiry), atol=1e-5)
    assert np.allclose(here[4:], answer(replace(inquiry, images=inquiry.images[4:])), atol=1e-5), "a batch filled up"


def test_what_fails_there_or_here_is_one_line(inquiry):
    broken = replace(inquiry, network=replace(inquiry.network, model=b"no model"))
    for ask in (answer, Link().ask):
        with pytest.raises(SurgenasError) as caught:
            ask(broken)
        assert "\n" not in str(caught.value)
    mute = Link((sys.executable, "-c", ""), pauses_s=())
    with pytest.raises(DeviceLost):
        mute.ask(inquiry)


def test_messages_carry_all_of_it(inquiry):
    back = parse_inquiry(inquiry_message(inquiry))
    assert replace(back, images=inquiry.images) == inquiry
    assert np.array_equal(back.images, inquiry.images)
    logits = np.arange(6, dtype=np.float32).reshape(2, 3)
    assert np.array_equal(parse_logits(logits_message(logits)), logits)


ASKED = {"runtime": "x", "precision": "fp32", "threads": 1, "input_shape": [1, 3, 4, 4]}


@pytest.mark.parametrize(
    "message",
    [
        Message("inquiry"),
        Message("inquiry", {**ASKED, "images": 2}, (b"", b"12345678")),
        Message("inquiry", {**ASKED, "threads": "many", "images": 0}, (b"", b"")),
    ],
)  # fmt: skip
def test_an_inquiry_that_is_none_is_refused(message):
    with pytest.raises(WireError, match="cannot be understood"):
        parse_inquiry(message)


def test_logits_that_are_none_are_refused():
    with pytest.raises(SurgenasError, match="no kernel"):
        parse_logits(Message("failed", {"why": "no kernel"}))
    for message in (Message("logits"), Message("logits", {"shape": [2, 2]}, (b"1234",))):
        with pytest.raises(WireError, match="cannot be understood"):
            parse_logits(message)


def test_images_are_parted_as_messages_can_carry_them(monkeypatch):
    images = np.arange(5 * 12, dtype=np.float32).reshape(5, 3, 2, 2)
    assert [len(part) for part in in_parts(images)] == [5]
    monkeypatch.setattr(answering, "MOST_BYTES", 2 * images[0].nbytes)
    parts = in_parts(images)
    assert [len(part) for part in parts] == [2, 2, 1]
    assert np.array_equal(np.concatenate(parts), images)
    monkeypatch.setattr(answering, "MOST_BYTES", 1)
    assert len(in_parts(images)) == 5, "one is never parted"
