"""What latencies can this space reach on this device? Asked first: an impossible limit must not cost an hour."""

from __future__ import annotations

import numpy as np

from surgenas.core import moves
from surgenas.core.architecture import Architecture
from surgenas.core.errors import LimitError
from surgenas.core.seeds import generator
from surgenas.core.units import show_ms
from surgenas.runs.run import Run
from surgenas.engine.jobs import job_of
from surgenas.hardware.target import TimedTarget
from surgenas.runs.steps.measured import measure, scale_of


def reach(run: Run) -> dict[str, float]:
    """{"low_ms", "high_ms", "limit_ms"}; raises LimitError if the limit is below the smallest network."""
    known = run.result("reach")
    if known is None:
        smallest, largest = _extremes(run)
        with run.stage("reach") as result:
            target = run.target
            if scale_of(run) is None and isinstance(target, TimedTarget):
                name, ms = target.calibrate(job_of(_typical(run)))
                run.journal.append("calibrated", reference=name, reference_ms=ms)
            low, high = measure(run, "reach", [smallest, largest])
            limit = run.config.latency_ms or round(_default(low.ms, high.ms), 4)
            result |= {"low_ms": low.ms, "high_ms": high.ms, "limit_ms": limit}
        known = result
    if known["limit_ms"] < known["low_ms"]:
        raise LimitError(
            f"limit {show_ms(known['limit_ms'])} cannot be met: this space reaches {show_ms(known['low_ms'])} to "
            f"{show_ms(known['high_ms'])} on {run.target.name}; nearest network: {_extremes(run)[0]} "
            f"({show_ms(known['low_ms'])}). Raise --latency, or lower --resolution or --width"
        )
    if known["limit_ms"] > known["high_ms"]:
        run.progress.log(
            f"the limit {show_ms(known['limit_ms'])} is above the largest network ({show_ms(known['high_ms'])}): "
            "a larger --width or --resolution would use it"
        )
    return known


def _default(low_ms: float, high_ms: float) -> float:
    """Half the largest network's latency; the middle of what is reachable where that leaves (nearly) nothing."""
    return high_ms / 2 if high_ms / 2 > 1.1 * low_ms else (low_ms * high_ms) ** 0.5


def _typical(run: Run) -> Architecture:
    """The one of middling MACs among random architectures: the reference shall be near to what is searched for."""
    archs = moves.sample_many(run.space, 99, generator(run.config.seed, "reach"))
    macs = (moves.encode(run.space, archs) * run.space.costs().macs).sum((1, 2))
    return archs[int(np.argsort(macs)[len(archs) // 2])]


def _extremes(run: Run) -> tuple[Architecture, Architecture]:
    """The architectures of least and most MACs."""
    macs = run.space.costs().macs
    return moves.decode(run.space, -macs), moves.decode(run.space, macs)
