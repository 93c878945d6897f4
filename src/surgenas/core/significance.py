"""Is one group of results better than another, or is that noise? Welch's interval of the difference of means (1947)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from scipy import stats

LEVEL = 0.95


@dataclass(frozen=True)
class Difference:
    """Of two means, with its 95 % interval; NaN ends where a single value a side leaves it unknown."""

    value: float
    low: float
    high: float

    @property
    def said(self) -> str:
        """In words; what is better is larger."""
        if math.isnan(self.low):
            return "unknown: one value"
        if self.low > 0:
            return "better"
        return "worse" if self.high < 0 else "within noise"

    def scaled(self, factor: float) -> Difference:
        """In other units; factor above 0."""
        return Difference(self.value * factor, self.low * factor, self.high * factor)

    def to_dict(self) -> dict[str, Any]:
        """What is unknown is None."""
        known = {key: None if math.isnan(value) else value for key, value in asdict(self).items()}
        return {**known, "said": self.said}


def difference(ours: Sequence[float], theirs: Sequence[float], step: float = 0.0) -> Difference:
    """Mean of `ours` less mean of `theirs`.

    step: what results are multiples of, such as one test image; they are not known better than rounding to it allows.
    """
    value = float(np.mean(ours) - np.mean(theirs))
    if min(len(ours), len(theirs)) < 2:
        return Difference(value, math.nan, math.nan)
    a, b = (max(float(np.var(x, ddof=1)), step**2 / 12) / len(x) for x in (ours, theirs))
    if a + b == 0:
        return Difference(value, value, value)
    freedom = (a + b) ** 2 / (a**2 / (len(ours) - 1) + b**2 / (len(theirs) - 1))
    half = float(stats.t.ppf((1 + LEVEL) / 2, freedom)) * math.sqrt(a + b)
    return Difference(value, value - half, value + half)


def relative_improvement(found: Sequence[float], random: Sequence[float], step: float = 0.0) -> Difference:
    """RI = 100 (mean found - mean random) / mean random, in percent (Yang, Esperanca & Carlucci, ICLR 2020)."""
    return difference(found, random, step).scaled(100 / float(np.mean(random)))
