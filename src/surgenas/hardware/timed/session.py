"""What is one campaign, as a value? What is to be measured, on what, and the raw answer, in this process or another.

Nothing here knows of torch: a worker on a small machine needs the runtime, numpy, scipy, pydantic, psutil and this
package.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from pydantic import TypeAdapter, ValidationError

from surgenas.core.catalog import look_up
from surgenas.core.errors import SurgenasError, complaint
from surgenas.hardware import RUNTIMES
from surgenas.hardware.context import crowded_share, processor_seconds, share_used_elsewhere, snapshot
from surgenas.hardware.runtimes import Images, Runtime
from surgenas.hardware.timed.measurement import Block, Round, estimate
from surgenas.hardware.timed.timing import Campaign, Machine, Protocol, involuntary_switches, run_campaign
from surgenas.hardware.timed.wire import Message, WireError

Call = Callable[[], Images]
WORKING = "working"
"""The kind of message by which a worker says that it is alive: some runtimes compile a network for a minute."""
HIDDEN = "="
"""The first letter of the name under which a network is measured a second time (docs/measurement.md, 9)."""


HEAVY_BYTES = 4_000_000
"""From this size on a network depends on what others do with the caches. Beside a program that goes through memory,
those of 2 MB slowed down up to 6 % more than a small reference, those of 9 to 17 MB up to 63 % (docs/log.md)."""


DType = Literal["float32", "float16", "uint8", "int8"]
"""The types of images that networks are fed with."""


def random_images(shape: Sequence[int], dtype: str, seed: int) -> npt.NDArray[Any]:
    """Images of this shape and type: normally distributed, or any of the values of a type of whole numbers."""
    rng = np.random.default_rng(seed)
    if np.dtype(dtype).kind == "f":
        return rng.standard_normal(shape, dtype=np.float32).astype(dtype, copy=False)
    limits = np.iinfo(dtype)
    return rng.integers(limits.min, limits.max, shape, dtype, endpoint=True)


@dataclass(frozen=True)
class Network:
    """A model in the format of its runtime, and the shape and type of its input: (N, C, H, W), or as an ONNX file has
    it."""

    model: bytes
    input_shape: tuple[int, ...]
    dtype: str = "float32"

    @property
    def is_heavy(self) -> bool:
        """Whether its latency depends on what others do with the caches (HEAVY_BYTES)."""
        return len(self.model) >= HEAVY_BYTES

    @property
    def images(self) -> npt.NDArray[Any]:
        """The random images that it is measured with, the same in every process."""
        return random_images(self.input_shape, self.dtype, seed=0)


@dataclass(frozen=True)
class Request:
    """A campaign that is to be run: networks by name, the reference, and how much is measured.

    reference_ms: what the reference takes when nothing disturbs it; infinity if that is not known.
    """

    runtime: str
    precision: str
    threads: int
    networks: Mapping[str, Network]
    reference: Network
    reference_ms: float
    protocol: Protocol
    seed: int


@dataclass(frozen=True)
class Answer:
    """What came of a campaign: every run, the logits (N, classes) of each network, and the state of the machine."""

    campaign: Campaign
    outputs: Mapping[str, Images]
    context: Mapping[str, Any]

    @property
    def pairs(self) -> tuple[float, ...]:
        """|ln ratio| of each network that was measured under two names: how much equal networks seem to differ."""
        c = self.campaign
        ratio = {name: estimate(rounds, c.state_ms)[0] for name, rounds in c.rounds.items()}
        hidden = [name for name in ratio if name.startswith(HIDDEN)]
        return tuple(abs(math.log(ratio[name] / ratio[name.removeprefix(HIDDEN)])) for name in hidden)


@dataclass(frozen=True)
class Greeting:
    """What a worker says of its machine: host fingerprint, processor, and the version of each runtime there by name.

    cores: how many it may use; 0 if it does not say.
    """

    host: str
    processor: str
    runtimes: Mapping[str, str]
    cores: int = 0


def perform(request: Request, tell: Callable[[], None] = lambda: None) -> Answer:
    """Compile the networks of a campaign, run it, and return everything. tell: called after each compiled network."""
    runtime: Runtime = look_up("runtime", request.runtime, RUNTIMES)()
    before, since = snapshot(), processor_seconds()
    machine = Machine(switches=partial(involuntary_switches, request.threads), timer=runtime.timer())

    def prepare(network: Network) -> Call:
        call = runtime.prepare(network.model, network.images, request.threads, request.precision)
        tell()
        return call

    calls = {name: prepare(network) for name, network in request.networks.items()}
    outputs = {name: call() for name, call in calls.items()}
    rng = np.random.default_rng(request.seed)
    light = [name for name, network in request.networks.items() if not network.is_heavy]  # the others have a watcher
    hidden = rng.permutation(light or list(calls))[: request.protocol.duplicates]
    calls |= {HIDDEN + name: prepare(request.networks[name]) for name in map(str, hidden)}
    campaign = run_campaign(calls, prepare(request.reference), request.reference_ms, request.protocol, rng, machine)
    elsewhere = share_used_elsewhere(since, processor_seconds())
    context = {
        "seed": request.seed,
        "before": before,
        "after": snapshot(),
        "used_elsewhere": round(elsewhere, 3),
        "crowded": round(crowded_share(elsewhere, request.threads), 3),
    }
    return Answer(campaign, outputs, context)


@contextmanager
def in_one_line(runtime: str) -> Iterator[None]:
    """Turn what a runtime raises in this process, each in its own way, into a SurgenasError."""
    try:
        yield
    except (SurgenasError, MemoryError):
        raise
    except Exception as error:
        why = (str(error).splitlines() or [""])[0]
        raise SurgenasError(f"{runtime} failed ({type(error).__name__}: {why})") from error


# --- to a message and back


def request_message(request: Request) -> Message:
    """The message that carries a campaign to another process; `parse_request` is its inverse."""
    networks = [*request.networks.values(), request.reference]
    values = {
        "runtime": request.runtime,
        "precision": request.precision,
        "threads": request.threads,
        "names": list(request.networks),
        "shapes": [list(network.input_shape) for network in networks],
        "dtypes": [network.dtype for network in networks],
        "reference_ms": None if math.isinf(request.reference_ms) else request.reference_ms,
        "protocol": asdict(request.protocol),
        "seed": request.seed,
    }
    return Message("campaign", values, tuple(network.model for network in networks))


def parse_request(message: Message) -> Request:
    """The campaign that a message carries; raises WireError if it carries none."""
    v = message.values
    try:
        dtypes = TypeAdapter(list[DType]).validate_python(v["dtypes"])
        fields = zip(message.blobs, v["shapes"], dtypes, strict=True)
        networks = [Network(model, tuple(map(int, shape)), dtype) for model, shape, dtype in fields]
        protocol = TypeAdapter(Protocol).validate_python(v["protocol"])
        names = TypeAdapter(list[str]).validate_python(v["names"], strict=True)
        if len(set(names)) != len(names):
            raise ValueError("two networks have one name")
        return Request(
            str(v["runtime"]), str(v["precision"]), int(v["threads"]),
            dict(zip(names, networks[:-1], strict=True)), networks[-1],
            math.inf if v["reference_ms"] is None else float(v["reference_ms"]), protocol, int(v["seed"]),
        )  # fmt: skip
    except (KeyError, ValueError, TypeError, AttributeError, IndexError, OverflowError) as error:
        raise WireError(f"a campaign that cannot be understood ({error})") from error


def parse_greeting(message: Message) -> Greeting:
    """The greeting that a message carries; raises WireError if it carries none."""
    if message.kind != "hello":
        raise WireError(f"expected a greeting, got {message.kind!r}")
    try:
        return TypeAdapter(Greeting).validate_python(message.values)
    except ValidationError as error:
        raise WireError(f"a greeting that cannot be understood ({': '.join(complaint(error))})") from error


def answer_message(answer: Answer) -> Message:
    """The message that carries an answer back; `parse_answer` is its inverse."""
    c = answer.campaign
    values = {
        "rounds": _rounds_record(c.rounds),
        "steady": _rounds_record(c.steady),
        "reference_ms": list(c.reference_ms),
        "preempted": c.preempted,
        "state_ms": None if math.isinf(c.state_ms) else c.state_ms,
        "context": dict(answer.context),
        "outputs": {name: list(output.shape) for name, output in answer.outputs.items()},
    }
    return Message(
        "answer", values, tuple(np.ascontiguousarray(o, np.float32).tobytes() for o in answer.outputs.values())
    )


def parse_answer(message: Message) -> Answer:
    """The answer that a message carries.

    Raises SurgenasError if the message says that the campaign could not be done, WireError if it is no answer at all.
    """
    if message.kind == "failed":
        raise SurgenasError(str(message.values.get("why", "the other side failed without saying why")))
    v = message.values
    try:
        rounds, steady = _parse_rounds(v["rounds"]), _parse_rounds(v["steady"])
        state_ms = math.inf if v["state_ms"] is None else float(v["state_ms"])
        outputs = {
            name: np.frombuffer(blob, np.float32).reshape(shape)
            for (name, shape), blob in zip(v["outputs"].items(), message.blobs, strict=True)
        }
        campaign = Campaign(rounds, tuple(map(float, v["reference_ms"])), float(v["preempted"]), state_ms, steady)
        return Answer(campaign, outputs, dict(v["context"]))
    except (KeyError, ValueError, TypeError, AttributeError, OverflowError) as error:
        raise WireError(f"an answer that cannot be understood ({error})") from error


def _rounds_record(rounds: Mapping[str, Sequence[Round]]) -> dict[str, list[list[list[list[float]]]]]:
    return {
        name: [
            [[list(block.runs_ms), [float(ok) for ok in block.clean]] for block in (r.before, r.candidate, r.after)]
            for r in seen
        ]
        for name, seen in rounds.items()
    }


def _parse_rounds(record: Mapping[str, Any]) -> dict[str, tuple[Round, ...]]:
    return {name: tuple(map(_parse_round, found)) for name, found in record.items()}


def _parse_round(record: Sequence[Sequence[Sequence[float]]]) -> Round:
    if any(not ms or len(ms) != len(ok) for ms, ok in record):
        raise ValueError("a block without runs, or with more runs than marks")
    before, candidate, after = (Block(tuple(map(float, ms)), tuple(map(bool, ok))) for ms, ok in record)
    return Round(before, candidate, after)
