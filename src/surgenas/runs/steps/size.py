"""How narrow must networks be so that the limit leaves a choice? No narrower than that: wide ones with layers left out
are as good (docs/compound.md)."""

from __future__ import annotations

import math

from surgenas.core import moves
from surgenas.core.capabilities import Counted, require
from surgenas.core.cost import Effort
from surgenas.core.units import show_ms
from surgenas.engine.jobs import job_of
from surgenas.hardware.target import all_costs
from surgenas.runs.limit import Timely
from surgenas.runs.results import Sized
from surgenas.runs.run import Run

ROOM = 2.0
"""A limit leaves a choice if it is so many times the smallest network's latency."""
NARROWEST = 0.1
"""With a multiplier below this, most layers have as few channels as there can be."""
GUESSES = 4
CLOSE = 0.1
"""So many widths are tried at most, until the smallest network's latency is within this share of what is wanted."""
LEAST_SLOPE = 0.25
"""Latency grows at least as this power of the width: noise must not send a guess anywhere."""


def size(run: Run) -> Sized | None:
    """The multiplier of the space's channels with which the limit leaves a choice, 1 if that is small enough. None if a
    width or no limit was given, or if the space has no width."""
    wanted_ms = (run.config.target.latency_ms or 0.0) / ROOM
    asked = run.config.space
    takes_width = "width" in dict(run.make_space().spec.settings)
    if asked.width or not wanted_ms or not takes_width or "width" in asked.settings:
        return None
    low_ms = _smallest_ms(run, 1.0)
    width, ms, slope = 1.0, low_ms, 1.0
    for _ in range(GUESSES):
        guess = min(1.0, max(NARROWEST, round(width * (wanted_ms / ms) ** (1 / slope), 2)))
        if guess == width:
            break
        known, (width, ms) = (width, ms), (guess, _smallest_ms(run, guess))
        if abs(ms / wanted_ms - 1) <= CLOSE:
            break
        slope = max(LEAST_SLOPE, _slope(known, (width, ms)))
    if width < 1:
        run.progress.log(
            f"channels x {width:g}: the smallest network then takes {show_ms(ms)}, and {show_ms(low_ms)} with x 1, "
            "which would leave no choice; --width says another"
        )
    return Sized(width, low_ms)


def _smallest_ms(run: Run, width: float) -> float:
    """Latency of the network with the fewest MACs of the space at a width."""
    space = run.make_space({"width": width})
    job = job_of(moves.decode(space, -require(space, Counted).costs().macs), space)
    return all_costs(run.target.price([job], Effort.LEARN, seed=run.config.seed, progress=Timely(run)))[0].ms


def _slope(one: tuple[float, float], other: tuple[float, float]) -> float:
    """The power of the width with which latency grows between two of (width, ms)."""
    (width, ms), (other_width, other_ms) = one, other
    return math.log(ms / other_ms) / math.log(width / other_width)
