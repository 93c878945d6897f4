"""How large are images, and how narrow networks, so that the limit leaves a choice? Images as large as it allows: at
one latency they are worth more than channels. Networks no narrower than that: wide ones with layers left out are as
good (docs/compound.md)."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial

from surgenas.core import moves
from surgenas.core.capabilities import Counted, require
from surgenas.core.cost import Effort
from surgenas.core.units import show_ms
from surgenas.engine.jobs import job_of
from surgenas.hardware.target import all_costs
from surgenas.runs.limit import Timely
from surgenas.runs.results import Sized
from surgenas.runs.run import Run
from surgenas.tasks.data import is_files
from surgenas.tasks.glance import Glance, glance

ROOM = 2.0
"""A limit leaves a choice if it is so many times the smallest network's latency."""
LARGE, WIDE = 96, 0.5
"""Images in files are taken at this height and width if they have it and the limit leaves a choice with channels that
are not made fewer than so: as far as that was tried."""
NARROWEST = 0.1
"""With a multiplier below this, most layers have as few channels as there can be."""
GUESSES, CLOSE = 5, 1.05
"""So many widths are tried at most between one that leaves a choice and one that leaves none, until one is no more than
CLOSE times the other."""


def size(run: Run) -> Sized | None:
    """The size of the images, and the multiplier of the space's channels with which the limit leaves a choice, 1 if
    that is small enough. Neither is made other than asked for. None if all is said or there is no limit, or if the
    space has no width."""
    wanted_ms = (run.config.target.latency_ms or 0.0) / ROOM
    asked = run.config.space
    width = float(asked.width or asked.settings.get("width", 0.0))
    if not wanted_ms or (width and not _is_open(run)):
        return None
    seen = glance(run.config.data.source, run.config.data.max_corrupt) if _is_open(run) else None
    if "width" not in dict(run.make_space(classes=seen.classes if seen else 0).spec.settings):
        return None
    smallest_ms = partial(_smallest_ms, run, seen)
    large = seen is not None and seen.side >= LARGE and smallest_ms(LARGE, width or WIDE) <= wanted_ms
    side = LARGE if large else 0
    if large:
        run.progress.log(
            f"images are taken at {LARGE} px, since they are that large and the limit allows it; --resolution says "
            "another size"
        )
    if width:
        return Sized(width, smallest_ms(side, 1.0), side) if large else None
    return _narrowed(run, partial(smallest_ms, side), wanted_ms, side)


def _is_open(run: Run) -> bool:
    """Whether the size of the images is neither said nor known."""
    return not run.config.data.resolution and is_files(run.config.data.source)


def _narrowed(run: Run, smallest_ms: Callable[[float], float], wanted_ms: float, side: int) -> Sized:
    """The widest channels with which the smallest network takes no more than is wanted, by bisection, since channels
    come in steps; the narrowest if none do. smallest_ms: by width."""
    low_ms = smallest_ms(1.0)
    if low_ms <= wanted_ms:
        return Sized(1.0, low_ms, side)
    width, above = NARROWEST, 1.0
    ms = smallest_ms(width)
    for _ in range(GUESSES if ms <= wanted_ms else 0):
        guess = round(math.sqrt(width * above), 2)
        found_ms = smallest_ms(guess)
        if found_ms <= wanted_ms:
            width, ms = guess, found_ms
        else:
            above = guess
        if above / width <= CLOSE:
            break
    run.progress.log(
        f"channels x {width:g}: the smallest network then takes {show_ms(ms)}, and {show_ms(low_ms)} with x 1, "
        "which would leave no choice; --width says another"
    )
    return Sized(width, low_ms, side)


def _smallest_ms(run: Run, seen: Glance | None, side: int, width: float) -> float:
    """Latency of the network with the fewest MACs of the space, for images of a size and at a width."""
    space = run.make_space({"width": width}, classes=seen.classes if seen else 0, side=side)
    job = job_of(moves.decode(space, -require(space, Counted).costs().macs), space)
    return all_costs(run.target.price([job], Effort.LEARN, seed=run.config.seed, progress=Timely(run)))[0].ms
