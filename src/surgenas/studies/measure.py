"""Which of these networks is faster, and where? A table of networks and targets, with MobileNetV2 for comparison."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from surgenas.core.cost import Cost, Effort, Estimate, Evidence, Failure
from surgenas.core.errors import DataError, SurgenasError, UsageError
from surgenas.core.progress import Progress
from surgenas.core.record import Record
from surgenas.core.units import show_sides
from surgenas.engine.ray import Cluster
from surgenas.hardware.costs import AnyCost, compare, places
from surgenas.hardware.devices import make_target
from surgenas.hardware.target import Deliverer, Job, Target, TimedTarget
from surgenas.hardware.timed.comparison import Comparison
from surgenas.hardware.timed.measurement import Measurement
from surgenas.runs.delivery import found_data, logits_of_test_part, with_trained_weights
from surgenas.runs.names import FOUND
from surgenas.runs.run import Run
from surgenas.runs.workforce import HERE
from surgenas.studies.sources import find_trained_run, read_source

YARDSTICK = "mobilenetv2_100"
"""The timm model that is measured beside the others by default."""


@dataclass(frozen=True)
class Measured(Record):
    """A network on a device.

    on: the device as it was asked for. device: its key. error: why there is no cost.
    rank: the best and the worst place that the network may have. to_mobilenetv2: its latency divided by the
    yardstick's. accuracy: of a trained network, as converted for that device. layers: share of the latency by part of
    the network. notes: what a reader must know of the network that was measured.
    """

    name: str
    on: str
    evidence: Evidence
    device: str
    cost: AnyCost | None = None
    error: str | None = None
    rank: tuple[int, int] | None = None
    to_mobilenetv2: Comparison | None = None
    accuracy: float | None = None
    layers: Mapping[str, float] | None = None
    notes: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """One flat row; the fields of the cost stand beside the name."""
        row = {"name": self.name, "on": self.on, "evidence": self.evidence, "device": self.device}
        if self.cost is None:
            return row | {"error": self.error}
        told = {"rank": self.rank, "interval": self.cost.interval_ms, "ms": self.cost.ms}
        beside = {"to_mobilenetv2": self.to_mobilenetv2.to_json() if self.to_mobilenetv2 else None}
        known = {"accuracy": self.accuracy, "layers": self.layers, "notes": self.notes or None}
        return row | told | beside | self.cost.to_dict() | {k: v for k, v in known.items() if v is not None}


@dataclass(frozen=True)
class Measurements(Record):
    """All networks in the order asked, for one target after the other."""

    measurements: tuple[Measured, ...]

    def to_json(self) -> dict[str, Any]:
        return {"measurements": [row.to_json() for row in self.measurements]}


@dataclass(frozen=True)
class _Entry:
    name: str
    job: Job
    run: Run | None = None
    """The run that trained it, or None."""

    @property
    def size(self) -> tuple[int, int]:
        """(H, W) of its images in pixels."""
        return self.job.input_shape[1:]


def measure(
    what: Sequence[str],
    devices: Sequence[str],
    *,
    resolution: int,
    layers: bool,
    seed: int,
    progress: Progress,
    yardstick: str = YARDSTICK,
    engine: str = HERE,
) -> Measurements:
    """Measure networks side by side; `api.measure` explains the arguments. Raises the first failure if nothing was
    measured."""
    wanted = _entries(what, resolution, progress)
    keys = [entry.job.key for entry in wanted]
    yardsticks = {size: read_source(yardstick, size) for size in dict.fromkeys(entry.size for entry in wanted)}
    named = {f"MobileNetV2 {show_sides(*size)} px": job for size, job in yardsticks.items()}
    beside = [_Entry(name, job) for name, job in named.items() if job.key not in keys]
    entries = [*wanted, *beside]
    rows: list[Measured] = []
    failures: list[SurgenasError | None] = []
    jobs = [entry.job for entry in entries]
    with ThreadPoolExecutor(len(devices)) as pool, _reached(devices, engine) as targets:
        price = partial(_price, jobs=jobs, seed=seed, progress=progress)
        priced = (map if engine == HERE else pool.map)(price, targets.values())  # here devices would disturb each other
        for (name, target), found in zip(targets.items(), priced, strict=True):
            failures += [cost.error if isinstance(cost := found[key], Failure) else None for key in keys]
            told = _rows(target, name, entries, found, yardsticks)
            told = [_with_accuracy(target, e, row, progress) for e, row in zip(entries, told, strict=True)]
            rows += _with_layers(target, entries, told, progress) if layers else told
    if failures[0] and all(failures):
        raise type(failures[0])(f"{what[0]}: {failures[0]}")
    return Measurements(tuple(rows))


@contextmanager
def _reached(devices: Sequence[str], engine: str) -> Iterator[Mapping[str, Target]]:
    """The devices by name, here or on the Ray cluster; an unknown one fails before anything is measured."""
    if engine == HERE:
        yield {name: make_target(name) for name in devices}
        return
    with closing(Cluster(engine, devices[0])) as cluster:
        yield {name: cluster.target(name) for name in devices}


def _price(target: Target, jobs: Sequence[Job], seed: int, progress: Progress) -> Mapping[str, Cost | Failure]:
    return {cost.key: cost for cost in target.price(jobs, Effort.CLAIM, seed=seed, progress=progress)}


def _entries(what: Sequence[str], resolution: int, progress: Progress) -> list[_Entry]:
    """The networks to be measured. Raises an error that names all that cannot be read, before any time is spent."""
    entries, errors = [], []
    for name in what:
        try:
            entries.append(_entry(name, resolution, progress))
        except (UsageError, DataError) as error:
            errors.append(error)
    if errors:
        raise type(errors[0])("; ".join(map(str, errors)))
    return entries


def _entry(name: str, resolution: int, progress: Progress) -> _Entry:
    asked = (resolution, resolution)
    job, run = read_source(name, asked), find_trained_run(name, progress)
    entry = _Entry(name, with_trained_weights(job, run) if run else job, run)
    if resolution and entry.size != asked:
        progress.log(f"{name} has a resolution of its own: it is measured at {show_sides(*entry.size)} px")
    return entry


def _rows(
    target: Target,
    name: str,
    entries: Sequence[_Entry],
    found: Mapping[str, Cost | Failure],
    yardsticks: Mapping[tuple[int, int], Job],
) -> list[Measured]:
    """A row for each network. All get the largest noise floor that the device has shown, so that
    they are ranked alike."""
    floor = max((m.floor for m in found.values() if isinstance(m, Measurement)), default=0.0)
    costs = {k: replace(c, floor=floor) if isinstance(c, Measurement) else c for k, c in found.items()}
    priced = [cost for cost in costs.values() if not isinstance(cost, Failure)]
    rank = dict(zip([cost.key for cost in priced], places(priced), strict=True))
    rows = []
    for entry in entries:
        cost, yardstick = costs[entry.job.key], costs[yardsticks[entry.size].key]
        row = Measured(entry.name, name, target.describe().evidence, target.key, notes=entry.job.notes)
        if isinstance(cost, Failure):
            rows.append(replace(row, error=str(cost.error)))
        else:
            rows.append(replace(row, cost=cost, rank=rank[cost.key], to_mobilenetv2=_beside(cost, yardstick)))
    return rows


def _beside(cost: Cost, yardstick: Cost | Failure) -> Comparison | None:
    """The comparison with the yardstick; None for the yardstick itself, and if it failed or nothing can be said."""
    if isinstance(yardstick, Failure) or yardstick.key == cost.key:
        return None
    return compare(cost, yardstick)


def _with_accuracy(target: Target, entry: _Entry, row: Measured, progress: Progress) -> Measured:
    """The row with a trained network's test accuracy: from its run if the device computes in fp32,
    else as converted."""
    run, precision = entry.run, target.describe().precision
    if run is None or row.cost is None:
        return row
    if not isinstance(target, Deliverer) or precision == "fp32":
        return replace(row, accuracy=run.accuracy(FOUND))
    try:
        data = found_data(run)
        logits = logits_of_test_part(target, entry.job, data)
        return replace(row, accuracy=float((logits.argmax(1) == data.test.labels.numpy()).mean()))
    except (UsageError, DataError) as error:
        progress.log(f"{entry.name}: its accuracy in {precision} is not known ({error})")
        return row


def _with_layers(
    target: Target, entries: Sequence[_Entry], rows: Sequence[Measured], progress: Progress
) -> list[Measured]:
    if not isinstance(target, TimedTarget):
        return [replace(row, layers=_of_estimate(row.cost)) for row in rows]
    try:
        return [
            replace(row, layers=_by_part(target.layer_shares(entry.job))) if row.cost else row
            for entry, row in zip(entries, rows, strict=True)
        ]
    except UsageError as error:
        progress.log(str(error))
        return list(rows)


def _of_estimate(cost: Cost | None) -> dict[str, float] | None:
    return {name: ms / cost.ms for name, ms in cost.by_layer} if isinstance(cost, Estimate) and cost.by_layer else None


def _by_part(nodes: Mapping[str, float]) -> dict[str, float]:
    shares: dict[str, float] = {}
    for node, share in nodes.items():
        path = node.strip("/").split("/")
        part = "/".join(path[:2]) if len(path) > 1 else "other"  # nodes that the runtime added have no path
        shares[part] = shares.get(part, 0.0) + share
    return shares
