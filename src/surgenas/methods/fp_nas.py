"""PARSEC and FP-NAS: a distribution over networks, of which each step draws a few, a single path in memory.

Casale, Gordon, Fusi: "Probabilistic Neural Architecture Search", arXiv 1902.05116. Yan, Dai, Zhang, Tian, Wu, Feiszli:
"FP-NAS: Fast Probabilistic Neural Architecture Search", CVPR 2021, arXiv 2011.10949. What is published and what is
ours: docs/methods/fp_nas.md.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
import torch
from torch import Tensor, nn

from surgenas.core import moves
from surgenas.core.architecture import Architecture
from surgenas.core.bounds import Count, NotNegative, Positive, Share
from surgenas.core.capabilities import Layered, ThinsOut
from surgenas.core.errors import UsageError
from surgenas.core.seeds import derive
from surgenas.core.space import Space
from surgenas.methods.base import LEAST_HELD, Latency, Needs, Problem
from surgenas.methods.belief import Belief, Draws
from surgenas.methods.constrained import find_most_probable
from surgenas.methods.distribution import Groups
from surgenas.methods.gradient import GradientEpoch, GradientSearch, Multiplier, cosine
from surgenas.methods.halves import second_half
from surgenas.methods.logits import travelling
from surgenas.methods.shared_weights import Step, TrainsSharedWeights, descend


@dataclass(frozen=True, kw_only=True)
class PARSEC(TrainsSharedWeights):
    """PARSEC: as many networks in every step, each layer decided as a whole. The published settings are for 8 GPUs or
    unknown; these are for short searches.

    samples: networks that a step draws; 0 for as many as the entropy asks for.
    per_nat: networks for each nat of the distribution's entropy; 1/4 in FP-NAS. least: at least so many.
    coarse: share of the epochs in which each variable of a layer is decided by itself, before its combinations are.
    temperature: of the networks' likelihoods, which are of the mean cross-entropy.
    baseline: a network counts by how much it differs from the mean of those drawn with it. False is as published: the
    same in the mean over draws, but noisier the more alike the networks are.
    alpha_lr: learning rate of the logits, at least 1e-3 in any case; 0 derives it from `alpha_travel`.
    alpha_travel: about how far a logit can move in the whole search.
    loss: "multiplier" learns lambda by gradient ascent, of either sign, so that the latency is drawn to the limit from
    both sides; "published" adds beta log E[max(0, LAT/T - 1)], beta being `latency_weight`.
    latency_weight: beta.
    multiplier_lr: learning rate of lambda.
    damping: weight of the present violation of the limit, which is added to lambda.
    """

    name: ClassVar[str] = "parsec"
    default_space: ClassVar[str] = "mobile"

    epochs: Count = 20
    samples: int = 16
    per_nat: Positive = 0.25
    least: Count = 4
    coarse: Share = 0.0
    temperature: Positive = 1.0
    baseline: bool = True
    weight_lr: Positive = 0.1
    momentum: Share = 0.9
    weight_decay: NotNegative = 3e-5
    clip: Positive = 5.0
    label_smoothing: Share = 0.1
    alpha_lr: NotNegative = 0.0
    alpha_travel: Positive = 8.0
    loss: Literal["multiplier", "published"] = "multiplier"
    latency_weight: NotNegative = 1.0
    multiplier_lr: NotNegative = 0.05
    damping: NotNegative = 4.0

    def __post_init__(self) -> None:
        if self.samples < 0 or self.samples == 1 or self.least < 2:
            raise UsageError("networks are compared with each other: ask for samples=2 or more, or 0, and least=2")

    def needs(self, space: Space) -> Needs:
        if isinstance(space, ThinsOut):
            raise UsageError(
                f"{self.name} draws operators, not which edges a node of {space.name} reads; use --space nasbench201"
            )
        entropy = float(np.log(space.offered.sum(1)).sum())
        drawn = Draws(self.samples, self.per_nat, self.least).count(entropy)
        return Needs(
            shares=("choice", "cells", "elastic"), data="halves", least_held=LEAST_HELD, cost="any",
            passes=math.ceil(drawn * (1 + 1 / 3)),
        )  # fmt: skip

    def begin(self, problem: Problem) -> FPNASSearch:
        return FPNASSearch(self, problem)


@dataclass(frozen=True, kw_only=True)
class FPNAS(PARSEC):
    """FP-NAS: fewer networks as the distribution sharpens, and variables of a layer decided one by one at first."""

    name: ClassVar[str] = "fp-nas"
    default_space: ClassVar[str] = "mobile_multi"

    samples: int = 0
    coarse: Share = 0.5


@dataclass(frozen=True, kw_only=True)
class FPNASEpoch(GradientEpoch):
    """The summary of an epoch.

    drawn, distinct: networks that a step drew, and how many of these were different, averaged over the steps. entropy:
    of the distribution, in nats. parts: how many decisions it makes. held_accuracy: on the second half of the images.
    """

    drawn: float
    distinct: float
    entropy: float
    parts: int
    held_accuracy: float


class FPNASSearch(GradientSearch):
    """Trains the weights of the networks drawn on one half of the images; the distribution learns from the other."""

    config: PARSEC

    def start(self) -> None:
        c, space = self.config, self.space
        assert self.offered.any(1).all(), "and layers of unequally many operators are refused where they must be"
        self.multiplier = Multiplier(c.multiplier_lr, c.damping)
        self.belief = Belief(
            tuple(space.offered.sum(1).tolist()), layers_of(space), coarse=c.coarse > 0,
            lr=travelling(c.alpha_lr, c.alpha_travel, c.epochs * self.steps_per_epoch, least=1e-3),
            temperature=c.temperature, multiplier=self.multiplier if c.loss == "multiplier" else None,
            latency_weight=c.latency_weight, baseline=c.baseline,
        )  # fmt: skip
        self.draws = Draws(c.samples, c.per_nat, c.least)
        self.optimizer = torch.optim.SGD(
            self.supernet.parameters(), self.first_lr, momentum=c.momentum, weight_decay=c.weight_decay
        )
        self.criterion = nn.CrossEntropyLoss(label_smoothing=c.label_smoothing)
        self.seen: list[tuple[int, int, float]] = []

    # --- one step

    def train_on(self, images: Tensor, labels: Tensor, index: int) -> Step:
        """Draw networks, train their weights on these images, and let the distribution learn from the second half."""
        c, total = self.config, self.config.epochs * self.steps_per_epoch
        if index >= c.coarse * total:
            self.belief.refine()
        self.optimizer.param_groups[0]["lr"] = cosine(self.first_lr, index / total)
        drawn = self.draws.count(self.belief.distribution.entropy())
        drawn_KL = self.belief.distribution.draw(drawn, self._generator(index))
        paths_NL, of_K = self._networks(drawn_KL)
        counts_N = torch.bincount(of_K).float()
        loss, accuracy = self._train(images, labels, paths_NL, counts_N)
        ms_N = self._latencies(paths_NL)
        losses_N, held_accuracy = self._judge(paths_NL, index)
        if math.isfinite(loss) and bool(losses_N.isfinite().all()):  # else the epoch ends in what to do about it
            self.belief.learn(drawn_KL, losses_N[of_K], ms_N[of_K] / self.limit_ms)
        self.seen.append((drawn, len(paths_NL), held_accuracy))
        return loss, accuracy, float(ms_N[of_K].mean())

    def _generator(self, index: int) -> torch.Generator:
        return torch.Generator().manual_seed(derive(self.seed, "paths", index))

    def _networks(self, drawn_KL: Tensor) -> tuple[Tensor, Tensor]:
        """(paths (N, L) of the different networks among K codes, which of them each code is (K,))."""
        networks = [self.space.canonical(moves.from_indices(self.space, path)) for path in drawn_KL.tolist()]
        places = {network: place for place, network in enumerate(dict.fromkeys(networks))}
        paths = [moves.indices(self.space, network) for network in places]
        return torch.tensor(paths), torch.tensor([places[network] for network in networks])

    def _train(self, images: Tensor, labels: Tensor, paths_NL: Tensor, counts_N: Tensor) -> tuple[float, float]:
        """One step of the weights on sum_k m_k CE_k, m = softmax(-CE), and (mean loss, mean accuracy).

        One path is in memory at a time: gradients are relative to the best path so far, and scaled down when a better
        one comes.
        """
        self.optimizer.zero_grad()
        best, total, loss_sum, right = math.inf, 0.0, 0.0, 0.0
        for path, times in zip(paths_NL.tolist(), counts_N.tolist(), strict=True):
            logits = self.supernet.at(images, path)
            loss = self.criterion(logits, labels)
            value = float(self.ranks.mean(loss.detach()))
            if value < best:
                total *= self._scale_gradients(math.exp((value - best) / self.config.temperature))
                best = value
            weight = times * math.exp((best - value) / self.config.temperature)
            (weight * self.ranks.weighed(loss)).backward()
            total += weight
            loss_sum += times * value
            right += times * float((logits.detach().argmax(1) == labels).float().mean())
        self._scale_gradients(1 / total)
        descend(self.supernet, self.optimizer, self.config.clip, self.ranks)
        return loss_sum / float(counts_N.sum()), right / float(counts_N.sum())

    def _scale_gradients(self, factor: float) -> float:
        for parameter in self.supernet.parameters():
            if parameter.grad is not None:
                parameter.grad *= factor
        return factor

    def _latencies(self, paths_NL: Tensor) -> Tensor:
        archs = [moves.from_indices(self.space, path) for path in paths_NL.tolist()]
        return torch.from_numpy(self.predictor.predict(moves.encode(self.space, archs))).float()

    @torch.no_grad()
    def _judge(self, paths_NL: Tensor, index: int) -> tuple[Tensor, float]:
        """(mean cross-entropy of each path (N,), mean accuracy) on a batch of the second half."""
        assert self.held_out is not None, "checked at the start"
        images, labels, held = second_half(self.held_out, self.seed, index, self.ranks)
        said = [self.supernet.at(images, path) for path in paths_NL.tolist()]
        losses_N = torch.stack([nn.functional.cross_entropy(logits, labels) for logits in said])
        right_N = torch.stack([(logits.argmax(1) == labels).float().mean() for logits in said])
        losses_N, right_N = held.mean(torch.stack([losses_N, right_N])).cpu()
        return losses_N, float(right_N.double().mean())

    # --- what it would choose

    def probabilities(self) -> Tensor:
        return self.belief.distribution.marginals()

    def largest(self) -> Architecture:
        return moves.from_indices(self.space, self.belief.distribution.mode())

    def propose(
        self, latency_ms: Latency, window_ms: tuple[float, float], count: int, rng: np.random.Generator
    ) -> list[Architecture]:
        def log_probability(archs: Sequence[Architecture]) -> np.ndarray:
            paths_NL = torch.tensor([moves.indices(self.space, arch) for arch in archs])
            return self.belief.distribution.log_probability(paths_NL).double().numpy()

        p_LK = self.probabilities().double().numpy()
        return find_most_probable(self.space, p_LK, latency_ms, window_ms, rng, count=count, score=log_probability)

    # --- epochs and state

    def summary(self, known: dict[str, Any]) -> FPNASEpoch:
        drawn, distinct, accuracy = (float(np.mean(column)) for column in zip(*self.seen, strict=True))
        self.seen = []
        distribution = self.belief.distribution
        return FPNASEpoch(
            **self.add_path(known), drawn=drawn, distinct=distinct, entropy=distribution.entropy(),
            parts=len(distribution.parts.groups), held_accuracy=accuracy,
        )  # fmt: skip

    def own_state(self) -> dict[str, Any]:
        return {
            "supernet": self.supernet.state_dict(), "optimizer": self.optimizer.state_dict(),
            "belief": self.belief.state_dict(),
        }  # fmt: skip

    def load_own_state(self, state: dict[str, Any]) -> None:
        self.supernet.load_state_dict(state["supernet"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.belief.load_state_dict(state["belief"])


def layers_of(space: Space) -> Groups:
    """The rows of a code that are one layer; each is one by itself in most spaces."""
    return space.layers() if isinstance(space, Layered) else tuple((row,) for row in range(len(space.rows)))
