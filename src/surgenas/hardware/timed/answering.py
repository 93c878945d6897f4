"""What does a converted network answer to images? Asked in this process, or of a worker where it must not run here."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from surgenas.core.catalog import look_up
from surgenas.core.errors import SurgenasError
from surgenas.hardware import RUNTIMES
from surgenas.hardware.runtimes import Images, Runtime
from surgenas.hardware.timed.session import Network, in_one_line
from surgenas.hardware.timed.wire import Message, WireError

INQUIRY = "inquiry"
"""The kind of message that asks for logits."""
MOST_BYTES = 1 << 28
"""Of images in one message."""


@dataclass(frozen=True)
class Inquiry:
    """Images whose logits are wanted, their axes in the network's order, and the network that computes them in batches
    of its own size."""

    runtime: str
    precision: str
    threads: int
    network: Network
    images: Images


def answer(inquiry: Inquiry) -> Images:
    """The logits (N, classes); the last batch is filled up. Raises SurgenasError if the runtime fails."""
    with in_one_line(inquiry.runtime):
        return _answer(inquiry)


def _answer(inquiry: Inquiry) -> Images:
    runtime: Runtime = look_up("runtime", inquiry.runtime, RUNTIMES)()
    window = np.zeros(inquiry.network.input_shape, inquiry.network.dtype)
    call = runtime.prepare(inquiry.network.model, window, inquiry.threads, inquiry.precision)
    found = []
    for start in range(0, len(inquiry.images), len(window)):
        part = inquiry.images[start : start + len(window)]
        window[: len(part)] = part
        found.append(call()[: len(part)].copy())
    return np.concatenate(found)


def in_parts(images: Images) -> list[Images]:
    """The images (N, C, H, W) in as few parts as messages can carry."""
    each = max(1, MOST_BYTES // images[0].nbytes)
    return [images[start : start + each] for start in range(0, len(images), each)]


# --- to a message and back


def inquiry_message(inquiry: Inquiry) -> Message:
    """The message that asks another process; `parse_inquiry` is its inverse."""
    values = {
        "runtime": inquiry.runtime,
        "precision": inquiry.precision,
        "threads": inquiry.threads,
        "input_shape": list(inquiry.network.input_shape),
        "dtype": inquiry.network.dtype,
        "images": len(inquiry.images),
    }
    images = np.ascontiguousarray(inquiry.images, np.float32).tobytes()
    return Message(INQUIRY, values, (inquiry.network.model, images))


def parse_inquiry(message: Message) -> Inquiry:
    """What a message asks; raises WireError if it cannot be understood."""
    v = message.values
    try:
        model, pixels = message.blobs
        shape = tuple(map(int, v["input_shape"]))
        images = np.frombuffer(pixels, np.float32).reshape(int(v["images"]), *shape[1:])
        network = Network(model, shape, np.dtype(v["dtype"]).name)
        return Inquiry(str(v["runtime"]), str(v["precision"]), int(v["threads"]), network, images)
    except (KeyError, ValueError, TypeError, OverflowError) as error:
        raise WireError(f"an inquiry that cannot be understood ({error})") from error


def logits_message(logits: Images) -> Message:
    """The message that carries logits (N, classes) back; `parse_logits` is its inverse."""
    return Message("logits", {"shape": list(logits.shape)}, (np.ascontiguousarray(logits, np.float32).tobytes(),))


def parse_logits(message: Message) -> Images:
    """The logits that a message carries.

    Raises SurgenasError if it says that there are none, WireError if it says nothing of the kind.
    """
    if message.kind == "failed":
        raise SurgenasError(str(message.values.get("why", "the other side failed without saying why")))
    try:
        (blob,) = message.blobs
        return np.frombuffer(blob, np.float32).reshape(message.values["shape"])
    except (KeyError, ValueError, TypeError) as error:
        raise WireError(f"logits that cannot be understood ({error})") from error
