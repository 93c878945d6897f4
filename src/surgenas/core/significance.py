"""Is one group of results better than another, or is that noise? Welch's interval of the difference of means (1947);
of two shares of so many images, Newcombe's interval (1998) made of Wilson's (1927)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from surgenas.core.record import Record

LEVEL = 0.95


@dataclass(frozen=True)
class Difference:
    """The difference of two means and the ends of its 95 % interval.

    The ends are NaN where one side has a single value, so that nothing is known of its scatter.
    """

    value: float
    low: float
    high: float

    @property
    def verdict(self) -> str:
        """The interval in words, for results of which larger ones are better."""
        if math.isnan(self.low):
            return "unknown: one value"
        if self.low > 0:
            return "better"
        return "worse" if self.high < 0 else "within noise"

    def scale_by(self, factor: float) -> Difference:
        """The same difference in other units: value and interval times a factor above 0."""
        return Difference(self.value * factor, self.low * factor, self.high * factor)

    def tell(self) -> Verdict:
        """With its verdict; what is unknown is None."""
        low, high = (None if math.isnan(end) else end for end in (self.low, self.high))
        return Verdict(self.value, low, high, self.verdict)


@dataclass(frozen=True)
class Verdict(Record):
    """A difference as it is told: in words, and with ends that may be unknown."""

    value: float
    low: float | None
    high: float | None
    said: str


def difference(ours: Sequence[float], theirs: Sequence[float], step: float = 0.0) -> Difference:
    """The mean of `ours` minus the mean of `theirs`, with Welch's 95 % interval.

    step: the unit that results are multiples of, such as one test image's share of the accuracy. No result is taken to
    be known better than its rounding to that unit allows.
    """
    value = float(np.mean(ours) - np.mean(theirs))
    if min(len(ours), len(theirs)) < 2:
        return Difference(value, math.nan, math.nan)
    a, b = (max(float(np.var(x, ddof=1)), step**2 / 12) / len(x) for x in (ours, theirs))
    if a + b == 0:
        return Difference(value, value, value)
    a, b = max(a, 1e-150), max(b, 1e-150)  # squared, smaller ones vanish
    freedom = (a + b) ** 2 / (a**2 / (len(ours) - 1) + b**2 / (len(theirs) - 1))
    half = float(stats.t.ppf((1 + LEVEL) / 2, freedom)) * math.sqrt(a + b)
    return Difference(value, value - half, value + half)


def relative_improvement(found: Sequence[float], random: Sequence[float], step: float = 0.0) -> Difference:
    """Relative improvement over random architectures, in percent (Yang, Esperanca & Carlucci, ICLR 2020).

    RI = 100 (mean found - mean random) / mean random. step: as of `difference`.
    """
    return difference(found, random, step).scale_by(100 / float(np.mean(random)))


Interval = tuple[float, float]


def share_interval(share: float, count: int) -> Interval:
    """The 95 % interval of a share, 0 to 1, that was seen in so many tries."""
    found = stats.binomtest(round(share * count), count).proportion_ci(LEVEL, method="wilson")
    return float(found.low), float(found.high)


def share_difference(one: tuple[float, Interval], other: tuple[float, Interval]) -> Difference:
    """One share less the other, each with its 95 % interval, as if they were of different images."""
    (share, (low, high)), (beside, (beside_low, beside_high)) = one, other
    value = share - beside
    down = math.hypot(share - low, beside_high - beside)
    return Difference(value, value - down, value + math.hypot(high - share, beside - beside_low))
