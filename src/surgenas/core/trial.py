"""What a search remembers of an architecture that it tried."""

from __future__ import annotations

import math
from dataclasses import dataclass

from surgenas.core import moves
from surgenas.core.architecture import Architecture
from surgenas.core.space import Space


@dataclass(frozen=True)
class Trial:
    """key: of the network, one for all architectures that are the same. score: the larger the better. latency_ms: NaN
    where nobody asked. rung: at which of several fidelities it was judged, 0 the cheapest."""

    arch: Architecture
    key: str
    score: float
    latency_ms: float = math.nan
    rung: int = 0

    @classmethod
    def of(cls, space: Space, arch: Architecture, score: float) -> Trial:
        """The key filled in."""
        return cls(arch, moves.canonical_key(space, arch), score)
