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
    have to meet beside it.
    """

    space: Space
    predictor: Predictor
    limit: Callable[[], float]
    also: Callable[[Sequence[Architecture]], npt.NDArray[np.bool_]] = allow_all

    def __call__(self, archs: Sequence[Architecture]) -> npt.NDArray[np.bool_]:
        """(N,) booleans: True for those inside."""
        return (self.predictor.predict(moves.encode(self.space, archs)) <= self.limit()) & self.also(archs)

    def latency_ms(self, gates_NLK: Floats) -> Floats:
        """The predicted latencies (N,) of gates (N, L, K), which need not be codes."""
        return self.predictor.predict(gates_NLK)
