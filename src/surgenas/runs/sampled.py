"""Which networks are measured to learn latency from, and how many?"""

from __future__ import annotations

from surgenas.core import moves
from surgenas.core.architecture import Architecture
from surgenas.core.capabilities import Additive, require
from surgenas.core.seeds import generator
from surgenas.predictors.active import choose, graph_features
from surgenas.runs.run import Run

DEFAULT_SAMPLES, DIGITS_SAMPLES = 100, 40
"""At most: measuring ends once it no longer helps."""
POOL = 8
"""Architectures drawn for each that is measured."""


def wanted_samples(run: Run) -> int:
    """As asked, or by the data."""
    return run.config.target.samples or (DIGITS_SAMPLES if run.config.data.source == "digits" else DEFAULT_SAMPLES)


def sample_networks(run: Run) -> list[Architecture]:
    """Distinct networks, those that leave the least uncertain first; the same ones for the same seed. Drawn half
    uniformly, half with a taste of their own, so that both the middle and the ends are there to be picked."""
    wanted, rng = wanted_samples(run), generator(run.config.seed, "profile")
    found: dict[str, Architecture] = {}
    for i in range(2 * POOL * wanted):
        arch = (moves.sample, moves.sample_skewed)[i % 2](run.space, rng)
        found.setdefault(moves.canonical_key(run.space, arch), arch)
        if len(found) == POOL * wanted:
            break
    pool = list(found.values())
    features = graph_features(require(run.space, Additive).costs(), moves.encode(run.space, pool))
    return [pool[i] for i in choose(features, wanted)]
