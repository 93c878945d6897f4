"""Which networks are measured to learn latency from, and how many? Which random ones have a given latency?"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from surgenas.core import moves
from surgenas.core.architecture import Architecture
from surgenas.core.capabilities import Counted, require
from surgenas.core.seeds import generator
from surgenas.core.space import Space
from surgenas.predictors.active import choose, graph_features
from surgenas.runs.run import Run

DEFAULT_SAMPLES, DIGITS_SAMPLES = 100, 40
"""How many networks are measured at most if the user does not say; fewer if measuring more does not help."""
REPEATED = 12
"""How many networks are measured in a second campaign, from which the noise ceiling is computed."""
DRAWS = 4000
"""How many architectures are drawn at once to find some that are wanted."""
POOL = 8
"""How many architectures are drawn for each one that is measured."""


def wanted_samples(run: Run) -> int:
    """How many networks to measure: as configured, or a default that depends on the data set."""
    return run.config.target.samples or (DIGITS_SAMPLES if run.config.data.source == "digits" else DEFAULT_SAMPLES)


def sample_networks(run: Run) -> list[Architecture]:
    """Different networks to be measured, those first that leave the least uncertainty about the others.

    They are picked from a pool of random networks; half of the pool is drawn uniformly, and half by
    `moves.sample_skewed`, which reaches small and large networks. The same seed gives the same networks.
    """
    wanted, rng = wanted_samples(run), generator(run.config.seed, "profile")
    found: dict[str, Architecture] = {}
    for i in range(2 * POOL * wanted):
        arch = (moves.sample, moves.sample_skewed)[i % 2](run.space, rng)
        found.setdefault(moves.canonical_key(run.space, arch), arch)
        if len(found) == POOL * wanted:
            break
    pool = list(found.values())
    features = graph_features(require(run.space, Counted).costs(), moves.encode(run.space, pool))
    return [pool[i] for i in choose(features, wanted)]


def draw_some(
    space: Space, wanted: Callable[[Sequence[Architecture]], npt.NDArray[np.bool_]], count: int,
    rng: np.random.Generator,
) -> list[Architecture]:  # fmt: skip
    """Up to `count` different random networks among those that are wanted, of which they are told N at once, (N,).

    They are drawn uniformly; where that finds too few, by `moves.sample_skewed`, which reaches small and large ones.
    """
    found: dict[str, Architecture] = {}
    for draw in (moves.sample, moves.sample_skewed):
        if len(found) < count:
            drawn = [draw(space, rng) for _ in range(DRAWS)]
            for arch in (arch for arch, ok in zip(drawn, wanted(drawn), strict=True) if ok):
                found.setdefault(moves.canonical_key(space, arch), arch)
    return list(found.values())[:count]
