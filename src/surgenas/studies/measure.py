"""Which of these networks is faster, and where? One table over networks and targets, with MobileNetV2 beside them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from surgenas.core.cost import Cost, Failure
from surgenas.core.errors import DataError, SurgenasError, UsageError
from surgenas.core.progress import Progress
from surgenas.hardware.costs import compare as compared
from surgenas.hardware.costs import places as ranked
from surgenas.hardware.devices import make_target
from surgenas.hardware.target import Effort, Job, Target, TimedTarget
from surgenas.hardware.timed.measurement import Measurement
from surgenas.runs.run import Run
from surgenas.runs.steps.train import FOUND
from surgenas.studies.sources import source, trained, trained_run

YARDSTICK = "mobilenetv2_100"


@dataclass(frozen=True)
class _Entry:
    name: str
    job: Job
    run: Run | None = None
    """Where it was trained, if it was."""


def compare(
    what: Sequence[str],
    devices: Sequence[str],
    *,
    resolution: int,
    layers: bool,
    seed: int,
    progress: Progress,
    yardstick: str = YARDSTICK,
) -> dict[str, Any]:
    """Rows in the order asked, for each device; see `api.measure`. Raises the first failure if nothing was measured."""
    wanted = _entries(what, resolution, progress)
    keys = [entry.job.key for entry in wanted]
    sizes = dict.fromkeys(entry.job.input_shape[-1] for entry in wanted)
    yardsticks = {size: source(yardstick, size) for size in sizes}
    beside = [_Entry(f"MobileNetV2 {size} px", job) for size, job in yardsticks.items() if job.key not in keys]
    entries = [*wanted, *beside]
    rows: list[dict[str, Any]] = []
    failures: list[SurgenasError | None] = []
    places = {name: make_target(name) for name in devices}  # one that is not there is said before minutes are spent
    for name, place in places.items():
        priced = place.price([entry.job for entry in entries], Effort.CLAIM, seed=seed, progress=progress)
        found = {cost.key: cost for cost in priced}
        failures += [cost.error if isinstance(cost := found[key], Failure) else None for key in keys]
        rows += _rows(place, name, entries, found, yardsticks)
        _add_accuracy(place, entries, rows[-len(entries) :], progress)
        if layers:
            _add_layers(place, entries, rows[-len(entries) :], progress)
    if failures[0] and all(failures):
        raise type(failures[0])(f"{what[0]}: {failures[0]}")
    return {"measurements": rows}


def _entries(what: Sequence[str], resolution: int, progress: Progress) -> list[_Entry]:
    """Raises the first's error, naming all that cannot be read: before minutes are spent on the others."""
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
    job, run = source(name, resolution), trained_run(name, progress)
    if resolution and (size := job.input_shape[-1]) != resolution:
        progress.log(f"{name} has a resolution of its own: it is measured at {size} px")
    return _Entry(name, trained(job, run) if run else job, run)


def _rows(
    place: Target,
    device: str,
    entries: Sequence[_Entry],
    found: dict[str, Cost | Failure],
    yardsticks: dict[int, Job],
) -> list[dict[str, Any]]:
    floor = max((m.floor for m in found.values() if isinstance(m, Measurement)), default=0.0)
    found = {  # the floor is the device's, as far as it is known by now
        key: replace(m, floor=floor) if isinstance(m, Measurement) else m for key, m in found.items()
    }
    priced = [m for m in found.values() if not isinstance(m, Failure)]
    rank = dict(zip([m.key for m in priced], ranked(priced), strict=True))
    rows: list[dict[str, Any]] = []
    evidence = place.describe().evidence
    for entry in entries:
        m = found[entry.job.key]
        row: dict[str, Any] = {"name": entry.name, "on": device, "evidence": evidence}
        if isinstance(m, Failure):
            rows.append(row | {"device": place.key, "error": str(m.error)})
            continue
        yardstick = found[yardsticks[entry.job.input_shape[-1]].key]
        row |= {"rank": list(rank[m.key]), "interval": m.interval_ms, "device": m.target, "ms": m.ms}
        rows.append(row | {"to_mobilenetv2": _beside(m, yardstick)} | m.to_dict())
    return rows


def _beside(m: Cost, yardstick: Cost | Failure) -> dict[str, Any] | None:
    """Nothing where there is nothing to compare: the yardstick itself, one that failed, a grade D."""
    if isinstance(yardstick, Failure) or yardstick.key == m.key:
        return None
    found = compared(m, yardstick)
    return asdict(found) if found else None


def _add_accuracy(place: Target, entries: Sequence[_Entry], rows: Sequence[dict[str, Any]], progress: Progress) -> None:
    """Of trained networks, on their test part: as trained where the device computes in fp32, else as converted."""
    precision = place.describe().precision
    for entry, row in zip(entries, rows, strict=True):
        run = entry.run
        if run is None or "error" in row:
            continue
        if not isinstance(place, TimedTarget) or precision == "fp32":
            row["accuracy"] = (run.result(f"train {FOUND}") or {}).get("accuracy")
            continue
        try:
            data = run.data
            logits = place.logits(entry.job, data.normalise(data.test.images).numpy())
            row["accuracy"] = float((logits.argmax(1) == data.test.labels.numpy()).mean())
        except (UsageError, DataError) as error:
            progress.log(f"{entry.name}: its accuracy in {precision} is not known ({error})")


def _add_layers(place: Target, entries: Sequence[_Entry], rows: Sequence[dict[str, Any]], progress: Progress) -> None:
    for entry, row in zip(entries, rows, strict=True):
        if row.get("by_layer"):
            row["layers"] = {name: ms / row["ms"] for name, ms in row["by_layer"]}
        elif "error" not in row and isinstance(place, TimedTarget):
            try:
                nodes = place.layer_shares(entry.job)
            except UsageError as error:
                progress.log(str(error))
                return
            shares: dict[str, float] = {}
            for node, share in nodes.items():
                path = node.strip("/").split("/")
                part = "/".join(path[:2]) if len(path) > 1 else "other"  # what the runtime added carries no path
                shares[part] = shares.get(part, 0.0) + share
            row["layers"] = shares
