"""What can be set of a search that shrinks a network: how it trains, and how large its steps are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

from pydantic import Field

from surgenas.core.bounds import Count, NotNegative, Positive, Share
from surgenas.methods.shared_weights import TrainsSharedWeights


@dataclass(frozen=True, kw_only=True)
class Shrinking(TrainsSharedWeights):
    """Settings of a search that shrinks a network step by step.

    step: the latency that the first iteration shall save, as a share of the first network's.
    decay: each iteration shall save so many times what the one before should.
    iterations: how many there are at most.
    """

    name: ClassVar[str]
    default_space: ClassVar[str] = "elastic"

    epochs: Count = 20
    weight_lr: Positive = 0.1
    momentum: Share = 0.9
    weight_decay: NotNegative = 1e-4
    clip: Positive = 5.0
    label_smoothing: Share = 0.1
    step: Annotated[float, Field(gt=0, lt=1)] = 0.05
    decay: Annotated[float, Field(gt=0, le=1)] = 0.96
    iterations: Count = 40

    def reach(self, iterations: int) -> float:
        """What so many iterations together shall save, as a share of the first latency."""
        return self.step * sum(self.decay**i for i in range(iterations))

    @property
    def halving(self) -> int:
        """How many iterations save half of the first latency."""
        return next((n for n in range(1, self.iterations) if self.reach(n) >= 1 / 2), self.iterations)
