"""Comfort Zone: a network measured at growing scales, the largest that its device does not charge for, retrained."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from surgenas.core.architecture import Architecture
from surgenas.core.errors import UsageError
from surgenas.core.files import make_folder, write_atomic
from surgenas.core.progress import Progress
from surgenas.engine.jobs import job_of
from surgenas.hardware.costs import compare
from surgenas.hardware.devices import make_target
from surgenas.hardware.target import Effort, all_costs
from surgenas.methods.comfort_zone import Scaled, pick, zone
from surgenas.nn.cost import count, moved_bytes
from surgenas.spaces import space_of
from surgenas.spaces.mobile import Mobile, drop_duplicates

Train = Callable[[Architecture], float]


def scale(
    arch: Architecture,
    device: str,
    out: Path,
    *,
    knob: str,
    most: float,
    latency_slack: float,
    train: Train | None,
    seed: int,
    progress: Progress,
) -> dict[str, Any]:
    """Measured points, the zone, the picked architecture (written to `out`) and, if `train` is given, accuracy before
    and after. Raises UsageError for a space without width and resolution, or for a largest scale that allows none."""
    space = space_of(arch)
    if not isinstance(space, Mobile):
        raise UsageError(f"space {space.name!r} has no width and resolution to scale; only mobile networks have")
    if not 1 < most <= 8:
        raise UsageError(f"--most {most:g}: expected a scale above 1, at most 8, for example 2")
    if not 0 <= latency_slack <= 0.5:
        raise UsageError(f"--slack {latency_slack:g}: expected a share of the latency from 0 to 0.5, for example 0.03")
    steps = [1 + (most - 1) * i / 20 for i in range(21)]
    by_arch = {space.scaled(arch, knob, s): s for s in reversed(steps)}  # of equal ones the smallest scale stays
    archs = drop_duplicates(sorted(by_arch, key=lambda a: by_arch[a]))
    if knob == "resolution":  # to multiples of 8: say what it became
        by_arch = {a: int(dict(a.space.settings)["resolution"]) / space.resolution for a in archs}
    place = make_target(device)
    measured = all_costs(place.price([job_of(a) for a in archs], Effort.CLAIM, seed=seed, progress=progress))
    batch = place.describe().batch
    points = [_point(by_arch[a], a, m.ms, batch) for a, m in zip(archs, measured, strict=True)]
    # what is known less well than B cannot be said to be inside a slack of a few percent, nor outside
    sure = [m.grade is None or m.grade <= "B" for m in measured]
    known = [p for p, ok in zip(points, sure, strict=True) if ok]
    inside = zone(known, latency_slack=latency_slack) if sure[0] else []
    chosen = pick(inside)
    picked = archs[points.index(chosen)] if chosen else None
    found: dict[str, Any] = {
        "device": place.key,
        "knob": knob,
        "latency_slack": latency_slack,
        "points": [
            asdict(p) | {"flops_per_s": p.flops_per_s, "intensity": p.intensity, "interval": m.interval_ms,
                         "grade": m.grade, "inside": p in inside}
            for p, m in zip(points, measured, strict=True)
        ],
        "picked": asdict(chosen) if chosen else None,
        "architecture": picked.to_dict() if picked else None,
    }  # fmt: skip
    if chosen:
        beside = compare(measured[points.index(chosen)], measured[0])
        assert beside is not None, "both are graded B or better"
        found["verdict"] = (
            f"picked {knob} x {chosen.scale:.2f}: {chosen.macs / points[0].macs:.3f} x the MACs at "
            f"{beside.ratio:.3f} x the latency ({beside.interval[0]:.3f} to {beside.interval[1]:.3f})"
        )
    elif all(sure[:2]):
        found["verdict"] = f"the Comfort Zone is empty here: every step of {knob} costs, from the first on"
    else:
        found["verdict"] = (
            "whether there is a Comfort Zone cannot be said: the machine was too busy; again when it is idle"
        )
    make_folder(out)
    if picked:
        write_atomic(out / "architecture.json", picked.to_json().encode())
        if train is not None:
            progress.log(found["verdict"])
            found["accuracy"] = {"before": train(arch), "after": train(picked)}
    write_atomic(out / "comfort_zone.json", json.dumps(found, indent=1).encode())
    return found


def _point(scale: float, arch: Architecture, ms: float, batch: int) -> Scaled:
    space = space_of(arch)
    network = space.build(arch)
    macs, _ = count(network, space.input_shape)
    return Scaled(scale, ms, macs, moved_bytes(network, space.input_shape), batch)
