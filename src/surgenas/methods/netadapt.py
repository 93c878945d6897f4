"""NetAdapt: one choice shrinks at a time, each candidate is fine-tuned for a moment, and the best goes on.

Yang, Howard, Chen, Zhang, Go, Sandler, Sze, Adam: "NetAdapt: Platform-Aware Neural Network Adaptation for Mobile
Applications", ECCV 2018. Ours: docs/methods/netadapt.md, 1.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle, islice
from typing import Annotated, ClassVar, Literal

import numpy as np
import torch
from pydantic import Field
from torch import Tensor, nn

from surgenas.core import moves
from surgenas.core.architecture import Architecture
from surgenas.core.bounds import Positive
from surgenas.core.errors import SurgenasError
from surgenas.core.seeds import derive
from surgenas.core.space import Space
from surgenas.methods.base import LEAST_HELD, Batches, Needs, Problem
from surgenas.methods.candidates import accuracy_alone
from surgenas.methods.shared_weights import train_step
from surgenas.methods.shrink_path import Chosen
from surgenas.methods.shrink_settings import Shrinking
from surgenas.methods.shrinking import ShrinkingSearch
from surgenas.nn.elastic.supernet import resized
from surgenas.nn.quick import quicken


@dataclass(frozen=True, kw_only=True)
class NetAdapt(Shrinking):
    """Settings of one adaptation.

    epochs: passes that train the largest network before the first iteration; none if it begins with trained weights.
    rule: which candidate goes on (docs/methods/netadapt.md, 2): the one of highest "accuracy", of the least loss of
    accuracy per saved millisecond ("ratio"), or of the largest change of accuracy per saved millisecond
    ("mobilenetv3").
    short_steps: mini-batches that a candidate is fine-tuned on before it is judged; all see the same ones.
    short_lr: learning rate of this fine-tuning.
    """

    name: ClassVar[str] = "netadapt"

    rule: Literal["accuracy", "ratio", "mobilenetv3"] = "accuracy"
    short_steps: Annotated[int, Field(ge=0)] = 10
    short_lr: Positive = 1e-3

    def needs(self, space: Space) -> Needs:
        judged = self.halving * len(space.choices)
        return Needs(
            shares=("elastic",), data="held out", least_held=LEAST_HELD, cost="any", passes=1, judged=judged,
            short=judged * self.short_steps,
        )  # fmt: skip

    def begin(self, problem: Problem) -> NetAdaptSearch:
        return NetAdaptSearch(self, problem)


class NetAdaptSearch(ShrinkingSearch):
    """Shrinks one choice in each iteration."""

    config: NetAdapt

    @property
    def training_epochs(self) -> int:
        return self.config.epochs if self.problem.start is None else 0

    def logits(self, images: Tensor, index: int) -> Tensor:
        """The largest network's."""
        logits: Tensor = self.supernet.at(images, moves.path_of(self.space, self.path[0].arch))
        return logits

    def smaller(self, target_ms: float, iteration: int) -> list[Architecture]:
        """For each choice the largest smaller option with which the whole network meets the target, or its smallest."""
        now = moves.indices(self.space, self.path[-1].arch)
        rows = [[(*now[:at], k, *now[at + 1 :]) for k in reversed(range(place))] for at, place in enumerate(now)]
        found = []
        for row in filter(None, rows):
            archs = [moves.from_indices(self.space, places) for places in row]
            archs = [arch for arch in archs if self.space.canonical(arch).key not in self.refused]
            if archs:
                found.append(archs[first_inside(self.predicted(archs), target_ms)])
        return found

    def choose(self, archs: Sequence[Architecture], batches: Batches) -> Chosen:
        """Fine-tune and judge each candidate; the best by the rule, of equal ones the fastest."""
        now, rule = self.path[-1], RULES[self.config.rule]
        now_ms = self.ms_of(now)
        seen = list(islice(batches, self.config.short_steps))
        found: list[tuple[tuple[float, float], Chosen]] = []
        for arch, predicted_ms in zip(archs, self.predicted(archs), strict=True):
            torch.manual_seed(derive(self.seed, "short", self.done))  # the same for each
            chosen, ms = self._tuned(arch, seen), now.ratio * float(predicted_ms)
            good = rule(100 * chosen.accuracy, 100 * now.accuracy, ms, now_ms)
            found = [max([*found, ((good, -ms), chosen)], key=lambda pair: pair[0])]  # weights of one alone are kept
        return found[0][1]

    def _tuned(self, arch: Architecture, batches: Sequence[tuple[Tensor, Tensor]]) -> Chosen:
        c, path = self.config, moves.indices(self.space, arch)
        network: nn.Module = quicken(self.supernet.alone(path)).to(memory_format=torch.channels_last).train()
        side = self.supernet.form_of(path)[1]
        optimizer = torch.optim.SGD(network.parameters(), c.short_lr, momentum=c.momentum, weight_decay=c.weight_decay)
        losses = []
        for images, labels in islice(cycle(batches), c.short_steps):
            logits = network(resized(images.to(self.device), side))
            losses.append(train_step(network, optimizer, self.criterion, logits, labels.to(self.device), c.clip)[0])
        loss = float(np.mean(losses)) if losses else math.nan
        if losses and not math.isfinite(loss):
            raise SurgenasError(f"fine-tuning {arch} diverged; try a smaller rate: --set short_lr={c.short_lr / 10:g}")
        assert self.held_out is not None, "checked at the start"
        accuracy = accuracy_alone(network, self.held_out.at(side))
        return Chosen(arch, accuracy, loss, network.state_dict())


def first_inside(costs: Sequence[float] | np.ndarray, most: float) -> int:
    """The position of the first cost of at most `most`; the last position if there is none."""
    inside = np.flatnonzero(np.asarray(costs) <= most)
    return int(inside[0]) if len(inside) else len(costs) - 1


def by_accuracy(accuracy: float, before: float, cost: float, cost_before: float) -> float:
    """How good a candidate is by the paper: its accuracy, since all candidates meet one target."""
    return accuracy


def by_ratio(accuracy: float, before: float, cost: float, cost_before: float) -> float:
    """How good a candidate is by the authors' code: little accuracy lost for what is saved.

    A gain counts as no loss. Divided by what is saved, it would prefer the candidate that saves less
    (docs/methods/netadapt.md, 2).
    """
    return -(max(before - accuracy, 0.0) + 1e-6) / (cost_before - cost + 1e-5)


def by_change(accuracy: float, before: float, cost: float, cost_before: float) -> float:
    """How good a candidate is as MobileNetV3's authors are said to choose: change of accuracy for what is saved."""
    return (accuracy - before) / (cost_before - cost)


RULES: Mapping[str, Callable[[float, float, float, float], float]] = {
    "accuracy": by_accuracy, "ratio": by_ratio, "mobilenetv3": by_change,
}  # fmt: skip
"""Rules of choice by name: from a candidate's accuracy in percent, the present network's, and their latencies in ms, to
how good the candidate is; larger is better. Candidates are faster than the present network."""
