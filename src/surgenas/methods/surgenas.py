"""SurgeNAS: one-level differentiable search, on the latency limit, with the memory of a single path.

Luo, Liu, Kong, Huai, Chen, Liu: "SurgeNAS: A Comprehensive Surgery on Hardware-Aware Differentiable Neural
Architecture Search", IEEE Trans. Computers 72(4), 2023. A reconstruction from the abstract and the authors' later
public code (docs/methods/surgenas.md).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor

from surgenas.core import moves
from surgenas.core.bounds import Count, NotNegative, Positive, Share
from surgenas.core.capabilities import ThinsOut
from surgenas.core.catalog import look_up
from surgenas.core.errors import UsageError
from surgenas.core.seeds import derive
from surgenas.core.space import Space
from surgenas.methods import SAMPLERS
from surgenas.methods.base import Needs, Problem
from surgenas.methods.gradient import Multiplier, cosine
from surgenas.methods.logits import travelling
from surgenas.methods.samplers import Sampler
from surgenas.methods.selecting import SelectingEpoch, SelectingSearch, selecting
from surgenas.methods.shared_weights import TrainsSharedWeights, descend
from surgenas.nn.supernet import Gates


@dataclass(frozen=True, kw_only=True)
class SurgeNAS(TrainsSharedWeights):
    """Settings of one search. Where they differ from the authors' ImageNet ones, they are scaled to short searches.

    warmup: share of the epochs that train weights only.
    alpha_lr: learning rate of the logits, at least 1e-3 in any case; 0 derives it from `alpha_travel`.
    alpha_travel: about how far a logit can move in the whole search.
    alpha_decay: weight decay of the logits.
    tau_start, tau_end: temperature of the draws after the warm-up and at the end.
    eta: strength of the shortcuts of identity mapping regularization, fading to 0 (docs/methods/surgenas.md, 3).
    sampler: how the paths of a step are drawn (methods/samplers.py).
    estimator: how the gradient of the logits is estimated; "both" sums path credit and the straight-through gradient of
    the first draw, an exact sample of softmax(logits), each normalised (docs/methods/surgenas.md, 4). On an elastic
    network it is path credit.
    leak: give every gate of a layer the sum over dL/dh, as the authors' later code does.
    loss: "multiplier" learns lambda by gradient ascent, of either sign, so that the latency is drawn to the limit from
    both sides; "penalty" adds lambda LAT/T and "absolute" lambda |LAT/T - 1|, lambda being `latency_weight`.
    latency_weight: lambda where it is not learned.
    multiplier_lr: learning rate of lambda.
    damping: weight of the present violation of the limit, which is added to lambda.
    selection: "magnitude" prefers operators of large probability, "perturbation" those without which accuracy is lost
    most (methods/perturbation.py).
    tuning: epochs that train the weights on, after each decision of selection=perturbation but the last.
    """

    name: ClassVar[str] = "surgenas"
    default_space: ClassVar[str] = "mobile"

    epochs: Count = 20
    warmup: Share = 0.25
    weight_lr: Positive = 0.1
    momentum: Share = 0.9
    weight_decay: NotNegative = 3e-5
    clip: Positive = 5.0
    label_smoothing: Share = 0.1
    alpha_lr: NotNegative = 0.0
    alpha_travel: Positive = 8.0
    alpha_decay: NotNegative = 1e-3
    tau_start: Positive = 5.0
    tau_end: Positive = 0.5
    eta: NotNegative = 1.0
    sampler: Literal["ods", "fair", "gdas", "spos", "darts"] = "ods"
    estimator: Literal["path-credit", "straight-through", "both"] = "both"
    leak: bool = False
    loss: Literal["multiplier", "penalty", "absolute"] = "multiplier"
    latency_weight: NotNegative = 1.0
    multiplier_lr: NotNegative = 0.05
    damping: NotNegative = 4.0
    selection: Literal["magnitude", "perturbation"] = "magnitude"
    tuning: Count = 1

    def __post_init__(self) -> None:
        if self.sampler in ("gdas", "spos", "darts") and self.estimator != "straight-through":
            raise UsageError(
                f"sampler {self.sampler!r} runs one path a step: path credit compares several; "
                "use the estimator straight-through"
            )
        if self.sampler == "fair" and self.estimator != "path-credit":
            raise UsageError("sampler 'fair' draws without gradient: use the estimator path-credit")
        if self.epochs > 1 and round(self.epochs * self.warmup) >= self.epochs:
            raise UsageError(
                f"epochs {self.epochs}, warmup {self.warmup}: after the warm-up no epoch is left to search in; ask for "
                "more epochs"
            )

    def needs(self, space: Space) -> Needs:
        options = int(space.offered.sum(1).max())
        passes = 1 if self.sampler in ("gdas", "spos") else options
        needs = Needs(shares=("choice", "cells", "elastic"), cost="relaxed", passes=passes)
        return selecting(needs, space, self.tuning) if self.selection == "perturbation" else needs

    def begin(self, problem: Problem) -> SurgeNASSearch:
        return SurgeNASSearch(self, problem)


@dataclass(frozen=True, kw_only=True)
class SurgeNASEpoch(SelectingEpoch):
    """The summary of an epoch. tau, eta: their values at its start. entropy: of the operator probabilities, mean over
    layers, in nats."""

    tau: float
    eta: float
    entropy: float


class SurgeNASSearch(SelectingSearch):
    """Trains the supernet, the logits of the operators, and the multiplier of the latency, all in one loop."""

    config: SurgeNAS

    def start(self) -> None:
        super().start()
        c = self.config
        self.sampler: Sampler = look_up("sampler", c.sampler, SAMPLERS)
        self.estimator = c.estimator
        if self.supernet.shares == "elastic":  # sizes that share weights have no gates: only losses of paths tell
            if c.sampler not in ("ods", "fair"):
                raise UsageError(f"sampler {c.sampler!r} compares no paths, as sizes that share weights need; use ods")
            if self.events:
                raise UsageError("selection=perturbation takes operators away; sizes that share weights have none")
            self.estimator = "path-credit"
        searched = (c.epochs - self.warmup_epochs) * self.steps_per_epoch
        alpha_lr = travelling(c.alpha_lr, c.alpha_travel, searched, least=1e-3)
        self.begin_logits(self.offered, Multiplier(c.multiplier_lr, c.damping), alpha_lr)

    # --- schedules (docs/methods/surgenas.md, 2 and docs/methods/surgenas.md, 3): functions of the step alone,
    # which keep their end values past the last epoch

    @property
    def warmup_epochs(self) -> int:
        return round(self.config.epochs * self.config.warmup)

    def _schedule(self, step: int) -> tuple[float, float, float]:
        """(weight learning rate, tau, eta) at a step that is counted from 0."""
        c, warm = self.config, self.warmup_epochs * self.steps_per_epoch
        total = c.epochs * self.steps_per_epoch
        done = min(1.0, step / total)
        searched = min(1.0, max(0, step - warm) / max(1, total - warm))
        last_epoch_start = max(warm + 1, total - self.steps_per_epoch)
        fading = min(1.0, max(0, step - warm) / (last_epoch_start - warm))
        return cosine(self.first_lr, done), c.tau_start * (c.tau_end / c.tau_start) ** searched, c.eta * (1 - fading)

    # --- one step (docs/methods/surgenas.md, 4)

    def train_on(self, images: Tensor, labels: Tensor, index: int) -> tuple[float, float, float]:
        """Run all paths of one draw on one mini-batch, then update weights and logits. Returns mean loss, accuracy,
        latency in ms.

        The paths share the stem, so it runs once; its gradient is linear in the sum of theirs.
        """
        lr, tau, eta = self._schedule(index)
        searching = index >= self.warmup_epochs * self.steps_per_epoch
        paths = self._draw(tau, index, searching)
        self.weight_optimizer.param_groups[0]["lr"] = lr
        self.weight_optimizer.zero_grad()
        losses, correct, gate_grads = [], torch.zeros((), device=self.device), []
        stem = self.supernet.stem(images)
        shared = stem.detach().requires_grad_(stem.requires_grad)
        for i, gates in enumerate(paths):
            heard = i == 0 or self.estimator == "straight-through"
            weights = gates.weights.detach().requires_grad_(heard and gates.weights.requires_grad)
            logits = self.supernet.after_stem(shared, Gates(weights, gates.path, self.config.leak), eta)
            loss = self.criterion(logits, labels)
            self.ranks.weighed(loss).backward()
            losses.append(loss.detach())
            correct += (logits.detach().argmax(1) == labels).float().mean()
            gate_grads.append(weights.grad)
        if shared.grad is not None:  # else every path met an operator that forgets its input
            stem.backward(shared.grad)
        descend(self.supernet, self.weight_optimizer, self.config.clip, self.ranks)
        losses_K = self.ranks.mean(torch.stack(losses))
        self.ranks.sum_(gate_grads)
        learning = searching and bool(losses_K.isfinite().all())  # else the epoch ends in what to do about it
        latency_ms = self._alpha_step(paths, losses_K, gate_grads) if learning else math.nan
        return float(losses_K.mean()), float(correct) / len(paths), latency_ms

    def _draw(self, tau: float, index: int, searching: bool) -> list[Gates]:
        generator = torch.Generator().manual_seed(derive(self.seed, "paths", index))
        with torch.set_grad_enabled(searching and self.estimator != "path-credit"):
            return self.sampler(self.offered_logits(), tau, generator)

    def _alpha_step(self, paths: Sequence[Gates], losses_K: Tensor, gate_grads: Sequence[Tensor | None]) -> float:
        """Update logits and multiplier, and return the latency in ms. The K cross-entropies are summed, so the latency
        term counts K times."""
        accuracy_grad = self._accuracy_gradient(paths, losses_K, gate_grads)
        latency_ms = self._latency(paths[0])
        (latency_grad,) = torch.autograd.grad(self._latency_loss(latency_ms) * len(paths), self.logits_LK)
        self.logits_LK.grad = accuracy_grad + latency_grad
        self.alpha_optimizer.step()
        value = float(latency_ms.detach())
        if self.config.loss == "multiplier":
            self.multiplier.learn(value / self.limit_ms)
        return value

    def _accuracy_gradient(
        self, paths: Sequence[Gates], losses_K: Tensor, gate_grads: Sequence[Tensor | None]
    ) -> Tensor:
        estimator = self.estimator
        if estimator == "path-credit":
            return path_credit(self.offered_logits().detach(), paths, losses_K)
        heard = [(path.weights, grad) for path, grad in zip(paths, gate_grads, strict=True) if grad is not None]
        if not heard:  # a sampler without gradient (SPOS): only latency moves the logits
            return torch.zeros_like(self.logits_LK)
        outputs, grads = zip(*heard, strict=True)
        (through,) = torch.autograd.grad(outputs, self.logits_LK, grads, retain_graph=True)
        if estimator == "straight-through":
            return through
        credit = path_credit(self.offered_logits().detach(), paths, losses_K)
        return _normalised(through) + _normalised(credit)

    def _latency(self, first: Gates) -> Tensor:
        """Predicted latency of the first draw, an exact sample of softmax(logits); its gradient is straight-through
        (docs/methods/surgenas.md, 5). Where gates were drawn without gradient, it flows through the probabilities."""
        y_LK = first.weights.cpu()
        if not y_LK.requires_grad:
            p_LK = self.offered_logits().softmax(dim=1)
            y_LK = y_LK + p_LK - p_LK.detach()
        if isinstance(self.space, ThinsOut):  # of the edges that were drawn, a network has the most probable ones
            likely_LK = (y_LK * self.offered_logits().softmax(dim=1)).detach()
            y_LK = torch.from_numpy(moves.nearest_codes(self.space, likely_LK[None].numpy())[0]).to(y_LK) + (
                y_LK - y_LK.detach()
            )
        return self.predicted_ms(y_LK[None])[0]

    def _latency_loss(self, latency_ms: Tensor) -> Tensor:
        relative = latency_ms / self.limit_ms
        if self.config.loss == "multiplier":
            return self.multiplier.loss(relative)
        return self.config.latency_weight * ((relative - 1).abs() if self.config.loss == "absolute" else relative)

    # --- epochs and state

    def summary(self, known: dict[str, Any]) -> SurgeNASEpoch:
        _, tau, eta = self._schedule(known["epoch"] * self.steps_per_epoch)
        selected = self.selected() if self.events else {}
        return SurgeNASEpoch(**self.add_path(known), tau=tau, eta=eta, entropy=self.entropy(), **selected)


def path_credit(logits_LK: Tensor, paths: Sequence[Gates], losses_K: Tensor) -> Tensor:
    """The gradient (L, K) of the loss for the logits, from the losses of the K paths of one ordering
    (docs/methods/surgenas.md, 4):

    A_{l,k} = (L_{i(l,k)} - mean L) / std L, where path i(l,k) used operator k in layer l;
    dL/da_{l,m} = p_m (A_{l,m} - sum_k p_k A_{l,k}).

    A layer of fewer operators has run some of them in several paths, whose scores are averaged; its other logits are
    -inf.
    """
    order_KL = torch.tensor([path.path for path in paths])
    scores_K = ((losses_K - losses_K.mean()) / (losses_K.std(correction=0) + 1e-12)).to(logits_LK)
    scores_LK = scores_K.expand(len(logits_LK), -1)
    total_LK, times_LK = (
        torch.zeros_like(logits_LK).scatter_add_(1, order_KL.T, values)
        for values in (scores_LK, torch.ones_like(scores_LK))
    )
    A_LK = total_LK / times_LK.clamp(min=1)
    p_LK = logits_LK.softmax(dim=1)
    return p_LK * (A_LK - (p_LK * A_LK).sum(1, keepdim=True))


def _normalised(grad_LK: Tensor) -> Tensor:
    return grad_LK / (grad_LK.norm() + 1e-12)
