"""Optimizers of other packages on our spaces.

What such an optimizer proposes twice, or outside the limit, is answered without a trial of its own: with the trial that
its architecture had or is to get, and outside the limit with the worst of all trials, once there are any.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import numpy as np

from surgenas.core.architecture import Architecture
from surgenas.core.space import Space
from surgenas.core.trial import Trial
from surgenas.methods.base import allow_all
from surgenas.methods.blackbox import draw_new_at_random
from surgenas.methods.sampling import Feasible

TRIES = 20
"""How many proposals of the optimizer are looked at for one that is new and feasible. After that, an architecture is
drawn at random and the optimizer is told of it."""


class ForeignLoop(ABC):
    """An optimizer of another package behind `ask` and `tell`. A token is that package's own handle of a proposal."""

    def __init__(self, space: Space, rng: np.random.Generator, feasible: Feasible = allow_all) -> None:
        self.space, self.rng, self.feasible = space, rng, feasible
        self.history: list[Trial] = []
        self._asked: dict[str, list[Any]] = {}
        self._told: dict[str, Trial] = {}
        self._outside: list[tuple[Any, Architecture]] = []

    @abstractmethod
    def propose(self) -> tuple[Any, tuple[str, ...]]:
        """The optimizer's next proposal: its token and the genes of the architecture."""

    @abstractmethod
    def suggest(self, arch: Architecture) -> Any:
        """Register an architecture that the optimizer did not propose, and return a token for it."""

    @abstractmethod
    def answer(self, token: Any, trial: Trial) -> None:
        """Tell the optimizer the trial of the proposal that the token stands for."""

    def ask(self, n: int = 1) -> list[Architecture]:
        """Up to n architectures to judge; empty if no feasible new one could be found."""
        found = (self._next() for _ in range(n))
        return [arch for arch in found if arch is not None]

    def tell(self, trial: Trial) -> None:
        """Take the trial of an architecture, which need not have been asked for."""
        for token in self._asked.pop(trial.key, None) or [self.suggest(trial.arch)]:
            self.answer(token, trial)
        self._told[trial.key] = trial
        self.history.append(trial)
        self._answer_outside()

    def _next(self) -> Architecture | None:
        for _ in range(TRIES):
            token, genes = self.propose()
            arch = self.space.canonical(self.space.architecture(genes))
            if arch.key in self._told:
                self.answer(token, self._told[arch.key])
            elif arch.key in self._asked:
                self._asked[arch.key].append(token)
            elif self.feasible([arch])[0]:
                self._asked[arch.key] = [token]
                return arch
            else:
                self._outside.append((token, arch))
                self._answer_outside()
        for drawn in draw_new_at_random(self.space, 1, {*self._asked, *self._told}, self.rng, self.feasible):
            arch = self.space.canonical(drawn)
            self._asked[arch.key] = [self.suggest(arch)]
            return arch
        return None

    def _answer_outside(self) -> None:
        """Answer what was proposed outside the limit, with the lowest score and the highest latency told so far. Before
        any trial nothing is known that would be bad, so these proposals wait."""
        if not self.history:
            return
        score = min(trial.score for trial in self.history)
        latency_ms = max(trial.latency_ms for trial in self.history)
        for token, arch in self._outside:
            self.answer(token, Trial(arch, arch.key, score, latency_ms))
        self._outside.clear()
