"""Do the stored latencies of a device still hold? A few of them are measured again (docs/measurement.md, 11)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from surgenas.core.seeds import derive
from surgenas.hardware.timed.comparison import tie_width
from surgenas.hardware.timed.measurement import Measurement

CHANGED = 0.05
"""The |ln ratio| between a stored and a new latency above which the two differ."""


def draw_for_recheck(stored: Mapping[str, Measurement], seed: int) -> list[str]:
    """Draw the networks that are measured again: one in twenty of the stored ones on average, by key."""
    rng = np.random.default_rng(derive(seed, "again"))
    return [str(key) for key in rng.permutation(list(stored))[: int(len(stored) / 20 + rng.random())]]


def has_changed(pairs: Sequence[tuple[Measurement, Measurement]]) -> bool:
    """Whether most of the (stored, new) pairs differ by more than CHANGED and by more than noise explains."""
    apart = [abs(math.log(new.ms / old.ms)) > max(CHANGED, tie_width(old, new)) for old, new in pairs]
    return 2 * sum(apart) > len(apart)
