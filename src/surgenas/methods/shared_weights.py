"""What do searches that share weights have in common? A supernet, trained epoch by epoch, then asked for candidates."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from surgenas.core.architecture import Architecture
from surgenas.core.capabilities import SharesWeights, require
from surgenas.core.errors import SurgenasError, UsageError
from surgenas.core.seeds import derive
from surgenas.core.work import Epochs, Work
from surgenas.methods.base import Batches, EpochSummary, Latency, Needs, Problem
from surgenas.predictors.base import Predictor

Step = tuple[float, float, float]


def check_sharing(space: object, needs: Needs, method: str, default_space: str) -> None:
    """Raise UsageError for a space whose architectures share weights in no way that the method can train."""
    supernet = require(space, SharesWeights).supernet()
    if supernet.shares not in needs.shares:
        wanted = " or ".join(needs.shares)
        raise UsageError(
            f"{method} trains weights that are shared as {wanted}; space {getattr(space, 'name', space)!r} shares them "
            f"as {supernet.shares}; use --space {default_space}"
        )


class TrainsSharedWeights:
    """Settings whose meaning is the same in all of these methods.

    epochs: passes over the training images.
    weight_lr, momentum, weight_decay: of the SGD that trains the shared weights.
    clip: largest norm of their gradient.
    label_smoothing: of the cross-entropy.
    """


class SupernetSearch(ABC):
    """Everything a search changes: the supernet, its optimizer, and whatever the method adds. done: epochs so far."""

    def __init__(self, method: Any, problem: Problem) -> None:
        self.method, self.problem, self.config = method, problem, method
        self.space, self.limit_ms, self.seed = problem.space, problem.limit_ms, problem.seed
        self.steps_per_epoch, self.device = problem.steps_per_epoch, problem.accelerator
        self.held_out = problem.held_out.to(self.device) if problem.held_out else None
        self.done = 0
        check_sharing(self.space, method.needs(self.space), method.name, method.default_space)
        self.fresh_supernet()
        self.start()

    @property
    def predictor(self) -> Predictor:
        """Of latency."""
        assert self.problem.predictor is not None, "searches that share weights predict latency"
        return self.problem.predictor

    def fresh_supernet(self) -> None:
        """Make the supernet anew, with the same initial weights each time."""
        torch.manual_seed(derive(self.seed, "supernet"))
        supernet: Any = require(self.space, SharesWeights).supernet()
        self.supernet: Any = supernet.to(self.device).to(memory_format=torch.channels_last)

    @abstractmethod
    def start(self) -> None:
        """Make what the search changes beside the supernet, and refuse settings that do not go together."""

    @property
    def epochs(self) -> int:
        """How many there are at most."""
        return int(self.config.epochs)

    @property
    def finished(self) -> bool:
        """Is there nothing left to do, however many epochs there could be?"""
        return False

    @abstractmethod
    def step(self, images: Tensor, labels: Tensor, index: int) -> Step:
        """One mini-batch; returns (mean loss, accuracy, latency in ms or NaN)."""

    @abstractmethod
    def propose(
        self, latency_ms: Latency, window_ms: tuple[float, float], count: int, rng: np.random.Generator
    ) -> list[Architecture]:
        """As `methods.base.Search` has it."""

    @abstractmethod
    def largest(self) -> Architecture:
        """What it would choose were there no limit."""

    @abstractmethod
    def summary(self, known: dict[str, Any]) -> EpochSummary:
        """known: epoch, loss, accuracy, latency_ms."""

    @abstractmethod
    def state_dict(self) -> dict[str, Any]:
        """All that an interrupted search needs to go on as if it had not been, but for `done`."""

    @abstractmethod
    def load_state_dict(self, state: dict[str, Any]) -> None:
        """The inverse."""

    def ask(self) -> Sequence[Work]:
        """The next epoch."""
        left = not self.finished and self.done < self.epochs + self.problem.extra
        return [Epochs(self.done)] if left else []

    def tell(self, work: Work, result: Batches) -> Sequence[EpochSummary]:
        """Train on the batches of an epoch."""
        assert isinstance(work, Epochs), "nothing else was asked for"
        summary = self.run_epoch(work.number, result)
        self.done = work.number + 1
        return [summary]

    def run_epoch(self, epoch: int, batches: Batches) -> EpochSummary:
        """One pass over the training images."""
        torch.manual_seed(derive(self.seed, "search-epoch", epoch))
        self.supernet.train()
        rows = [
            self.step(images.to(self.device), labels.to(self.device), epoch * self.steps_per_epoch + i)
            for i, (images, labels) in enumerate(batches)
        ]
        loss, accuracy, latency_ms = (sum(column) / len(column) for column in zip(*rows, strict=True))
        if not math.isfinite(loss):
            raise SurgenasError(
                f"the search diverged in epoch {epoch + 1} (loss {loss}); try a smaller learning rate: "
                "--set weight_lr=0.02"
            )
        return self.summary({"epoch": epoch, "loss": loss, "accuracy": accuracy, "latency_ms": latency_ms})
