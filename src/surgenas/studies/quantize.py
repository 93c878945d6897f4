"""Which layers of a trained network go into int8, so that it meets a latency or a size and its accuracy suffers least?

What each layer takes in fp32 and in int8 is profiled on the device, how much its rounding costs is the curvature of the
loss times the squared error of its weights, and an integer programme chooses (docs/methods/hao.md, 2). Since layers in
unlike precisions need conversions between them, what was chosen is measured, and chosen again if it is too slow.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from surgenas.core.allocation import allocate
from surgenas.core.cost import Effort
from surgenas.core.errors import LimitError, UsageError
from surgenas.core.files import write_atomic
from surgenas.core.programme import Array, Infeasible
from surgenas.core.progress import Progress
from surgenas.core.record import Record
from surgenas.core.units import show_bytes, show_ms
from surgenas.hardware.costs import AnyCost
from surgenas.hardware.devices import make_target
from surgenas.hardware.onnx_layers import onnx_layers, times_by_layer
from surgenas.hardware.target import Job, all_costs
from surgenas.hardware.timed.device import RuntimeDevice
from surgenas.hardware.timed.link import HERE
from surgenas.runs.delivery import found_data, logits_of_test_part, read_files, trained_job
from surgenas.runs.model_use import read_use, write_use
from surgenas.runs.results import ModelFile
from surgenas.runs.run import Run
from surgenas.studies.export import check_place
from surgenas.studies.layer_losses import PROBES, layer_losses

BYTES = (4, 1)
"""Of a weight in fp32 and in int8."""
RUNS = 30
"""Of a profile."""
TRIES = 5
"""How often is chosen anew where what was chosen is too slow."""


@dataclass(frozen=True)
class LayerBits(Record):
    """A layer by its path in the network, and its node in the ONNX file.

    weights: how many it has. loss: by how much the training loss is expected to rise with these in int8; at least 0.
    doubt: one standard error of that. fp32_ms, int8_ms: of the profiles, scaled so that they add up to the whole
    network.
    """

    name: str
    node: str
    weights: int
    loss: float
    doubt: float
    fp32_ms: float
    int8_ms: float
    in_int8: bool = False


@dataclass(frozen=True)
class Mix(Record):
    """The network in one mix of precisions. in_int8: how many layers are. weight_bytes: of all weights of layers.
    predicted_ms: the sum over layers. accuracy: on the test part, as the device computes it."""

    name: str
    in_int8: int
    weight_bytes: int
    predicted_ms: float
    cost: AnyCost
    accuracy: float


@dataclass(frozen=True)
class Quantized(Record):
    """What `surgenas quantize` did. limit_ms, most_bytes: None where that was not limited. mixes: all in fp32, what was
    chosen, all in int8. files: the chosen one, and last what says how it is used."""

    device: str
    limit_ms: float | None
    most_bytes: float | None
    mixes: tuple[Mix, ...]
    layers: tuple[LayerBits, ...]
    files: tuple[str, ...]


def quantize(
    run: Run,
    limit_ms: float | None,
    most_bytes: float | None,
    device: str,
    to: Path,
    *,
    seed: int,
    progress: Progress,
    probes: int = PROBES,
) -> Quantized:
    """Write a run's trained network in the mix of fp32 and int8 that meets a latency, a size of its weights in bytes,
    or both, at the least loss.

    probes: by how many random directions the curvature of the loss is told. Raises UsageError for a device without
    int8 or elsewhere, or without a limit, LimitError if no mix is that fast or that small.
    """
    if limit_ms is None and most_bytes is None:
        raise UsageError("give a limit: --latency 3ms, --size 1MB, or both")
    check_place(run, to)
    mixer = Mixer(run, _target(device), seed, progress, probes)
    chosen = mixer.choose(limit_ms or math.inf, most_bytes or math.inf)
    names = {"fp32": frozenset[str](), "mixed": chosen, "int8": mixer.every}
    costs = mixer.measure(list(names.values()), Effort.CLAIM)
    mixes = tuple(
        Mix(name, len(quantized), mixer.weigh(quantized), mixer.predict(quantized), cost, mixer.accuracy(quantized))
        for (name, quantized), cost in zip(names.items(), costs, strict=True)
    )
    return Quantized(
        device, limit_ms, most_bytes, mixes, tuple(replace(row, in_int8=row.node in chosen) for row in mixer.rows),
        _written(run, to, mixer, chosen),
    )  # fmt: skip


def _target(device: str) -> RuntimeDevice:
    """The device, computing in int8 where a file says so."""
    target = make_target(device)
    if (
        not isinstance(target, RuntimeDevice)
        or "int8" not in target.runtime.precisions
        or not target.runtime.takes_onnx
    ):
        raise UsageError(f"--device {device}: quantizes no single layers; onnxruntime-cpu and openvino-cpu do")
    if target.link.command != HERE:
        raise UsageError(f"--device {device}: layers can be profiled on this machine only")
    return replace(target, precision="int8")


class Mixer:
    """A run's trained network in any mix of fp32 and int8 on a device.

    A mix is the set of the nodes of those layers that are in int8. rows: what is known of each layer. every: the mix of
    all in int8.
    """

    def __init__(self, run: Run, target: RuntimeDevice, seed: int, progress: Progress, probes: int = PROBES) -> None:
        self.target, self.seed, self.progress = target, seed, progress
        self.job, self.data = trained_job(run), found_data(run)
        self.model = target.runtime.convert(self.job.module, self.job.input_shape, target.batch)
        assert self.job.images is not None, "a trained run has images"
        self.images = self.job.images()
        self.layers = onnx_layers(self.model)
        self.files: dict[frozenset[str], dict[str, bytes]] = {}
        with progress.task("sensitivity", 1) as task:
            losses = layer_losses(self.job.module, self.job.input_shape, self.data, self.layers, seed, probes)
            task.advance()
        self.every = frozenset(layer.name for layer in self.layers)
        fp32, int8 = self.measure([frozenset(), self.every], Effort.LEARN)
        times = [self._profile(frozenset(), fp32.ms), self._profile(self.every, int8.ms)]
        self.rows = [
            LayerBits(name, layer.name, layer.weights, loss, doubt, times[0][layer.name], times[1][layer.name])
            for layer, (name, loss, doubt) in zip(self.layers, losses, strict=True)
        ]

    def made(self, mix: frozenset[str]) -> dict[str, bytes]:
        """The device's files of a mix, by suffix."""
        if mix not in self.files:
            spared = {layer.name for layer in self.layers} - mix
            model = self.target.runtime.quantize(self.model, self.images, spared) if mix else self.model
            self.files[mix] = self.target.runtime.to_files(model)
        return self.files[mix]

    def measure(self, mixes: Sequence[frozenset[str]], effort: Effort) -> list[AnyCost]:
        """What the mixes take, side by side."""
        jobs = {mix: self._job(i, mix) for i, mix in enumerate(mixes)}
        found = all_costs(self.target.price(list(jobs.values()), effort, seed=self.seed, progress=self.progress))
        return [found[list(jobs).index(mix)] for mix in mixes]

    def predict(self, mix: frozenset[str]) -> float:
        """Milliseconds of a mix, without conversions between layers."""
        return sum(row.int8_ms if row.node in mix else row.fp32_ms for row in self.rows)

    def weigh(self, mix: frozenset[str]) -> int:
        """Bytes of the weights of all layers in a mix."""
        return sum(row.weights * BYTES[row.node in mix] for row in self.rows)

    def accuracy(self, mix: frozenset[str]) -> float:
        logits = logits_of_test_part(self.target, self._job(0, mix), self.data)
        return float((logits.argmax(1) == self.data.test.labels.numpy()).mean())

    def choose(self, limit_ms: float = math.inf, most_bytes: float = math.inf) -> frozenset[str]:
        """The mix of least loss that is small enough, and measured to be inside the limit."""
        if (least := self.weigh(self.every)) > most_bytes:
            raise LimitError(f"no mix is inside {show_bytes(most_bytes)}; all weights in int8 are {show_bytes(least)}")
        first, known_ms = self._allocated(limit_ms, most_bytes), dict[frozenset[str], float]()
        if first is not None:
            known_ms[first] = self._timed(first)
            if known_ms[first] <= limit_ms:
                return first
        quicker = frozenset(row.node for row in self.rows if row.int8_ms < row.fp32_ms)
        fast = [mix for mix in (quicker, self.every) if self.weigh(mix) <= most_bytes]
        for mix in fast:
            known_ms[mix] = known_ms.get(mix) or self._timed(mix)
        inside = [mix for mix in fast if known_ms[mix] <= limit_ms]
        if not inside:
            raise LimitError(
                f"no mix of fp32 and int8 is found inside {show_ms(limit_ms)}; the fastest that was measured takes "
                f"{show_ms(min(known_ms.values()))}"
            )
        return inside[0] if first is None else self._between(inside[0], known_ms, limit_ms, most_bytes)

    def _between(
        self, best: frozenset[str], known_ms: dict[frozenset[str], float], limit_ms: float, most_bytes: float
    ) -> frozenset[str]:
        """The mix of least loss inside the limit that TRIES caps find, each half-way between one that was too slow, the
        limit itself at first, and one that was not. known_ms: of what was measured, once each."""
        low, high = self.predict(best), limit_ms
        for _ in range(TRIES):
            cap = (low + high) / 2
            mix = self._allocated(cap, most_bytes)
            if mix is None:
                break
            known_ms[mix] = known_ms.get(mix) or self._timed(mix)
            if known_ms[mix] <= limit_ms:
                best, low = mix, cap
            else:
                high = cap
        return best

    def _timed(self, mix: frozenset[str]) -> float:
        (cost,) = self.measure([mix], Effort.LEARN)
        self.progress.log(f"{len(mix)} of {len(self.rows)} layers in int8: {show_ms(cost.ms)}")
        return cost.ms

    def _allocated(self, cap_ms: float, most_bytes: float) -> frozenset[str] | None:
        losses: list[Array] = [np.array([0.0, row.loss]) for row in self.rows]
        costs: list[Array] = [
            np.array([[row.fp32_ms, row.weights * BYTES[0]], [row.int8_ms, row.weights * BYTES[1]]])
            for row in self.rows
        ]
        try:
            bits = allocate(losses, costs, np.array([cap_ms, most_bytes]))
        except Infeasible:
            return None
        return frozenset(row.node for row, bit in zip(self.rows, bits, strict=True) if bit)

    def _job(self, place: int, mix: frozenset[str]) -> Job:
        files = self.made(mix)
        return replace(self.job, key=f"{self.job.key}/mix{place}", images=None, files=lambda: files)

    def _profile(self, mix: frozenset[str], ms: float) -> dict[str, float]:
        """Milliseconds by layer, which add up to what was measured."""
        runtime, shape = self.target.runtime, (self.target.batch, *self.job.input_shape)
        images = np.random.default_rng(0).standard_normal(shape, dtype=np.float32)
        model = runtime.from_files(self.made(mix))
        took = runtime.layer_times_ms(model, images, self.target.threads, self.target.precision, RUNS)
        found = times_by_layer(self.model, took)
        return {name: one * ms / sum(found.values()) for name, one in found.items()}


def _written(run: Run, to: Path, mixer: Mixer, mix: frozenset[str]) -> tuple[str, ...]:
    files = mixer.made(mix)
    paths = {suffix: to.with_suffix(suffix) for suffix in files}
    for suffix, path in paths.items():
        write_atomic(path, files[suffix])
    assert read_files(paths) == files, "as it was measured"
    use = to.with_name(f"{to.name}.json")
    target = mixer.target
    what = ModelFile("fp32 and int8" if mix else "fp32", target.batch, target.describe().runtime)
    write_use(use, replace(read_use(run.folder), files={path.name: what for path in paths.values()}))
    return (*map(str, paths.values()), str(use))
