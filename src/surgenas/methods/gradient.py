"""What gradient searches share: a probability of every operator in every layer, and a multiplier for the latency."""

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
from surgenas.methods.constrained import find_most_probable
from surgenas.methods.shared_weights import SupernetSearch

SKIPS = ("skip", "skip_connect")
"""Operators that pass on what they read."""


@dataclass(frozen=True, kw_only=True)
class GradientEpoch(EpochSummary):
    """The summary of an epoch of a gradient search.

    multiplier: the learned lambda. path: positions of the operators that the search would choose now. skips: how many
    of these are skips.
    """

    multiplier: float
    skips: int
    path: tuple[int, ...]


class GradientSearch(SupernetSearch):
    """A search that learns architecture parameters by gradient, together with the shared weights."""

    multiplier: Multiplier

    @abstractmethod
    def probabilities(self) -> Tensor:
        """The search's present probability of each operator in each layer, (L, K)."""

    def path(self) -> tuple[int, ...]:
        """The positions of the operators of the network that is most probable now."""
        return moves.path_of(self.space, self.largest())

    def propose(
        self, latency_ms: Latency, window_ms: tuple[float, float], count: int, rng: np.random.Generator
    ) -> list[Architecture]:
        p_LK = self.probabilities().double().cpu().numpy()
        return find_most_probable(self.space, p_LK, latency_ms, window_ms, rng, count=count)

    def largest(self) -> Architecture:
        return moves.decode(self.space, self.probabilities().double().cpu().numpy())

    def add_path(self, known: dict[str, Any]) -> dict[str, Any]:
        """An epoch's values, with the fields added that all gradient searches report."""
        path = self.path()
        names = [row.options[k] for row, k in zip(self.space.rows, path, strict=True)]
        skips = sum(name in SKIPS for name in names)
        return {**known, "path": path, "skips": skips, "multiplier": self.multiplier.value}


class Multiplier:
    """The lambda in the loss L + lambda (LAT/T - 1), learned by gradient ascent (docs/methods/surgenas.md, 5). It may
    become negative, so that a latency below the limit is pushed up to it as well.

    lr: learning rate. damping: weight of the present violation in the loss.
    """

    def __init__(self, lr: float, damping: float) -> None:
        self.lr, self.damping, self.value = lr, damping, 0.0

    def loss(self, relative: Tensor) -> Tensor:
        """The latency term of the loss. relative: predicted latency over the limit.

        The augmented Lagrangian: the present violation adds to lambda, which damps the oscillation of plain gradient
        ascent.
        """
        return self.weight(float(relative.detach())) * relative

    def weight(self, relative: float) -> float:
        """What latency weighs in the loss now."""
        return self.value + self.damping * (relative - 1)

    def learn(self, relative: float) -> None:
        """One step of gradient ascent on lambda. relative: predicted latency over the limit."""
        self.value += self.lr * (relative - 1)


def cosine(start: float, done: float) -> float:
    """A learning rate that falls from `start` to a hundredth of it along a cosine. done: share of the steps that are
    done; above 1 it counts as 1."""
    return start * max(0.01, 0.5 * (1 + math.cos(math.pi * min(1.0, done))))
