"""Single-Path NAS: the whole search inside one network, whose kernels decide by their own norms.

Stamoulis et al.: "Single-Path NAS: Designing Hardware-Efficient ConvNets in less than 4 Hours", arXiv 1904.02877, and
1907.00959 for Squeeze-and-Excitation and a searched lambda. docs/methods/single_path.md tells ours from theirs.
"""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal

import torch
from timm.optim import RMSpropTF
from torch import Tensor, nn

from surgenas.core.bounds import Count, Finite, NotNegative, Positive, Share
from surgenas.core.errors import UsageError
from surgenas.core.seeds import derive
from surgenas.core.space import Space
from surgenas.methods.base import EpochSummary, Needs, Problem
from surgenas.methods.gradient import GradientEpoch, GradientSearch, Multiplier, cosine
from surgenas.methods.indicators import PAPER_TABLE, draw_dropout, paper_runtime
from surgenas.methods.lambda_search import has_landed, propose
from surgenas.methods.shared_weights import Step, TrainsSharedWeights
from surgenas.nn.superkernel import Rule
from surgenas.predictors.linear import AdditivePredictor


@dataclass(frozen=True, kw_only=True)
class SinglePathNAS(TrainsSharedWeights):
    """Settings of one search.

    warmup: share of the epochs that train weights only.
    faithful: as the authors do, plain norms, masks on the kernel, and thresholds in the weights' RMSProp and weight
    decay; else norms relative to their start, masks on the normalisations, and thresholds moved by SGD on the gradient
    over its root mean square, so that dear and useless parts go first. (With Adam, all thresholds move alike and
    everything is switched off at once, docs/log.md.)
    squared: compare squared norms with thresholds, as the paper writes them.
    temperature: temperature of the sigmoid that gradients of decisions are taken from.
    threshold_start: where thresholds start, as a share of the initial network's norms.
    threshold_travel: about how far a threshold can move in the whole search.
    threshold_momentum: momentum of the thresholds' SGD.
    indicator_dropout: how decisions are dropped in the warm-up (methods/indicators.py).
    keep: probability that a decision is kept, with indicator_dropout=authors.
    loss: "multiplier" learns lambda as SurgeNAS does, "log" adds 1e3 lam log(R), "target" adds 15 log(1 + 100 max(0,
    R/T - 1)).
    lam: lambda of loss=log.
    runtime: "exact" is the predicted runtime of the mixture of operators, "paper" the paper's product form, which needs
    an additive predictor.
    multiplier_lr: learning rate of lambda.
    damping: weight of the present violation of the limit, which is added to lambda.
    search_lambda: how lam is searched, each search starting from the warmed-up weights; empty: it is not.
    lambda_low, lambda_high: the range of log10 lam in which it is searched.
    tries: searches for lam at most.
    weight_lr, weight_decay: learning rate and weight decay of the weights; 0: by `faithful`.
    """

    name: ClassVar[str] = "single-path"
    default_space: ClassVar[str] = "single_path"

    epochs: Count = 20
    warmup: Share = 0.625
    faithful: bool = False
    squared: bool = False
    temperature: Positive = 0.25
    threshold_start: Positive = 0.5
    threshold_travel: NotNegative = 2.0
    threshold_momentum: Share = 0.5
    indicator_dropout: Literal["equal", "authors", "none"] = "equal"
    keep: float = 0.6
    weight_lr: NotNegative = 0.0
    weight_decay: NotNegative = 0.0
    momentum: Share = 0.9
    clip: Positive = 5.0
    label_smoothing: Share = 0.1
    loss: Literal["multiplier", "log", "target"] = "multiplier"
    lam: NotNegative = 0.020
    runtime: Literal["exact", "paper"] = "exact"
    multiplier_lr: NotNegative = 0.02
    damping: NotNegative = 0.3
    search_lambda: Literal["", "bisection", "bayes"] = ""
    lambda_low: Finite = -6.0
    lambda_high: Finite = -2.0
    tries: Count = 8

    def __post_init__(self) -> None:
        if not 0 < self.keep <= 1 or self.lambda_low >= self.lambda_high:
            raise UsageError("expected keep in (0, 1], lambda_low < lambda_high")
        if self.search_lambda and self.loss != "log":
            raise UsageError("search_lambda searches the lam of loss=log; set both")
        if not 0 <= self.warmup_epochs < self.epochs:
            raise UsageError(
                f"epochs {self.epochs}, warmup {self.warmup}: after {self.warmup_epochs} epochs of warm-up none is "
                "left to search in; ask for more epochs"
            )

    @property
    def warmup_epochs(self) -> int:
        return round(self.epochs * self.warmup)

    @property
    def rule(self) -> Rule:
        temperature = 1.0 if self.faithful else self.temperature
        return Rule(normalised=not self.faithful, squared=self.squared, temperature=temperature)

    def needs(self, space: Space) -> Needs:
        cost: Literal["additive", "relaxed"] = "additive" if self.runtime == "paper" else "relaxed"
        return Needs(shares=("superkernel",), cost=cost, longer=3.0, passes=1)

    def begin(self, problem: Problem) -> SinglePathSearch:
        return SinglePathSearch(self, problem)


