"""Which network is faster, and by how much? Ratios of measurements, and ties (docs/measurement.md, 9 and 13)."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from surgenas.core.record import Record
from surgenas.hardware.timed.measurement import Measurement, t_interval

MIN_CAMPAIGNS = 3
"""Two networks must share this many campaigns for their ratio to be taken within each campaign."""
SCALE = 0.03
"""How far two references may disagree on a millisecond: what each is known to take moves by 1 to 2 % (docs/log.md)."""


def ranks(measurements: Sequence[Measurement]) -> list[tuple[int, int]]:
    """(best, worst) place that each network may have in a ranking in which the fastest has place 1.

    Both are the same for a network that can be told from all others. A tie does not carry over from one pair to the
    next, so a single place could not say it. Grade D ties with all.
    """

    def faster(one: Measurement, other: Measurement) -> bool:
        return "D" not in (one.grade, other.grade) and math.log(other.ms / one.ms) > tie_width(one, other)

    return [
        (1 + sum(faster(other, m) for other in measurements),
         len(measurements) - sum(faster(m, other) for other in measurements))
        for m in measurements
    ]  # fmt: skip


def tie_width(one: Measurement, other: Measurement) -> float:
    """The |ln ratio| up to which two measurements tie: the noise floor, or both doubts together if these are more."""
    return max(one.floor, other.floor, math.hypot(one.doubt, other.doubt, _reference_doubt(one, other)))


def _reference_doubt(one: Measurement, other: Measurement) -> float:
    return 0.0 if one.reference == other.reference else SCALE


@dataclass(frozen=True)
class Comparison(Record):
    """The ratio of two networks' latencies with its 95 % interval; a tie if it cannot be told from 1."""

    ratio: float
    interval: tuple[float, float]
    tie: bool


def compare_latencies(one: Measurement, other: Measurement) -> Comparison | None:
    """The latency of one network over the other's, paired by campaign (docs/measurement.md, 13); None beside a grade D.

    What slows a whole campaign down cancels. Campaigns pair from the last one back, since those that a measurement was
    pooled with from before stand in front. With fewer than three in common, or different references, the ratio is that
    of the two medians, with both intervals together.
    """
    if "D" in (one.grade, other.grade):
        return None
    S = min(len(one.campaigns_ms), len(other.campaigns_ms))
    if S >= MIN_CAMPAIGNS and one.reference == other.reference:
        logs = [math.log(a / b) for a, b in zip(one.campaigns_ms[-S:], other.campaigns_ms[-S:], strict=True)]
        middle, half = statistics.median(logs), t_interval(logs)
    else:
        middle, half = (
            math.log(one.ms / other.ms),
            math.hypot(one.half_width, other.half_width, _reference_doubt(one, other)),
        )
    tie = abs(middle) <= max(half, one.floor, other.floor)
    return Comparison(math.exp(middle), (math.exp(middle - half), math.exp(middle + half)), tie)
