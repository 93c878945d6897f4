"""Other people's optimizers on our spaces: what they propose twice or outside the limit is answered without a trial."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import numpy as np

from surgenas.core.architecture import Architecture
from surgenas.core.space import Space
from surgenas.core.trial import Trial
from surgenas.methods.base import anywhere
from surgenas.methods.blackbox import fresh_at_random
from surgenas.methods.sampling import Feasible

TRIES = 20
"""Proposals for one that is new and feasible; then one is drawn at random and put to the optimizer."""


class ForeignLoop(ABC):
    """An optimizer behind `ask` and `tell`. Tokens are its own handles of what it proposed."""

    def __init__(self, space: Space, rng: np.random.Generator, feasible: Feasible = anywhere) -> None:
        self.space, self.rng, self.feasible = space, rng, feasible
        self.history: list[Trial] = []
        self._asked: dict[str, Any] = {}
        self._told: dict[str, Trial] = {}

    @abstractmethod
    def propose(self) -> tuple[Any, tuple[str, ...]]:
        """A token, and the genes that the optimizer wants judged."""

    @abstractmethod
    def suggest(self, arch: Architecture) -> Any:
        """The token of an architecture that the optimizer did not think of."""

    @abstractmethod
    def answer(self, token: Any, trial: Trial) -> None:
        """Tell the optimizer."""

    def ask(self, n: int = 1) -> list[Architecture]:
        """Up to n architectures to judge; none if nothing feasible is left."""
        found = (self._next() for _ in range(n))
        return [arch for arch in found if arch is not None]

    def tell(self, trial: Trial) -> None:
        """What was found of an architecture, asked for or not."""
        token = self._asked.pop(trial.key, None)
        self.answer(self.suggest(trial.arch) if token is None else token, trial)
        self._told[trial.key] = trial
        self.history.append(trial)

    def _next(self) -> Architecture | None:
        for _ in range(TRIES):
            token, genes = self.propose()
            arch = self.space.canonical(self.space.architecture(genes))
            if arch.key not in self._asked and arch.key not in self._told and self.feasible([arch])[0]:
                self._asked[arch.key] = token
                return arch
            self.answer(token, self._told.get(arch.key) or self._worst(arch))
        for drawn in fresh_at_random(self.space, 1, {*self._asked, *self._told}, self.rng, self.feasible):
            arch = self.space.canonical(drawn)
            self._asked[arch.key] = self.suggest(arch)
            return arch
        return None

    def _worst(self, arch: Architecture) -> Trial:
        """An answer for what may not be judged: as bad as the worst seen."""
        score = min((trial.score for trial in self.history), default=0.0)
        latency_ms = max((trial.latency_ms for trial in self.history), default=0.0)
        return Trial(arch, arch.key, score, latency_ms)
