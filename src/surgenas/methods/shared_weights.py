"""What do searches that share weights have in common? A supernet, trained epoch by epoch, then asked for candidates."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from surgenas.core.architecture import Architecture
from surgenas.core.capabilities import SharesWeights, require
from surgenas.core.errors import SurgenasError, UsageError
from surgenas.core.moves import path_of
from surgenas.core.seeds import derive
from surgenas.core.space import Space
from surgenas.core.work import Epochs, Work
from surgenas.methods.base import Batches, EpochSummary, Latency, Needs, Problem, check_held
from surgenas.nn.precision import in_float32, in_precision
from surgenas.nn.ranks import ALONE, Ranks
from surgenas.nn.synchronised import synchronised
from surgenas.predictors.base import Predictor

GENTLE = 0.1
"""Weights that are trained already are trained on at this share of the learning rate."""
Step = tuple[float, float, float]
"""What a training step returns: mean loss, accuracy (0 to 1), latency in ms or NaN."""


def make_shared(space: object, needs: Needs, method: str, default_space: str) -> Any:
    """A supernet of the space, freshly initialised.

    Raises UsageError for a space whose architectures share weights in no way that the method can train.
    """
    supernet = require(space, SharesWeights).supernet()
    if supernet.shares not in needs.shares:
        wanted = " or ".join(needs.shares)
        raise UsageError(
            f"{method} trains weights that are shared as {wanted}; space {getattr(space, 'name', space)!r} shares them "
            f"as {supernet.shares}; use --space {default_space}"
        )
    return supernet


def check_even(space: Space, method: str) -> None:
    """Raise UsageError if rows of the space have unequally many operators, which gates of one shape cannot say."""
    if len(set(space.offered.sum(1).tolist())) > 1:
        raise UsageError(
            f"{method} needs equally many operators in every layer, which space {space.name!r} has not; use spos, or a "
            "method that trains its candidates"
        )


class TrainsSharedWeights:
    """Settings that mean the same in all methods that share weights.

    epochs: passes over the training images.
    weight_lr: learning rate of the SGD that trains the shared weights; a tenth of it if they begin with trained ones.
    momentum: momentum of that SGD.
    weight_decay: weight decay of the shared weights.
    clip: largest norm of the gradient of the shared weights.
    label_smoothing: label smoothing of the cross-entropy.
    """


def train_step(
    network: nn.Module, optimizer: torch.optim.Optimizer, criterion: nn.Module, logits: Tensor, labels: Tensor,
    clip: float, ranks: Ranks = ALONE,
) -> Step:  # fmt: skip
    """One step of an optimizer on what a network said of one mini-batch. clip: as in `descend`."""
    optimizer.zero_grad()
    loss = criterion(logits, labels)
    ranks.weighed(loss).backward()
    descend(network, optimizer, clip, ranks)
    return float(loss.detach()), float((logits.detach().argmax(1) == labels).float().mean()), math.nan


def descend(network: nn.Module, optimizer: torch.optim.Optimizer, clip: float, ranks: Ranks) -> None:
    """One step of an optimizer along the gradients of all processes. clip: largest norm of the gradient."""
    ranks.sum_(parameter.grad for parameter in network.parameters())
    nn.utils.clip_grad_norm_(network.parameters(), clip)
    optimizer.step()


class SupernetSearch(ABC):
    """A search that trains a supernet, epoch by epoch. It holds all that changes: the supernet, its optimizer, and what
    the method adds.

    done: how many epochs were trained. ranks: the processes that take the present step.
    """

    def __init__(self, method: Any, problem: Problem) -> None:
        self.method, self.problem, self.config = method, problem, method
        self.space, self.limit_ms, self.seed = problem.space, problem.limit_ms, problem.seed
        self.steps_per_epoch, self.device = problem.steps_per_epoch, problem.accelerator
        self.held_out = problem.held_out.to(self.device) if problem.held_out else None
        check_held(method.name, method.needs(self.space), len(self.held_out.images) if self.held_out else 0)
        self.done, self.ranks = 0, ALONE
        self.make_supernet()
        self.start()

    @property
    def predictor(self) -> Predictor:
        """The latency predictor of the problem."""
        assert self.problem.predictor is not None, "searches that share weights predict latency"
        return self.problem.predictor

    def predicted_ms(self, gates_NLK: Tensor) -> Tensor:
        """What the predictor says of gates (N, L, K): (N,) in ms, in full precision also in the middle of a step."""
        with in_float32(gates_NLK.device):
            return self.predictor.predict_relaxed(gates_NLK)

    def make_supernet(self) -> None:
        """Make a new supernet, with the same initial weights each time; errors as of `make_shared`."""
        torch.manual_seed(derive(self.seed, "supernet"))
        needs = self.method.needs(self.space)
        supernet = make_shared(self.space, needs, self.method.name, self.method.default_space)
        if self.problem.start is not None:
            supernet.begin_with(self.problem.start)
        self.supernet: Any = supernet.to(self.device).to(memory_format=torch.channels_last)

    @property
    def first_lr(self) -> float:
        """The first learning rate of the shared weights."""
        return float(self.config.weight_lr) * (GENTLE if self.problem.start is not None else 1.0)

    @property
    def offered(self) -> Tensor:
        """Whether layer l has an operator k, (L, K).

        Raises UsageError if layers have unequally many, unless they share the weights of the largest."""
        if self.supernet.shares != "elastic":
            check_even(self.space, self.config.name)
        return torch.from_numpy(self.space.offered)

    @abstractmethod
    def start(self) -> None:
        """Create what the method adds to the supernet; raises UsageError for settings that do not fit the space."""

    @property
    def epochs(self) -> int:
        """How many epochs the settings ask for at most."""
        return int(self.config.epochs)

    @property
    def most_events(self) -> int:
        return self.epochs + self.problem.extra

    @property
    def finished(self) -> bool:
        """May the search end before all epochs are trained?"""
        return False

    @abstractmethod
    def train_on(self, images: Tensor, labels: Tensor, index: int) -> Step:
        """Train on one mini-batch, or on this process's slice of one; a method decides by what `ranks` has summed over
        all of it. index: number of the step, counted from 0 over all epochs."""

    @abstractmethod
    def propose(
        self, latency_ms: Latency, window_ms: tuple[float, float], count: int, rng: np.random.Generator
    ) -> list[Architecture]:
        """As `methods.base.Search`."""

    @abstractmethod
    def largest(self) -> Architecture:
        """As `methods.base.Search`."""

    @abstractmethod
    def summary(self, known: dict[str, Any]) -> EpochSummary:
        """The summary of an epoch. known: its epoch, loss, accuracy and latency_ms."""

    @abstractmethod
    def own_state(self) -> dict[str, Any]:
        """All that an interrupted search needs to continue as if it had not been interrupted, except for `done`."""

    @abstractmethod
    def load_own_state(self, state: dict[str, Any]) -> None:
        """Continue from what `own_state` returned."""

    def state_dict(self) -> dict[str, Any]:
        """As `methods.base.Search`."""
        return {**self.own_state(), "done": self.done}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """As `methods.base.Search`."""
        self.load_own_state(state)
        self.done = int(state["done"])

    def weights_of(self, arch: Architecture) -> dict[str, Tensor]:
        """As `methods.base.HoldsWeights`."""
        network = self.space.build(arch)
        found: dict[str, Tensor] = self.supernet.cut(path_of(self.space, arch), network).state_dict()
        return found

    def ask(self) -> Sequence[Work]:
        """The next epoch; empty if none is left."""
        left = not self.finished and self.done < self.epochs + self.problem.extra
        return [Epochs(self.done)] if left else []

    def tell(self, work: Work, result: Batches) -> Sequence[EpochSummary]:
        """Train on the batches of an epoch that was asked for."""
        assert isinstance(work, Epochs), "nothing else was asked for"
        summary = self.run_epoch(work.number, result)
        self.done = work.number + 1
        return [summary]

    def run_epoch(self, epoch: int, batches: Batches) -> EpochSummary:
        """Train for one pass over the images. Raises SurgenasError if the loss is no longer finite."""
        gather = self.problem.gather
        loss, accuracy, latency_ms = gather(self, epoch) if gather else self.train_epoch(epoch, batches)
        if not math.isfinite(loss):
            raise SurgenasError(
                f"the search diverged in epoch {epoch + 1} (loss {loss}); try a smaller learning rate: "
                "--set weight_lr=0.02"
            )
        return self.summary({"epoch": epoch, "loss": loss, "accuracy": accuracy, "latency_ms": latency_ms})

    def train_epoch(self, epoch: int, batches: Batches, ranks: Ranks = ALONE) -> Step:
        """Take a step for each batch, together with the other ranks, and return the means over the epoch's steps."""
        torch.manual_seed(derive(self.seed, "search-epoch", epoch))
        self.supernet.train()
        rows = []
        for i, (images, labels) in enumerate(batches):
            rows.append(self.step(images, labels, epoch * self.steps_per_epoch + i, ranks))
        loss, accuracy, latency_ms = (sum(column) / len(column) for column in zip(*rows, strict=True))
        return loss, accuracy, latency_ms

    def step(self, images: Tensor, labels: Tensor, index: int, ranks: Ranks = ALONE) -> Step:
        """Train on one mini-batch together with the other ranks: `train_on`, averaged over all of it."""
        self.ranks = ranks.of_batch(len(labels))
        with synchronised(self.ranks), in_precision(self.problem.precision, self.device):
            own = self.train_on(images.to(self.device), labels.to(self.device), index)
        loss, accuracy, latency_ms = self.ranks.mean(torch.tensor(own, dtype=torch.float64)).tolist()
        return loss, accuracy, latency_ms
