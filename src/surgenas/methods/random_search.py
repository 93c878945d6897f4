"""Random search: what every other method must beat."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from surgenas.core.architecture import Architecture
from surgenas.core.space import Space
from surgenas.core.trial import Trial
from surgenas.methods.base import allow_all
from surgenas.methods.blackbox import BlackBox, draw_new_at_random, tried_keys
from surgenas.methods.sampling import Feasible


@dataclass(frozen=True, kw_only=True)
class RandomSearch(BlackBox):
    """Draws architectures uniformly and judges each network once."""

    name: ClassVar[str] = "random"

    def ask(
        self, space: Space, history: Sequence[Trial], n: int, rng: np.random.Generator, feasible: Feasible = allow_all
    ) -> list[Architecture]:
        return draw_new_at_random(space, n, tried_keys(history), rng, feasible)
