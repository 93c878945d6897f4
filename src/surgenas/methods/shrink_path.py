"""What does a search that shrinks a network step by step remember of its way, and tell of each step?"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from torch import Tensor

from surgenas.core.architecture import Architecture
from surgenas.core.space import Space
from surgenas.methods.base import EpochSummary


@dataclass(frozen=True, kw_only=True)
class ShrinkStep(EpochSummary):
    """The summary of an iteration: which smaller network it chose, and what that is worth.

    loss: of the chosen network's last training, NaN if there was none. accuracy: of the present network on the held-out
    images. latency_ms: its latency, measured if the engine measures. before_accuracy, before_ms: of the network before.
    target_ms: the latency that the iteration aimed at. candidates: how many were judged. changed: (choice, from, to) of
    all that shrinks. accepted: whether the search goes on with it; not so if it measured no faster.
    """

    before_accuracy: float
    before_ms: float
    target_ms: float
    candidates: int
    changed: list[list[str]]
    accepted: bool


class _OfArchitecture:
    """A value that has an architecture, and goes into a checkpoint."""

    arch: Architecture

    def to_dict(self) -> dict[str, Any]:
        """As a checkpoint holds it."""
        return {**vars(self), "arch": list(self.arch.genes)}

    @classmethod
    def from_dict(cls, record: dict[str, Any], space: Space) -> Self:
        """The inverse of `to_dict`."""
        return cls(**{**record, "arch": space.architecture(tuple(record["arch"]))})


@dataclass(frozen=True)
class Reached(_OfArchitecture):
    """A network on the way from the largest to the limit.

    accuracy: on the held-out images, NaN if it was not judged. ratio: its measured latency over the predicted one; of
    the network before if it could not be measured. doubt: relative, of that measurement, 0 if unknown. asked: it is not
    to be measured again.
    """

    arch: Architecture
    accuracy: float = math.nan
    ratio: float = 1.0
    doubt: float = 0.0
    asked: bool = False


@dataclass(frozen=True, eq=False)
class Chosen(_OfArchitecture):
    """What an iteration chose. weights: what became of its weights, as a state_dict; empty if they did not change."""

    arch: Architecture
    accuracy: float
    loss: float = math.nan
    weights: Mapping[str, Tensor] = field(default_factory=dict)
