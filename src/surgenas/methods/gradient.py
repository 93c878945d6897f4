"""What gradient searches share: a belief in every operator of every layer, and a multiplier for the latency."""

from __future__ import annotations

import math
from abc import abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np
from torch import Tensor

from surgenas.core import moves
from surgenas.core.architecture import Architecture
from surgenas.methods.base import EpochSummary, Latency
from surgenas.methods.constrained import most_probable
from surgenas.methods.shared_weights import SupernetSearch


@dataclass(frozen=True, kw_only=True)
class GradientEpoch(EpochSummary):
    """path: what it would choose now; skips: how many of it."""

    multiplier: float
    skips: int
    path: tuple[int, ...]


class GradientSearch(SupernetSearch):
    """Architecture parameters learned with the weights."""

    multiplier: Multiplier

    @abstractmethod
    def probabilities(self) -> Tensor:
        """(L, K): how much the search believes in each operator of each layer."""

    def path(self) -> tuple[int, ...]:
        """The operators that it would choose now."""
        return tuple(int(k) for k in self.probabilities().argmax(1))

    def propose(
        self, latency_ms: Latency, window_ms: tuple[float, float], count: int, rng: np.random.Generator
    ) -> list[Architecture]:
        p_LK = self.probabilities().double().cpu().numpy()
        return most_probable(self.space, p_LK, latency_ms, window_ms, rng, count=count)

    def largest(self) -> Architecture:
        return moves.decode(self.space, self.probabilities().double().cpu().numpy())

    def with_path(self, known: dict[str, Any]) -> dict[str, Any]:
        """What all gradient searches add to an epoch's summary."""
        path = self.path()
        genes = [choice.options[k] for choice, k in zip(self.space.choices, path, strict=True)]
        return {**known, "path": path, "skips": genes.count("skip"), "multiplier": self.multiplier.value}


class Multiplier:
    """Lambda of L + lambda (LAT/T - 1), learned by gradient ascent (docs/methods/surgenas.md, 5); of either sign, so
    that the latency lands on the limit from both sides."""

    def __init__(self, lr: float, damping: float) -> None:
        self.lr, self.damping, self.value = lr, damping, 0.0

    def loss(self, relative: Tensor) -> Tensor:
        """Augmented: the violation itself pushes too, which damps the oscillation of plain gradient ascent."""
        return (self.value + self.damping * (float(relative.detach()) - 1)) * relative

    def learn(self, relative: float) -> None:
        self.value += self.lr * (relative - 1)


def cosine(start: float, done: float) -> float:
    """A learning rate that falls to a hundredth; done: share of the steps."""
    return start * max(0.01, 0.5 * (1 + math.cos(math.pi * min(1.0, done))))
