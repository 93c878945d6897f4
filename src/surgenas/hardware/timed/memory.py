"""Does another program go through the memory while we measure, and how wrong does that make a latency?

Networks whose weights fill a cache then take up to twice as long, and all their runs agree on it, while a small
reference network is not slowed down (docs/measurement.md, 14; docs/log.md, 2026-11-26). So a network of ours with many
weights, the watcher, is measured beside them: how much longer it takes than it is known to take says how wrong they
may be.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from surgenas.hardware.timed.measurement import estimate
from surgenas.hardware.timed.references import MEMORY
from surgenas.hardware.timed.session import Network
from surgenas.hardware.timed.timing import Campaign

SCATTER = 0.05
"""The watcher's latency differs by this share from process to process, by where its weights come to lie."""


def watcher_minima_ms(campaign: Campaign) -> list[float]:
    """The fastest run in ms of each block of the watcher in a campaign; empty if the campaign had no watcher."""
    return [r.candidate.best_ms for r in campaign.rounds.get(MEMORY.name, ())]


def watcher_slowdown(campaign: Campaign, reference_ms: float, history_ms: Sequence[float]) -> float:
    """By what share the watcher took longer in a campaign than it is known to take; .1 means 10 %, and 0 is the least.

    It is known to take the lower quartile of `history_ms`, its earlier latencies. What slowed the reference down as
    well is not counted, nor SCATTER. The answer is 0 if the campaign had no watcher, or there is no history.
    """
    rounds = campaign.rounds.get(MEMORY.name, ())
    if not rounds or not history_ms:
        return 0.0
    ratio, _ = estimate(rounds, campaign.state_ms)
    return max(0.0, ratio * reference_ms / float(np.quantile(history_ms, 0.25)) - 1 - SCATTER)


def memory_effect(slowdown: float, network: Network, watcher: Network) -> float:
    """By what share a network's latency may be wrong, given the watcher's slowdown; 0 for one that is not heavy.

    It is the slowdown times the network's size over the watcher's, at most the slowdown itself. While the watcher
    slowed down by 42 %, EfficientNet-B0 (16 MB) did by 48, MobileNetV3-Large (17 MB) by 27 and MobileNetV2 (9 MB) by
    18 %.
    """
    return slowdown * min(1.0, len(network.model) / len(watcher.model)) if network.is_heavy else 0.0
