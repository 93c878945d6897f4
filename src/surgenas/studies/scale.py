"""Comfort Zone: measures a network at growing scales and picks the largest that its device does not charge for."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from surgenas.core.architecture import Architecture
from surgenas.core.capabilities import Scalable, require
from surgenas.core.cost import Cost, Effort
from surgenas.core.errors import UsageError
from surgenas.core.files import make_folder, write_atomic
from surgenas.core.progress import Progress
from surgenas.core.record import Record
from surgenas.core.space import Space
from surgenas.engine.jobs import home_of, job_of
from surgenas.hardware.costs import compare
from surgenas.hardware.devices import make_target
from surgenas.hardware.target import all_costs
from surgenas.methods.comfort_zone import Scaled, pick, zone
from surgenas.nn.cost import count, moved_bytes

Train = Callable[[Architecture], float]
"""A function that trains an architecture and returns its test accuracy (0 to 1)."""


@dataclass(frozen=True)
class Point(Record):
    """The network at one scale; macs and moved_bytes are of one image. inside: does it belong to the Comfort Zone?"""

    scale: float
    latency_ms: float
    macs: float
    moved_bytes: float
    batch: int
    flops_per_s: float
    intensity: float
    interval: tuple[float, float] | None
    grade: str | None
    inside: bool


@dataclass(frozen=True)
class BeforeAfter(Record):
    """Test accuracies of the network as it was, and of the picked one."""

    before: float
    after: float


@dataclass(frozen=True)
class Growth(Record):
    """Measured points, and the picked one with its architecture; both None if the zone is empty."""

    device: str
    knob: str
    latency_slack: float
    points: tuple[Point, ...]
    picked: Point | None
    architecture: Architecture | None
    verdict: str
    accuracy: BeforeAfter | None = None
    report: str = ""


def scale(
    arch: Architecture,
    space: Space,
    device: str,
    out: Path,
    *,
    knob: str,
    most: float,
    latency_slack: float,
    train: Train | None,
    seed: int,
    progress: Progress,
) -> Growth:
    """Measure a network at scales from 1 to `most`, and pick the largest inside the Comfort Zone.

    space: of the architecture. knob: what grows: width, resolution or depth. latency_slack: share of the latency that
    growing may cost. train: if given, the original and the picked network are trained. Writes the picked
    architecture.json and comfort_zone.json to `out`. Raises UsageError for a space that cannot be scaled and for
    arguments out of range.
    """
    if not 1 < most <= 8:
        raise UsageError(f"--most {most:g}: expected a scale above 1, at most 8, for example 2")
    if not 0 <= latency_slack <= 0.5:
        raise UsageError(f"--slack {latency_slack:g}: expected a share of the latency from 0 to 0.5, for example 0.03")
    by_arch = _scales(arch, space, knob, most)
    archs = list(by_arch)
    place = make_target(device)
    measured = all_costs(place.price([job_of(a, space) for a in archs], Effort.CLAIM, seed=seed, progress=progress))
    points = [
        _scaled(by_arch[a], a, home_of(a, space), m.ms, place.describe().batch)
        for a, m in zip(archs, measured, strict=True)
    ]
    # a grade below B is too uncertain to be compared with a slack of a few percent
    sure = [m.grade is None or m.grade <= "B" for m in measured]
    known = [p for p, ok in zip(points, sure, strict=True) if ok]
    inside = zone(known, latency_slack=latency_slack) if sure[0] else []
    chosen = pick(inside)
    told = tuple(_point(p, m, p in inside) for p, m in zip(points, measured, strict=True))
    place_of = points.index(chosen) if chosen else None
    picked = archs[place_of] if place_of is not None else None
    found = Growth(
        place.key, knob, latency_slack, told, told[place_of] if place_of is not None else None, picked,
        _verdict(knob, points, measured, place_of, sure),
    )  # fmt: skip
    make_folder(out)
    if picked:
        write_atomic(out / "architecture.json", picked.to_json().encode())
        if train is not None:
            progress.log(found.verdict)
            found = replace(found, accuracy=BeforeAfter(train(arch), train(picked)))
    write_atomic(out / "comfort_zone.json", json.dumps(found.to_json(), indent=1).encode())
    return found


def _scales(arch: Architecture, home: Space, knob: str, most: float) -> dict[Architecture, float]:
    """Different networks with their scale, the smallest first. Among scales that give the same network the smallest
    counts."""
    space = require(home, Scalable)
    steps = [1 + (most - 1) * i / 20 for i in range(21)]
    by_arch = {space.scaled(arch, knob, s): s for s in reversed(steps)} | {arch: 1.0}  # itself, however sizes round
    different: dict[object, Architecture] = {}
    for a in sorted(by_arch, key=lambda a: by_arch[a]):
        grown = home_of(a, home)
        cost = count(grown.build(a), grown.input_shape)
        different.setdefault((a.genes, grown.input_shape, cost), a)  # rounding may have made it the same network
    if knob == "resolution":  # it was rounded to a multiple of 8, so the scale is computed from it
        sizes = {a: home_of(a, home).input_shape[1] / home.input_shape[1] for a in different.values()}
        return {a: s for a, s in sizes.items() if s > 1 or a == arch}
    return {a: by_arch[a] for a in different.values()}


def _scaled(scale: float, arch: Architecture, space: Space, ms: float, batch: int) -> Scaled:
    network = space.build(arch)
    macs, _ = count(network, space.input_shape)
    return Scaled(scale, ms, macs, moved_bytes(network, space.input_shape), batch)


def _point(p: Scaled, cost: Cost, inside: bool) -> Point:
    return Point(
        p.scale, p.latency_ms, p.macs, p.moved_bytes, p.batch, p.flops_per_s, p.intensity, cost.interval_ms,
        cost.ms_grade, inside,
    )  # fmt: skip


def _verdict(knob: str, points: list[Scaled], costs: list[Cost], picked: int | None, sure: list[bool]) -> str:
    if picked is not None:
        beside, chosen = compare(costs[picked], costs[0]), points[picked]
        assert beside is not None, "both are graded B or better"
        low, high = beside.interval
        return (
            f"picked {knob} x {chosen.scale:.2f}: {chosen.macs / points[0].macs:.3f} x the MACs at "
            f"{beside.ratio:.3f} x the latency ({low:.3f} to {high:.3f})"
        )
    if all(sure[:2]):
        return f"the Comfort Zone is empty here: every step of {knob} costs, from the first on"
    return "whether there is a Comfort Zone cannot be said: the machine was too busy; again when it is idle"
