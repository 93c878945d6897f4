"""Does somebody else go through the memory? Networks whose weights fill a cache then take up to twice as long, and all
their runs agree on it, while a small reference network feels nothing (docs/log.md, 2026-11-26).

So a network of ours with many weights is measured beside them, unasked: how much longer it takes than it is known to
take is how wrong they may be.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from surgenas.hardware.measurement import estimate, percentile
from surgenas.hardware.references import MEMORY
from surgenas.hardware.session import Network
from surgenas.hardware.timing import Campaign

HEAVY_BYTES = 4_000_000
"""Networks from this size on are watched. Beside a program that goes through memory, networks of 2 MB slowed down up to
6 % more than the reference, those of 9 to 17 MB 20 to 100 %."""


def heavy(networks: Mapping[str, Network]) -> list[str]:
    """Those that depend on what others do with the caches."""
    return [name for name, network in networks.items() if len(network.model) >= HEAVY_BYTES]


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
