"""What latencies can this space reach on this target? Asked first, so that an impossible limit costs no hour."""

from __future__ import annotations

import math

import numpy as np

from surgenas.core import moves
from surgenas.core.architecture import Architecture
from surgenas.core.capabilities import Counted, Shrinks, require
from surgenas.core.errors import LimitError
from surgenas.core.seeds import generator
from surgenas.core.space import CostTable
from surgenas.core.units import show_ms
from surgenas.engine.jobs import job_of
from surgenas.hardware.target import TimedTarget
from surgenas.runs.measured import measure, recorded_scale
from surgenas.runs.resources import reached_excess
from surgenas.runs.results import Reached, Sized
from surgenas.runs.run import Run
from surgenas.runs.slowdown import describe_limit, with_slowdown
from surgenas.runs.whole import meets_limit_whole


def reach(run: Run) -> Reached:
    """Measure the networks with the fewest and the most MACs, and set the limit if the user has not."""
    costs, target = require(run.space, Counted).costs(), run.target
    if recorded_scale(run) is None and isinstance(target, TimedTarget):
        name, ms = target.calibrate(job_of(_typical(run, costs), run.space))
        run.journal.append("calibrated", reference=name, reference_ms=ms)
    low, high = measure(run, "reach", extremes(run, costs))
    chosen_ms = max(low.ms, round(_default_limit(low.ms, high.ms), 4))
    return with_slowdown(run, Reached(low.ms, high.ms, chosen_ms, run.config.target.latency_ms))


def check_limit(run: Run) -> None:
    """Raise LimitError if the limit is below the smallest network; log a hint if it is above the largest."""
    known = run.reached
    if known.limit_ms < known.low_ms:
        smallest = extremes(run, require(run.space, Counted).costs())[0]
        raise LimitError(
            f"limit {describe_limit(run)} cannot be met: this space reaches {show_ms(known.low_ms)} to "
            f"{show_ms(known.high_ms)} on {run.target.name}; nearest network: {smallest} "
            f"({show_ms(known.low_ms)}). Raise --latency, or lower --resolution{_or_width(run)}"
        )
    if over := reached_excess(run)[0]:
        smallest = extremes(run, require(run.space, Counted).costs())[0]
        raise LimitError(
            f"the network with the fewest multiplications needs {over} on {run.target.name}: {smallest}. Raise "
            f"--limit, or lower --resolution{_or_width(run)}"
        )
    if meets_limit_whole(run):
        run.progress.log(f"the whole network meets the limit {describe_limit(run)} as it is "
                         f"({show_ms(known.high_ms)}): nothing is searched, it is only trained")  # fmt: skip
    elif known.limit_ms > known.high_ms:
        run.progress.log(
            f"the limit {describe_limit(run)} is above the largest network ({show_ms(known.high_ms)}): "
            f"a larger --width or --resolution would use it, such as --resolution {_fitting_side(run)}"
        )


def _fitting_side(run: Run) -> int:
    """Height and width of images, for which the largest network would take about twice the limit: a multiple of 32."""
    known = run.reached
    return 32 * math.ceil(run.resolution * (2 * known.limit_ms / known.high_ms) ** 0.5 / 32)


def _or_width(run: Run) -> str:
    """The other way to a faster space, where it is not gone already."""
    return "" if isinstance(run.space, Shrinks) or run.result(Sized) else " or --width"


TIE = 1e-6
"""What a byte counts beside a multiplication where two operators are compared: nothing, unless both have as many."""


def _default_limit(low_ms: float, high_ms: float) -> float:
    """Half the largest network's latency; the geometric mean of both where half is hardly above the smallest."""
    return high_ms / 2 if high_ms / 2 > 1.1 * low_ms else (low_ms * high_ms) ** 0.5


def _typical(run: Run, costs: CostTable) -> Architecture:
    """The architecture of median MACs among random ones. As the reference of all measurements it resembles what is
    searched."""
    archs = moves.sample_many(run.space, 99, generator(run.config.seed, "reach"))
    macs = costs.macs_of(moves.encode(run.space, archs))
    return archs[int(np.argsort(macs)[len(archs) // 2])]


def extremes(run: Run, costs: CostTable) -> tuple[Architecture, Architecture]:
    """The architectures with the fewest and with the most MACs; of equal operators that which moves fewer bytes is
    smaller."""
    size = costs.macs + TIE * costs.moved_bytes
    return moves.decode(run.space, -size), moves.decode(run.space, size)
