"""What a search remembers of an architecture that it tried."""

from __future__ import annotations

import math
from dataclasses import dataclass

from surgenas.core import moves
from surgenas.core.architecture import Architecture
from surgenas.core.space import Space


@dataclass(frozen=True)
class Trial:
    """An architecture that was tried, and what came of it.

    key: the canonical key of its network, the same for all architectures that build that network. score: what is to be
    maximised. latency_ms: NaN where no latency was asked for. rung: the fidelity of the judgement, 0 the cheapest.
    """

    arch: Architecture
    key: str
    score: float
    latency_ms: float = math.nan
    rung: int = 0

    @classmethod
    def of(cls, space: Space, arch: Architecture, score: float) -> Trial:
        """The trial of an architecture without a latency, its key computed from the space."""
        return cls(arch, moves.canonical_key(space, arch), score)
