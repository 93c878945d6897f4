"""SPOS: a supernet trained one uniform path at a time, then evolution inside the limit.

Guo et al.: "Single Path One-Shot Neural Architecture Search with Uniform Sampling", arXiv 1904.00420.
Ours: docs/methods/hurricane.md, 3.
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
from surgenas.core.capabilities import Counted, require
from surgenas.core.catalog import look_up
from surgenas.core.seeds import derive
from surgenas.core.space import Space
from surgenas.methods import SAMPLERS
from surgenas.methods.base import EpochSummary, Latency, Needs, Problem
from surgenas.methods.candidates import accuracies
from surgenas.methods.constrained import find_most_probable
from surgenas.methods.evolution import Evolution, evolve
from surgenas.methods.shared_weights import Step, SupernetSearch, TrainsSharedWeights, descend


@dataclass(frozen=True, kw_only=True)
class SPOS(Evolution, TrainsSharedWeights):
    """Settings of one search and of its evolution. The authors' settings are for ImageNet and batches of 1024; these
    are for short searches.

    sampler: "spos" trains one uniform path in each step, "fair" an ordering of FairNAS, in which every operator runs
    once.
    """

    name: ClassVar[str] = "spos"
    default_space: ClassVar[str] = "shuffle"
    longer: ClassVar[float] = 3.0
    least_steps: ClassVar[int] = 1600

    epochs: Count = 60
    weight_lr: Positive = 0.3
    momentum: Share = 0.9
    weight_decay: NotNegative = 4e-5
    clip: Positive = 1.0
    label_smoothing: Share = 0.1
    sampler: Literal["spos", "fair"] = "spos"
    generations: Count = 10

    def needs(self, space: Space) -> Needs:
        passes = space.offered.shape[1] if self.sampler == "fair" else 1
        return Needs(
            shares=("choice", "elastic"), data="held out", cost="any", longer=self.longer, least_steps=self.least_steps,
            passes=passes, judged=self.population * self.generations,
        )  # fmt: skip

    def begin(self, problem: Problem) -> SPOSSearch:
        return SPOSSearch(self, problem)


class SPOSSearch(SupernetSearch):
    """Trains a supernet, then judges candidates with its weights."""

    config: SPOS

    def start(self) -> None:
        c = self.config
        self.logits_LK = torch.zeros(self.offered.shape).masked_fill(~self.offered, -math.inf)
        self.optimizer = torch.optim.SGD(
            self.supernet.parameters(), self.first_lr, momentum=c.momentum, weight_decay=c.weight_decay
        )
        self.criterion = nn.CrossEntropyLoss(label_smoothing=c.label_smoothing)
        self.scores: dict[tuple[int, ...], float] = {}
        """Held-out accuracies of the paths that were judged with the present weights."""

    # --- supernet training

    def train_on(self, images: Tensor, labels: Tensor, index: int) -> Step:
        """Train on one mini-batch, through one path or through all paths of one ordering. An operator that did not run
        has no gradient, so neither momentum nor weight decay changes it."""
        self.scores.clear()
        done = index / (self.epochs * self.steps_per_epoch)
        self.optimizer.param_groups[0]["lr"] = self.first_lr * max(0.01, 1 - done)  # linear, as theirs
        self.optimizer.zero_grad()
        paths = self._draw(index)
        losses, correct = 0.0, 0.0
        for path in paths:
            logits = self.supernet.at(images, path)
            loss = self.criterion(logits, labels)
            self.ranks.weighed(loss).backward()
            losses += float(loss.detach())
            correct += float((logits.detach().argmax(1) == labels).float().mean())
        descend(self.supernet, self.optimizer, self.config.clip, self.ranks)
        return losses / len(paths), correct / len(paths), math.nan

    def _draw(self, index: int) -> list[tuple[int, ...]]:
        generator = torch.Generator().manual_seed(derive(self.seed, "paths", index))
        sampler = look_up("sampler", self.config.sampler, SAMPLERS)
        return [gates.path for gates in sampler(self.logits_LK, 1.0, generator)]

    # --- evolution

    def propose(
        self, latency_ms: Latency, window_ms: tuple[float, float], count: int, rng: np.random.Generator
    ) -> list[Architecture]:
        return self.run_evolution(self.space, latency_ms, window_ms, rng)[:count]

    def run_evolution(
        self, space: Space, latency_ms: Latency, window_ms: tuple[float, float], rng: np.random.Generator,
        seeds: Sequence[Architecture] = (),
    ) -> list[Architecture]:  # fmt: skip
        """All networks that the evolution judged, the best first.

        space: the space to search, or a restricted part of it. window_ms: the lowest and the highest latency allowed.
        seeds: networks to start from, beside some that lie in the window.
        """
        low, high = window_ms

        def feasible(archs: Sequence[Architecture]) -> np.ndarray:
            ms = latency_ms(archs)
            return (low <= ms) & (ms <= high)

        indifferent = np.ones(space.offered.shape)
        few = find_most_probable(space, indifferent, latency_ms, window_ms, rng, count=self.config.parents, samples=500)
        found = evolve(space, self.judge, self.config, feasible, rng, seeds=[*seeds, *few])
        return [judged.arch for judged in found]

    def judge(self, archs: Sequence[Architecture]) -> list[float]:
        """Held-out accuracies (0 to 1), in order; BN statistics are estimated anew for each path
        (methods/candidates.py)."""
        assert self.held_out is not None, "a run holds images out for methods that say so"
        paths = [moves.path_of(self.space, arch) for arch in archs]
        fresh = [path for path in dict.fromkeys(paths) if path not in self.scores]
        self.scores |= zip(fresh, accuracies(self.supernet, fresh, self.held_out), strict=True)
        return [self.scores[path] for path in paths]

    def largest(self) -> Architecture:
        return moves.decode(self.space, require(self.space, Counted).costs().macs)

    # --- state

    def summary(self, known: dict[str, Any]) -> EpochSummary:
        return EpochSummary(**known)

    def own_state(self) -> dict[str, Any]:
        return {"supernet": self.supernet.state_dict(), "optimizer": self.optimizer.state_dict()}

    def load_own_state(self, state: dict[str, Any]) -> None:
        self.supernet.load_state_dict(state["supernet"])
        self.optimizer.load_state_dict(state["optimizer"])
