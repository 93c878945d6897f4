"""Does somebody else go through the memory? Networks whose weights fill a cache then take up to twice as long, and all
their runs agree on it, while a small reference network feels nothing (docs/log.md, 2026-11-26).

So a network of ours with many weights is measured beside them, unasked: how much longer it takes than it is known to
take is how wrong they may be.
"""

from __future__ import annotations

from collections.abc import Sequence

from surgenas.hardware.measurement import estimate, percentile
from surgenas.hardware.references import MEMORY
from surgenas.hardware.timing import Campaign


def minima_ms(campaign: Campaign) -> list[float]:
    """Of the blocks of our watching network; empty if it was not there."""
    return [r.candidate.best_ms for r in campaign.rounds.get(MEMORY.name, ())]


def slowdown(campaign: Campaign, reference_ms: float, history_ms: Sequence[float]) -> float:
    """How much longer it took than in its fastest tenth ever, beyond what the reference did: .1 for 10 %; 0 if it was
    not there."""
    rounds = campaign.rounds.get(MEMORY.name, ())
    if not rounds or not history_ms:
        return 0.0
    ratio, _ = estimate(rounds, campaign.state_ms)
    return max(0.0, ratio * reference_ms / percentile(history_ms, 0.1) - 1)
