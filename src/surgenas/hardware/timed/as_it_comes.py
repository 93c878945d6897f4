"""What do users of a machine get, its busy moments among them (docs/measurement.md, 23)?

The latency that everything is compared by is that of the machine's quiet state. Beside it stand percentiles of the runs
as they came: from rounds that waited for no quiet moment, so that how often the machine is busy is in them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from surgenas.core.record import Record
from surgenas.core.space import Floats

Percentile = Literal["p50", "p90"]
"""The median, and the latency that nine runs of ten stay below."""
LatencyAs = Literal["quiet", "p50", "p90"]
"""What a limit is for: the machine's quiet state, or a percentile of the runs as they come."""
SHARE: dict[Percentile, float] = {"p50": 0.5, "p90": 0.9}
RUNS: dict[Percentile, str] = {"p50": "half of all runs", "p90": "nine runs of ten"}
"""For people: whom a limit on this percentile is for."""
UNWAITED = 5
"""So many rounds of a campaign wait for nothing: every other one from the first on, which spreads them over time."""
FEWEST = 20
"""Fewer runs than this have no percentile near their end."""
CAMPAIGNS = 3
"""Of fewer campaigns than this nobody knows how much they differ."""
DRAWS = 500

Spread = tuple[float, ...]
"""Ten equally frequent latencies in ms, from the 5th percentile of a campaign's runs to the 95th."""


@dataclass(frozen=True)
class AsItComes(Record):
    """A percentile in ms of a network's runs as they came. interval_ms: 95 %, None if too few campaigns say it."""

    ms: float
    interval_ms: tuple[float, float] | None = None


def is_unwaited(turn: int) -> bool:
    """Whether a campaign's round with this number, from 0 up, waits for nothing."""
    return turn % 2 == 0 and turn < 2 * UNWAITED


def spread_of(runs_ms: Sequence[float]) -> Spread:
    """Of one campaign's runs; empty if there are too few."""
    if len(runs_ms) < FEWEST:
        return ()
    return tuple(np.quantile(runs_ms, np.arange(0.05, 1, 0.1)).tolist())


def percentile(spreads: Sequence[Spread], which: Percentile) -> AsItComes | None:
    """Of all campaigns together, each counting the same; None without any.

    The interval is a bootstrap over campaigns, since the runs of one see one state of the machine.
    """
    known = np.array([spread for spread in spreads if spread])
    if not len(known):
        return None
    ms = float(_quantile(known.ravel(), which))
    if len(known) < CAMPAIGNS:
        return AsItComes(ms)
    drawn = known[np.random.default_rng(0).integers(len(known), size=(DRAWS, len(known)))]
    low, high = np.quantile(_quantile(drawn.reshape(DRAWS, -1), which), (0.025, 0.975))
    return AsItComes(ms, (min(float(low), ms), max(float(high), ms)))


def _quantile(values: Floats, which: Percentile) -> Floats:
    """Along the last axis, of values that stand for the middles of equally frequent parts."""
    found: Floats = np.quantile(values, SHARE[which], axis=-1, method="hazen")
    return found