@dataclass(frozen=True, kw_only=True)
class SinglePathEpoch(GradientEpoch):
    """The summary of an epoch. thresholds: (L, D). indicators: (L, D) in 0..1, before they are made hard. lam: of
    loss=log."""

    thresholds: list[list[float]]
    indicators: list[list[float]]
    lam: float


class SinglePathSearch(GradientSearch):
    """Trains a network of superkernels and the thresholds of its decisions."""

    config: SinglePathNAS

    def start(self) -> None:
        c = self.config
        if c.runtime == "paper" and not isinstance(self.predictor, AdditivePredictor):
            raise UsageError("runtime=paper is made of table entries: it needs lookup, ridge, layers or flops")
        shape_LD = (len(self.space.choices), self.supernet.hard.shape[1])
        start = 0.0 if c.faithful else c.threshold_start
        self.thresholds = nn.Parameter(torch.full(shape_LD, start, device=self.device))
        self.multiplier = Multiplier(c.multiplier_lr, c.damping)
        self.optimizers = self._optimizers()
        self.criterion = nn.CrossEntropyLoss(label_smoothing=c.label_smoothing)
        self.tries: list[tuple[float, float]] = []
        self.warm: dict[str, Any] = {}
        self.lam = c.lam

    def _optimizers(self) -> list[torch.optim.Optimizer]:
        c = self.config
        weights, decay = list(self.supernet.parameters()), c.weight_decay or (1e-5 if c.faithful else 3e-5)
        self.weight_lr = c.weight_lr or (0.004 if c.faithful else 0.1)
        self.travel_lr = 2 * c.threshold_travel / ((c.epochs - c.warmup_epochs) * self.steps_per_epoch)
        if c.faithful:  # one optimizer for all, its rate for our smaller batch (docs/methods/single_path.md, 8)
            how = {"alpha": 0.9, "eps": 1e-3, "momentum": c.momentum, "weight_decay": decay}
            return [RMSpropTF([*weights, self.thresholds], self.weight_lr, **how)]
        return [
            torch.optim.SGD(weights, self.weight_lr, momentum=c.momentum, weight_decay=decay),
            torch.optim.SGD([self.thresholds], self.travel_lr, momentum=c.threshold_momentum),
        ]

    # --- one step

    def train_on(self, images: Tensor, labels: Tensor, index: int) -> Step:
        """One forward and backward pass on one mini-batch."""
        c = self.config
        warm, last = c.warmup_epochs * self.steps_per_epoch, c.epochs * self.steps_per_epoch
        searching = index >= warm
        self.optimizers[0].param_groups[0]["lr"] = cosine(self.weight_lr, index / last)
        if searching and not c.faithful:
            self.optimizers[1].param_groups[0]["lr"] = cosine(self.travel_lr, (index - warm) / (last - warm))
        for optimizer in self.optimizers:
            optimizer.zero_grad()
        decisions_LD = self.supernet.decide(self.thresholds, c.rule)
        masked_LD = decisions_LD if searching else decisions_LD * self._kept(index).to(decisions_LD)
        logits = self.supernet(images, masked_LD, at_kernel=c.faithful)
        loss, latency_ms = self.criterion(logits, labels), math.nan
        total = loss
        if searching:
            runtime_ms = self.runtime_ms(decisions_LD)
            latency_ms = float(runtime_ms.detach())
            total = loss + self._runtime_loss(runtime_ms).to(loss)
        self.ranks.weighed(total).backward()
        self.ranks.sum_(parameter.grad for parameter in (*self.supernet.parameters(), self.thresholds))
        nn.utils.clip_grad_norm_(self.supernet.parameters(), c.clip)
        if not c.faithful and self.thresholds.grad is not None:
            self.thresholds.grad /= self.thresholds.grad.square().mean().sqrt() + 1e-12
        for optimizer in self.optimizers[: 2 if searching else 1]:
            optimizer.step()
        if searching and c.loss == "multiplier":
            self.multiplier.learn(latency_ms / self.limit_ms)
        return float(loss.detach()), float((logits.detach().argmax(1) == labels).float().mean()), latency_ms

    def _kept(self, index: int) -> Tensor:
        generator = torch.Generator().manual_seed(derive(self.seed, "indicators", index))
        skippable = [bool(layer.skippable) for layer in self.supernet.layers]
        kind, keep = self.config.indicator_dropout, self.config.keep
        return draw_dropout(kind, keep, skippable, self.thresholds.shape[1], generator)

    # --- runtime

    def runtime_ms(self, decisions_LD: Tensor) -> Tensor:
        """Runtime of decisions (L, D) in ms, differentiable: of the exact mixture by the predictor, or by the paper's
        formula."""
        gates_LK = self.supernet.gates(decisions_LD).cpu()
        if self.config.runtime == "exact":
            return self.predicted_ms(gates_LK[None])[0]
        assert isinstance(self.predictor, AdditivePredictor)
        weight_LK, names = self.predictor.weight_LK, self.space.choices[0].options
        table = {name: weight_LK[:, names.index(name)] for name in PAPER_TABLE}
        return self.predictor.bias + paper_runtime(decisions_LD.cpu(), table)

    def _runtime_loss(self, runtime_ms: Tensor) -> Tensor:
        relative = runtime_ms / self.limit_ms
        if self.config.loss == "multiplier":
            return self.multiplier.loss(relative)
        if self.config.loss == "log":
            return 1e3 * self.lam * runtime_ms.log()
        return 15 * torch.log1p(100 * (relative - 1).clamp_min(0))

    # --- epochs, and a lambda that is searched

    @property
    def epochs(self) -> int:
        c = self.config
        return c.epochs + (c.tries - 1) * (c.epochs - c.warmup_epochs) * bool(c.search_lambda)

    @property
    def finished(self) -> bool:
        return has_landed(self.tries)

    def run_epoch(self, epoch: int, batches: Any) -> EpochSummary:
        """One pass over the training images. Where lambda is searched, every search starts from the same weights."""
        c = self.config
        if not c.search_lambda or not c.warmup_epochs <= epoch < self.epochs:
            return super().run_epoch(epoch, batches)
        length = c.epochs - c.warmup_epochs
        place = (epoch - c.warmup_epochs) % length
        if place == 0:
            self._search_again()
        found = super().run_epoch(c.warmup_epochs + place, batches)
        if place == length - 1:
            with torch.no_grad():
                runtime_ms = float(self.runtime_ms(self.decisions()))
            self.tries.append((math.log10(self.lam), runtime_ms / self.limit_ms))
        return SinglePathEpoch(**{**found.__dict__, "epoch": epoch})

    def _search_again(self) -> None:
        c = self.config
        if self.warm:
            self._load_trained(self.warm)
        self.warm = self.warm or copy.deepcopy(self._trained())
        self.lam = 10 ** propose(c.search_lambda, self.tries, c.lambda_low, c.lambda_high)

    def decisions(self, soften: float = 0.0) -> Tensor:
        """The decisions (L, D), 0 or 1; if `soften` is above 0, sigmoids at that multiple of the temperature."""
        rule = self.config.rule
        if soften:
            rule = replace(rule, soft=True, temperature=soften * rule.temperature)
        with torch.no_grad():
            return self.supernet.decide(self.thresholds, rule)

    def path(self) -> tuple[int, ...]:
        """The operators that the hard decisions choose: skip if not d3e, else the kernel by d5 and the expansion by
        d6e."""
        return tuple(self.supernet.gates(self.decisions()).argmax(1).tolist())

    def probabilities(self) -> Tensor:
        """The share (L, K) of each operator if decisions near their thresholds can still go either way."""
        p_LK = self.supernet.gates(self.decisions(soften=0.1)).cpu()
        for row, choice in zip(p_LK, self.space.choices, strict=True):
            row[len(choice.options) :] = 0
        return p_LK

    def summary(self, known: dict[str, Any]) -> SinglePathEpoch:
        return SinglePathEpoch(
            **self.add_path(known), lam=self.lam, thresholds=self.thresholds.detach().tolist(),
            indicators=self.decisions(soften=1.0).tolist(),
        )  # fmt: skip

    # --- state

    def _trained(self) -> dict[str, Any]:
        return {
            "supernet": self.supernet.state_dict(),
            "thresholds": self.thresholds.detach(),
            "optimizers": [optimizer.state_dict() for optimizer in self.optimizers],
            "multiplier": self.multiplier.value,
        }

    def _load_trained(self, state: dict[str, Any]) -> None:
        self.supernet.load_state_dict(state["supernet"])
        self.thresholds.data.copy_(state["thresholds"])
        for optimizer, saved in zip(self.optimizers, state["optimizers"], strict=True):
            optimizer.load_state_dict(copy.deepcopy(saved))  # an optimizer changes what it loads
        self.multiplier.value = float(state["multiplier"])

    def own_state(self) -> dict[str, Any]:
        return {**self._trained(), "tries": [list(t) for t in self.tries], "lam": self.lam, "warm": self.warm}

    def load_own_state(self, state: dict[str, Any]) -> None:
        self._load_trained(state)
        self.tries = [(float(x), float(ratio)) for x, ratio in state["tries"]]
        self.lam, self.warm = float(state["lam"]), state["warm"]
