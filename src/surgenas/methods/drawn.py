"""No search: a random architecture just inside the limit, so that all of the time is left for its training.

What every search has to beat at equal total cost (docs/lab.md).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from surgenas.core import moves
from surgenas.core.architecture import Architecture
from surgenas.core.capabilities import Counted, require
from surgenas.core.errors import UsageError
from surgenas.core.space import Space
from surgenas.core.work import Work
from surgenas.methods.base import Event, Latency, Needs, Problem
from surgenas.methods.blackbox import draw_new_at_random


@dataclass(frozen=True, kw_only=True)
class Drawn:
    """Draws a network of the wanted latency, and judges none: all of the time is left for its training."""

    name: ClassVar[str] = "drawn"
    default_space: ClassVar[str] = "mobile"

    def needs(self, space: Space) -> Needs:
        return Needs(cost="any")

    def begin(self, problem: Problem) -> Drawing:
        return Drawing(problem.space)


@dataclass(frozen=True, eq=False)
class Drawing:
    """Asks for nothing and prefers nothing."""

    space: Space

    @property
    def most_events(self) -> int:
        return 0

    def ask(self) -> Sequence[Work]:
        """Nothing."""
        return []

    def tell(self, work: Work, result: Any) -> Sequence[Event]:
        """Raises UsageError: no work was asked for."""
        raise UsageError(f"{Drawn.name} asks for no work, so it can be told of none")

    def propose(
        self, latency_ms: Latency, window_ms: tuple[float, float], count: int, rng: np.random.Generator
    ) -> list[Architecture]:
        """Random networks inside the window, in the order in which they were drawn."""
        low, high = window_ms

        def inside(archs: Sequence[Architecture]) -> npt.NDArray[np.bool_]:
            ms = latency_ms(archs)
            return (low <= ms) & (ms <= high)

        return draw_new_at_random(self.space, count, set(), rng, inside)

    def largest(self) -> Architecture:
        """The architecture of the most MACs."""
        return moves.decode(self.space, require(self.space, Counted).costs().macs)

    def state_dict(self) -> dict[str, Any]:
        """Empty: nothing was learned."""
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Nothing to load."""
