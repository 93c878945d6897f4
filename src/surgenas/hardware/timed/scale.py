"""How long does a reference network take where nothing slows the machine down, and how well is that known
(docs/measurement.md, 21)?

A machine that others share is in one state for minutes, then in another that is half as fast. All milliseconds are
ratios times the reference's, so a look in a slow state would stretch every one of them, with nothing to be seen in any
ratio. What is known follows from all looks together.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from surgenas.hardware.target import Known

SAME = 0.03
"""Looks that differ by at most this share saw the machine in the same state."""
OTHER = 0.1
"""A look that is slower by more than this saw another state; in between there is noise."""
RARE = 0.1
"""A state that fewer than this share of the looks saw is a moment, of a processor's boost say, and not to count on."""
FEW = 3
"""Of fewer looks than this, the fastest is believed."""
WATCHED_S = 300.0
"""A machine that stays in one state for this long, as far as looks tell, is taken to be in its fastest."""
UNSEEN_S = 60.0
"""More of a pause between two looks does not count as watched: the machine may have been elsewhere."""
APART_S = 600.0
"""Looks further apart than this are visits of their own."""
VISITS = 5
"""A machine with several states has shown its fastest one if it was seen so often, others between; seen less often, it
may be the middle one."""
UNKNOWN = 0.5
"""The doubt while that is open: slow states took up to 1.8 times as long (docs/log.md, 2026-11-26)."""
REPAIRED = 0.03
"""A scale that turns out to be off by more than this is repaired; less is within what looks scatter."""


@dataclass(frozen=True)
class Look:
    """What one campaign saw of a reference: when, in seconds, and its tenth percentile in ms."""

    at_s: float
    ms: float


def know(looks: Sequence[Look]) -> Known:
    """What follows from one look or more, in any order."""
    ms = _fastest_state_ms(looks)
    seen = [math.log(look.ms / ms) for look in looks if _is_in(look, ms)]
    spread = max(float(np.quantile(np.abs(seen), 0.9)), SAME / 3) if len(seen) > 1 else SAME
    return Known(ms, spread if _is_settled(looks, ms) else UNKNOWN)


def _fastest_state_ms(looks: Sequence[Look]) -> float:
    """The median of the looks in the fastest state that is no mere moment."""
    enough = 1 if len(looks) < FEW else max(2, math.ceil(RARE * len(looks)))
    for lowest in sorted(look.ms for look in looks):
        together = [look.ms for look in looks if lowest <= look.ms <= lowest * (1 + SAME)]
        if len(together) >= enough:
            return float(np.median(together))
    return min(look.ms for look in looks)  # no two agree


def _is_in(look: Look, ms: float) -> bool:
    return look.ms <= ms * (1 + SAME)


def _is_settled(looks: Sequence[Look], ms: float) -> bool:
    """Whether a faster state than this one can be ruled out."""
    in_order = sorted(looks, key=lambda look: look.at_s)
    return _watched_s(in_order, ms) >= WATCHED_S or _visits(in_order, ms) >= VISITS


def _watched_s(in_order: Sequence[Look], ms: float) -> float:
    """The longest time for which no look saw another state."""
    longest_s = watched_s = 0.0
    for before, look in pairwise(in_order):
        same = max(before.ms, look.ms) <= ms * (1 + OTHER)
        watched_s = watched_s + min(look.at_s - before.at_s, UNSEEN_S) if same else 0.0
        longest_s = max(longest_s, watched_s)
    return longest_s


def _visits(in_order: Sequence[Look], ms: float) -> int:
    """How often the machine came into the state, as far as looks tell."""
    visits, since_s = 0, -math.inf
    for look in in_order:
        if look.ms > ms * (1 + OTHER):
            since_s = -math.inf
        elif _is_in(look, ms):
            visits += look.at_s - since_s > APART_S
            since_s = look.at_s
    return visits
