"""Which networks does a predictor see inside the limit, and how long do sizes in between take?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from surgenas.core import moves
from surgenas.core.architecture import Architecture
from surgenas.core.space import Floats, Space
from surgenas.methods.base import allow_all
from surgenas.predictors.base import Predictor


@dataclass(frozen=True, eq=False)
class Inside:
    """The networks of a space whose predicted latency is at most the limit: a `Feasible` that knows latencies too.

    limit: the limit in ms, asked for when it is needed, since a run's scale of milliseconds may move. also: what they
    have to meet beside it. least: the share of the limit below which nothing is wanted either.
    """

    space: Space
    predictor: Predictor
    limit: Callable[[], float]
    also: Callable[[Sequence[Architecture]], npt.NDArray[np.bool_]] = allow_all
    least: float = 0.0

    def __call__(self, archs: Sequence[Architecture]) -> npt.NDArray[np.bool_]:
        """(N,) booleans: True for those inside."""
        ms, limit = self._ms(archs), self.limit()
        near = ms >= self.least * limit if self.least else True
        return (ms <= limit) & near & self.also(archs)

    def fastest(self, arch: Architecture, free: Sequence[int]) -> Architecture:
        """The network of least predicted latency that differs from this one only in the choices at these positions,
        counted from 0: each in turn takes the option that is fastest beside the others, until nothing gains.

        After one round that is exact where latencies add up over choices; elsewhere it is where a descent ends.
        """
        place, least = list(moves.indices(self.space, arch)), np.inf
        while free:
            ms = np.inf
            for i in free:
                options = range(len(self.space.choices[i].options))
                took = self._ms([moves.from_indices(self.space, [*place[:i], k, *place[i + 1 :]]) for k in options])
                place[i], ms = int(took.argmin()), float(took.min())
            if not ms < least:  # so that a latency that is no number ends it too
                break
            least = ms
        return moves.from_indices(self.space, place)

    def _ms(self, archs: Sequence[Architecture]) -> Floats:
        return self.predictor.predict(moves.encode(self.space, archs))

    def latency_ms(self, gates_NLK: Floats) -> Floats:
        """The predicted latencies (N,) of gates (N, L, K), which need not be codes."""
        return self.predictor.predict(gates_NLK)
