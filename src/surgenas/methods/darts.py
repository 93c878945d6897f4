"""DARTS: all operators at once, weighted by what a second half of the images prefers; and DARTS-PT, which selects anew.

Liu, Simonyan, Yang: "DARTS: Differentiable Architecture Search", ICLR 2019, arXiv 1806.09055. DARTS-PT is in
perturbation.py. What is published and what is ours: docs/methods/darts.md.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
from torch import Tensor
from torch.func import functional_call

from surgenas.core import moves
from surgenas.core.bounds import Count, NotNegative, Positive, Share
from surgenas.core.errors import UsageError
from surgenas.core.space import Space
from surgenas.methods.base import LEAST_HELD, Needs, Problem
from surgenas.methods.gradient import Multiplier
from surgenas.methods.halves import second_half
from surgenas.methods.logits import travelling
from surgenas.methods.perturbation import weights_with
from surgenas.methods.selecting import SelectingEpoch, SelectingSearch, selecting
from surgenas.methods.shared_weights import TrainsSharedWeights, descend
from surgenas.methods.unrolled import Batch, unrolled_gradient
from surgenas.nn.frozen import frozen
from surgenas.nn.ranks import Ranks
from surgenas.nn.supernet import Gates


@dataclass(frozen=True, kw_only=True)
class DARTS(TrainsSharedWeights):
    """DARTS: all operators at once, weighted by what a second half of the images prefers. Where settings differ from
    the authors' CIFAR-10 ones, they are scaled to short searches.

    last_lr: the learning rate of the weights at the end; of tuning, a tenth of weight_lr.
    alpha_lr: learning rate of the logits, at least 3e-4 in any case; 0 derives it from `alpha_travel`.
    alpha_travel: about how far a logit can move in the whole search.
    alpha_decay: weight decay of the logits.
    fixed: all operators keep equal weights; with selection=perturbation this is what its authors call fix-alpha.
    order: "first" takes the weights as they are when the logits learn, "second" as they would be after one step more.
    selection: "magnitude" prefers operators of large weight, "perturbation" those without which accuracy is lost most.
    tuning: epochs that train the weights on, after each decision of selection=perturbation but the last; 5 in the
    paper, whose search has 50 epochs.
    """

    name: ClassVar[str] = "darts"
    default_space: ClassVar[str] = "darts"

    epochs: Count = 20
    weight_lr: Positive = 0.025
    last_lr: NotNegative = 0.001
    momentum: Share = 0.9
    weight_decay: NotNegative = 3e-4
    clip: Positive = 5.0
    label_smoothing: Share = 0.0
    alpha_lr: NotNegative = 0.0
    alpha_travel: Positive = 6.0
    alpha_decay: NotNegative = 1e-3
    fixed: bool = False
    order: Literal["first", "second"] = "first"
    selection: Literal["magnitude", "perturbation"] = "magnitude"
    tuning: Count = 1

    def __post_init__(self) -> None:
        if self.fixed and self.selection == "magnitude":
            raise UsageError(
                "fixed=true leaves all operators equal, so that none is largest; use selection=perturbation"
            )

    def needs(self, space: Space) -> Needs:
        operators = int(space.offered.sum(1).max())
        passes = 1 if self.fixed else 6 if self.order == "second" else 2
        needs = Needs(
            shares=("cells", "choice"), data="halves", least_held=LEAST_HELD, cost="any",
            passes=operators * passes,
            together=True,
        )  # fmt: skip
        return selecting(needs, space, self.tuning) if self.selection == "perturbation" else needs

    def begin(self, problem: Problem) -> DARTSSearch:
        return DARTSSearch(self, problem)


@dataclass(frozen=True, kw_only=True)
class DARTSPT(DARTS):
    """DARTS-PT: DARTS's supernet, of which those operators stay whose absence costs the most accuracy."""

    name: ClassVar[str] = "darts-pt"

    selection: Literal["magnitude", "perturbation"] = "perturbation"


@dataclass(frozen=True, kw_only=True)
class DARTSEpoch(SelectingEpoch):
    """The summary of an epoch.

    held_accuracy: on the second half of the images, averaged over the steps; NaN while nothing is learned from it.
    entropy: of the operator probabilities, mean over rows, in nats. chosen_ms: predicted latency of the network that
    the search would choose now, which stands also for `latency_ms` where no term of the loss counts latency.
    """

    held_accuracy: float
    entropy: float
    chosen_ms: float


