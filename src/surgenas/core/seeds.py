"""Randomness without memory: every stream is derived from the run's seed and the place that asks.

Because no stream depends on what ran before, a resumed run draws what the uninterrupted one would have drawn.
"""

from __future__ import annotations

import hashlib

import numpy as np


def derive(seed: int, *place: str | int) -> int:
    """A 63-bit seed that follows from a run's seed and the names or numbers of the place that asks."""
    text = "/".join(str(part) for part in (seed, *place))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


def generator(seed: int, *place: str | int) -> np.random.Generator:
    """A numpy Generator, seeded by `derive`."""
    return np.random.default_rng(derive(seed, *place))
