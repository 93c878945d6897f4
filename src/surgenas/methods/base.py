"""What searches that share weights have in common: one checkpointable object that a run trains epoch by epoch, and
asks for candidates afterwards."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

import numpy as np
import torch
from torch import Tensor, nn

from surgenas.core.architecture import Architecture
from surgenas.core.errors import SurgenasError, UsageError
from surgenas.core.seeds import derive
from surgenas.core.space import Floats, Space
from surgenas.methods.candidates import HeldOut
from surgenas.predictors.base import Predictor

Step = tuple[float, float, float]
Latency = Callable[[Sequence[Architecture]], Floats]


@dataclass(frozen=True, kw_only=True)
class EpochSummary:
    """What an epoch did, for the journal and the report. Losses are means over steps and paths."""

    epoch: int
    loss: float
    accuracy: float
    latency_ms: float


class SearchConfig(Protocol):
    """What every method's settings have. warmup: share of the epochs that train weights only."""

    @property
    def epochs(self) -> int: ...
    @property
    def warmup(self) -> float: ...


class SupernetSearch(ABC):
    """Everything a search changes: the supernet, its optimizer, and whatever the method adds.

    default_space: where it searches if nothing else is asked for. Config: its settings, a frozen dataclass.
    longer: how many times more epochs it takes by default than a method that runs every operator in every step.
    least_steps: on small data sets it takes as many epochs as make these.
    supernet_kind: how weights are shared. holds_out: does it judge candidates by images that it does not train on?
    selects: does it choose a device's operators first?
    """

    name: ClassVar[str]
    default_space: ClassVar[str]
    Config: ClassVar[type]
    longer: ClassVar[float] = 1.0
    least_steps: ClassVar[int] = 0
    supernet_kind: ClassVar[type[nn.Module]]
    holds_out: ClassVar[bool] = False
    selects: ClassVar[bool] = False

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
        held_out: HeldOut | None = None,
    ) -> None:
        self.space, self.config, self.predictor, self.limit_ms = space, config, predictor, limit_ms
        self.seed, self.steps_per_epoch, self.device = seed, steps_per_epoch, device
        self.held_out = held_out.to(device) if held_out else None
        self.fresh_supernet()
        self.start()

    def fresh_supernet(self) -> None:
        """The same initial weights each time."""
        torch.manual_seed(derive(self.seed, "supernet"))
        self.supernet: Any = self.supernet_of(self.space).to(self.device).to(memory_format=torch.channels_last)

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

    @classmethod
    def candidates(cls, config: Any) -> int:
        """How many it judges at most by images held out, for the plan."""
        return 0

    @classmethod
    def additive(cls, settings: Mapping[str, Any]) -> bool:
        """Does it need, set so, a predictor that is a sum over layers?"""
        return False

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
    def propose(
        self, latency_ms: Latency, window_ms: tuple[float, float], count: int, rng: np.random.Generator
    ) -> list[Architecture]:
        """Up to `count` different networks whose predicted latency lies in the window, what the search prefers first.

        A function of what `state_dict` holds: a resumed search proposes the same.
        """

    @abstractmethod
    def largest(self) -> Architecture:
        """What it would choose were there no limit."""

    @abstractmethod
    def summary(self, known: dict[str, Any]) -> EpochSummary:
        """known: epoch, loss, accuracy, latency_ms."""

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
        return self.summary({"epoch": epoch, "loss": loss, "accuracy": accuracy, "latency_ms": latency_ms})