class DARTSSearch(SelectingSearch):
    """Trains weights on one half of the images and logits on the other; then, if wanted, decides edge by edge."""

    config: DARTS

    def start(self) -> None:
        super().start()
        c = self.config
        alpha_lr = travelling(c.alpha_lr, c.alpha_travel, c.epochs * self.steps_per_epoch, least=3e-4)
        self.begin_logits(self.offered.to(self.device), Multiplier(0.0, 0.0), alpha_lr)
        if c.fixed:
            self.logits_LK.data.zero_()

    # --- one step

    def train_on(self, images: Tensor, labels: Tensor, index: int) -> tuple[float, float, float]:
        """Update the logits on images of the second half, then the weights on these. Returns loss, accuracy, latency in
        ms."""
        latency_ms = math.nan if self.config.fixed else self._alpha_step(images, labels, index)
        self.weight_optimizer.param_groups[0]["lr"] = self._weight_lr(index)
        self.weight_optimizer.zero_grad()
        logits = self.supernet(images, Gates(self._weights().detach(), None))
        loss = self.criterion(logits, labels)
        self.ranks.weighed(loss).backward()
        descend(self.supernet, self.weight_optimizer, self.config.clip, self.ranks)
        return float(loss.detach()), float((logits.detach().argmax(1) == labels).float().mean()), latency_ms

    def _weight_lr(self, index: int) -> float:
        c, total = self.config, self.config.epochs * self.steps_per_epoch
        if index >= total:
            return self.first_lr / 10
        last = min(c.last_lr, self.first_lr)
        return last + (self.first_lr - last) * 0.5 * (1 + math.cos(math.pi * index / total))

    def _alpha_step(self, images: Tensor, labels: Tensor, index: int) -> float:
        assert self.held_out is not None, "checked at the start"
        held_images, held_labels, held = second_half(self.held_out, self.seed, index, self.ranks)
        gradient, logits = self._first_order(held_images, held_labels, held)
        if self.config.order == "second":
            gradient = unrolled_gradient(
                self.supernet, self.weight_optimizer, self._loss, self.logits_LK, train=(images, labels),
                held=(held_images, held_labels), lr=self._weight_lr(index), ranks=(self.ranks, held),
            )  # fmt: skip
        self.seen.append(float(held.mean((logits.argmax(1) == held_labels).float().mean())))
        latency_grad, latency_ms = self.latency_term(index)
        self.logits_LK.grad = gradient if latency_grad is None else gradient + latency_grad
        self.alpha_optimizer.step()
        return latency_ms

    def latency_term(self, index: int) -> tuple[Tensor | None, float]:
        """(gradient (L, K) of the latency's part of the loss, latency in ms); DARTS has none."""
        return None, math.nan

    def _loss(self, batch: Batch, weights: Mapping[str, Tensor]) -> Tensor:
        """The loss on a batch with these weights of the supernet, by name."""
        images, labels = batch
        said = functional_call(self.supernet, dict(weights), (images, Gates(self._weights(), None)))
        found: Tensor = self.criterion(said, labels)
        return found

    def _first_order(self, images: Tensor, labels: Tensor, ranks: Ranks) -> tuple[Tensor, Tensor]:
        """(gradient (L, K) of the loss on these images for the logits, what the network says of this process's)."""
        with frozen(self.supernet):
            said = self.supernet(images, Gates(self._weights(), None))
            (gradient,) = ranks.gradients(self.criterion(said, labels), [self.logits_LK])
        return gradient, said.detach()

    # --- what operators weigh

    def _weights(self) -> Tensor:
        """What the operators weigh in the supernet, (L, K), with all that is decided."""
        return weights_with(self.decisions, self.offered_logits().softmax(dim=1))

    # --- epochs and state

    def summary(self, known: dict[str, Any]) -> DARTSEpoch:
        chosen_ms = float(self.predictor.predict(moves.encode(self.space, [self.largest()]))[0])
        if math.isnan(known["latency_ms"]):
            known["latency_ms"] = chosen_ms
        return DARTSEpoch(
            **self.add_path(known), held_accuracy=float(np.mean(self.seen)) if self.seen else math.nan,
            entropy=self.entropy(),
            chosen_ms=chosen_ms, **self.selected(),
        )  # fmt: skip
