"""What gradient searches share: one checkpointable object that the pipeline runs epoch by epoch."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

import torch
from torch import Tensor, nn

from surgenas.core.errors import SurgenasError, UsageError
from surgenas.core.seeds import derive
from surgenas.core.space import Space
from surgenas.predictors.base import Predictor

Step = tuple[float, float, float]


@dataclass(frozen=True, kw_only=True)
class EpochSummary:
    """What an epoch did, for the journal and the report. Losses are means over steps and paths."""

    epoch: int
    loss: float
    accuracy: float
    latency_ms: float
    multiplier: float
    skips: int
    path: tuple[int, ...]


class SearchConfig(Protocol):
    """What every method's settings have. warmup: share of the epochs that train weights only."""

    @property
    def epochs(self) -> int: ...
    @property
    def warmup(self) -> float: ...


class GradientSearch(ABC):
    """Everything a search changes: supernet, architecture parameters, optimizers, multiplier.

    default_space: where it searches if nothing else is asked for. Config: its settings, a frozen dataclass.
    longer: how many times more epochs it takes by default than a method that runs every operator in every step.
    supernet_kind: how weights are shared.
    """

    name: ClassVar[str]
    default_space: ClassVar[str]
    Config: ClassVar[type]
    longer: ClassVar[int] = 1
    supernet_kind: ClassVar[type[nn.Module]]

    def __init__(
        self,
        space: Space,
        config: Any,
        predictor: Predictor,
        limit_ms: float,
        *,
        steps_per_epoch: int,
        seed: int,
        device: torch.device,
    ) -> None:
        self.space, self.config, self.predictor, self.limit_ms = space, config, predictor, limit_ms
        self.seed, self.steps_per_epoch, self.device = seed, steps_per_epoch, device
        torch.manual_seed(derive(seed, "supernet"))
        self.supernet: Any = self.supernet_of(space).to(device).to(memory_format=torch.channels_last)
        self.start()

    @classmethod
    def supernet_of(cls, space: Space) -> nn.Module:
        """Freshly initialised; raises UsageError for a space that shares weights in another way."""
        supernet = space.supernet()
        if not isinstance(supernet, cls.supernet_kind):
            raise UsageError(
                f"{cls.name} searches in a {cls.supernet_kind.__name__}, which space {space.name!r} has not; use "
                f"--space {cls.default_space}"
            )
        return supernet

    @abstractmethod
    def start(self) -> None:
        """Make what the search changes beside the supernet, and refuse settings that do not go together."""

    @classmethod
    @abstractmethod
    def passes(cls, space: Space) -> int:
        """Forward passes of one path in a step."""

    @property
    @abstractmethod
    def epochs(self) -> int:
        """How many there are at most."""

    @property
    def finished(self) -> bool:
        """Is there nothing left to do, however many epochs there could be?"""
        return False

    @abstractmethod
    def step(self, images: Tensor, labels: Tensor, index: int) -> Step:
        """One mini-batch; returns (mean loss, accuracy, latency in ms or NaN)."""

    @abstractmethod
    def probabilities(self) -> Tensor:
        """(L, K): how much the search believes in each operator of each layer."""

    def path(self) -> tuple[int, ...]:
        """The operators that it would choose now."""
        return tuple(int(k) for k in self.probabilities().argmax(1))

    @abstractmethod
    def summary(self, known: dict[str, Any]) -> EpochSummary:
        """known: epoch, loss, accuracy, latency_ms, path, skips."""

    @abstractmethod
    def state_dict(self) -> dict[str, Any]:
        """All that an interrupted search needs to go on as if it had not been."""

    @abstractmethod
    def load_state_dict(self, state: dict[str, Any]) -> None:
        """The inverse."""

    def run_epoch(self, epoch: int, batches: Iterable[tuple[Tensor, Tensor]]) -> EpochSummary:
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
        path = self.path()
        genes = [choice.options[k] for choice, k in zip(self.space.choices, path, strict=True)]
        return self.summary(
            {"epoch": epoch, "loss": loss, "accuracy": accuracy, "latency_ms": latency_ms, "path": path,
             "skips": genes.count("skip")}
        )  # fmt: skip


class Multiplier:
    """Lambda of L + lambda (LAT/T - 1), learned by gradient ascent (SurgeNAS, sheet section 2); of either sign, so that
    the latency lands on the limit from both sides."""

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
