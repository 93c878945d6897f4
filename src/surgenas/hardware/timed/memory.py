"""Does somebody else go through the memory? Networks whose weights fill a cache then take up to twice as long, and all
their runs agree on it, while a small reference network feels nothing (docs/log.md, 2026-11-26).

So a network of ours with many weights, the watcher, is measured beside them, unasked: how much longer it takes than it
is known to take says how wrong they may be.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from surgenas.hardware.timed.measurement import estimate
from surgenas.hardware.timed.references import MEMORY
from surgenas.hardware.timed.session import Network
from surgenas.hardware.timed.timing import Campaign

SCATTER = 0.05
"""From process to process the watcher takes that much more or less, by where its weights come to lie."""


def minima_ms(campaign: Campaign) -> list[float]:
    """Of the watcher's blocks; empty if it was not there."""
    return [r.candidate.best_ms for r in campaign.rounds.get(MEMORY.name, ())]


def slowdown(campaign: Campaign, reference_ms: float, history_ms: Sequence[float]) -> float:
    """How much longer it took than in the faster quarter of its history, beyond what the reference did and what it
    scatters anyhow: .1 for 10 %. 0 if it was not there, or never before."""
    rounds = campaign.rounds.get(MEMORY.name, ())
    if not rounds or not history_ms:
        return 0.0
    ratio, _ = estimate(rounds, campaign.state_ms)
    return max(0.0, ratio * reference_ms / float(np.quantile(history_ms, 0.25)) - 1 - SCATTER)


def felt(slowdown: float, network: Network, watcher: Network) -> float:
    """How wrong that may make a network's latency: as large a part of it as its weights are of the watcher's.

    While the watcher slowed down by 42 %, EfficientNet-B0 (16 MB) did by 48, MobileNetV3-Large (17 MB) by 27 and
    MobileNetV2 (9 MB) by 18 %.
    """
    return slowdown * min(1.0, len(network.model) / len(watcher.model)) if network.is_heavy else 0.0
