"""Does what was stored of a device still hold? Some is measured again, at random (measurement protocol, point 11)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from surgenas.core.seeds import derive
from surgenas.hardware.timed.measurement import Measurement, unlike

CHANGED = 0.05
"""|ln ratio| between then and now from which a device counts as changed."""


def some(stored: Mapping[str, Measurement], seed: int) -> list[str]:
    """One in twenty of them on average, drawn at random."""
    rng = np.random.default_rng(derive(seed, "again"))
    return [str(key) for key in rng.permutation(list(stored))[: int(len(stored) / 20 + rng.random())]]


def changed(pairs: Sequence[tuple[Measurement, Measurement]]) -> bool:
    """Do most of the networks differ from what was stored by more than CHANGED, and more than noise explains?"""
    apart = [abs(math.log(new.ms / old.ms)) > max(CHANGED, unlike(old, new)) for old, new in pairs]
    return 2 * sum(apart) > len(apart)
