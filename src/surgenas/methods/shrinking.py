"""How does a network shrink to a latency, step by step? What both NetAdapts share (docs/methods/netadapt.md, 1).

An iteration sets a target a little below the present latency, tries smaller versions of the present network, and goes
on with one of them, once it is measured.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from surgenas.core import moves
from surgenas.core.architecture import Architecture
from surgenas.core.cost import Cost, Failure
from surgenas.core.errors import LimitError, UsageError
from surgenas.core.seeds import derive
from surgenas.core.space import Floats
from surgenas.core.units import show_ms
from surgenas.core.work import Epochs, Price, Work
from surgenas.methods.base import Batches, EpochSummary, Latency
from surgenas.methods.candidates import accuracies
from surgenas.methods.gradient import cosine
from surgenas.methods.shared_weights import Step, SupernetSearch, train_step
from surgenas.methods.shrink_path import Chosen, Reached, ShrinkStep
from surgenas.methods.shrink_settings import Shrinking

SURE, COARSEST = 2.0, 2.0
"""A step is at least so many times what a measurement may be off by, but at most so many times what was planned: a
machine that is noisy shall cost an iteration that is taken back, not the accuracy of a leap."""
LOWER = 0.02
"""After a miss, the search aims lower by this share of the limit."""
NEAR = 16
"""How many networks near the last one are judged for a proposal."""


class ShrinkingSearch(SupernetSearch):
    """Trains shared weights if they need it, then shrinks the network iteration by iteration.

    path: the networks so far, the largest first. judged: by key, the held-out accuracies with the present weights.
    """

    config: Shrinking

    def start(self) -> None:
        c = self.config
        self.path = [Reached(self.largest())]
        self.refused: set[str] = set()
        self.judged: dict[str, float] = {}
        self.chosen: tuple[Chosen, dict[str, Any]] | None = None
        """What the last iteration chose and its event so far, until its latency is known."""
        self.optimizer = torch.optim.SGD(
            self.supernet.parameters(), self.first_lr, momentum=c.momentum, weight_decay=c.weight_decay
        )
        self.criterion = nn.CrossEntropyLoss(label_smoothing=c.label_smoothing)
        reach, missing = c.reach(c.iterations), 1 - self.limit_ms / self._predicted_ms(self.path[0].arch)
        self.needed = next((n for n in range(1, c.iterations) if c.reach(n) >= missing), c.iterations)
        if missing > reach and not self.problem.extra:
            raise UsageError(
                f"iterations {c.iterations}, step {c.step:g}, decay {c.decay:g} save {reach:.0%} of the latency, and "
                f"the limit asks for {missing:.0%}: ask for more iterations or a larger step"
            )

    # --- training, before the first iteration

    @property
    @abstractmethod
    def training_epochs(self) -> int:
        """How many passes over the images train shared weights before the first iteration."""

    @abstractmethod
    def logits(self, images: Tensor, index: int) -> Tensor:
        """What is trained in step `index`, of this process's images: (N, C, H, W) -> (N, classes)."""

    @property
    def epochs(self) -> int:
        return self.training_epochs + self.config.iterations

    @property
    def most_events(self) -> int:
        """As many as steps that save what they should need; the search may take more, up to its settings."""
        return self.training_epochs + self.needed + self.problem.extra

    def train_on(self, images: Tensor, labels: Tensor, index: int) -> Step:
        """Train shared weights on one mini-batch."""
        self.judged.clear()
        total = self.training_epochs * self.steps_per_epoch
        self.optimizer.param_groups[0]["lr"] = cosine(self.first_lr, index / total)
        return train_step(
            self.supernet, self.optimizer, self.criterion, self.logits(images, index), labels, self.config.clip,
            self.ranks,
        )  # fmt: skip

    # --- work

    def ask(self) -> Sequence[Work]:
        """The price of the newest network if it is not known, else the next epoch or iteration."""
        if self.problem.priced and self.chosen:
            return [Price((self.chosen[0].arch,))]
        if self.problem.priced and not self.path[-1].asked:
            return [Price((self.path[-1].arch,))]
        return super().ask()

    def tell(self, work: Work, result: Any) -> Sequence[EpochSummary]:
        """Train for an epoch, or shrink for an iteration, or take the price of what the last iteration chose."""
        if isinstance(work, Price):
            return self._hear(result[0])
        assert isinstance(work, Epochs), "nothing else was asked for"
        if work.number < self.training_epochs:
            return super().tell(work, result)
        self.chosen = self._iterate(work.number, result)
        self.done = work.number + 1
        if self.problem.priced:
            return []
        return [self._go_on(replace(self.path[-1], arch=self.chosen[0].arch), accepted=True)]

    def _hear(self, cost: Cost | Failure) -> Sequence[EpochSummary]:
        now = self.path[-1]
        if self.chosen is None:
            self.path[-1] = self._priced(now, cost)
            return []
        told = self._priced(replace(now, arch=self.chosen[0].arch), cost)
        faster = isinstance(cost, Failure) or self.ms_of(told) < self.ms_of(now)
        return [self._go_on(told, accepted=faster)]

    def _priced(self, reached: Reached, cost: Cost | Failure) -> Reached:
        if isinstance(cost, Failure):
            return replace(reached, asked=True)
        doubt = cost.doubt if math.isfinite(cost.doubt) else 0.0
        return replace(reached, ratio=cost.ms / self._predicted_ms(reached.arch), doubt=doubt, asked=True)

    # --- one iteration

    @property
    def finished(self) -> bool:
        """Is the present network inside the limit?"""
        return self.done >= self.training_epochs and self.ms_of(self.path[-1]) <= self.aim_ms

    @property
    def aim_ms(self) -> float:
        """The latency at which the search ends."""
        return self.limit_ms * (1 - LOWER * self.problem.extra)

    def predicted(self, archs: Sequence[Architecture]) -> Floats:
        """Predicted latencies (N,) in ms, not corrected by what was measured."""
        return self.predictor.predict(moves.encode(self.space, archs))

    def ms_of(self, reached: Reached) -> float:
        """The latency in ms of a network on the path; it follows the predictor's scale, should that be repaired."""
        return reached.ratio * self._predicted_ms(reached.arch)

    def _predicted_ms(self, arch: Architecture) -> float:
        return float(self.predicted([arch])[0])

    def target_ms(self, iteration: int) -> float:
        """The latency that an iteration, counted from 0, aims at: not far below the limit, and not so near to the
        present latency that a measurement cannot tell."""
        c, now = self.config, self.path[-1]
        now_ms = self.ms_of(now)
        step_ms = c.step * c.decay**iteration * self.ms_of(self.path[0])
        sure_ms = min(now_ms * SURE * now.doubt, COARSEST * step_ms)
        return min(max(self.aim_ms, now_ms - step_ms), now_ms - sure_ms)

    @abstractmethod
    def smaller(self, target_ms: float, iteration: int) -> list[Architecture]:
        """Versions of the present network that an iteration tries; `target_ms` is as the predictor counts."""

    @abstractmethod
    def choose(self, archs: Sequence[Architecture], batches: Batches) -> Chosen:
        """The best of these candidates."""

    def _iterate(self, epoch: int, batches: Batches) -> tuple[Chosen, dict[str, Any]]:
        now, iteration = self.path[-1], epoch - self.training_epochs
        torch.manual_seed(derive(self.seed, "search-epoch", epoch))
        if math.isnan(now.accuracy):
            now = self.path[-1] = replace(now, accuracy=self.judge([now.arch])[0])
        now_ms, target_ms = self.ms_of(now), self.target_ms(iteration)
        tried = self._competing(self.smaller(target_ms / now.ratio, iteration), target_ms / now.ratio)
        if not tried:
            raise LimitError(
                f"no smaller version of the network is faster than {show_ms(now_ms)}, which is the nearest to the "
                f"limit of {show_ms(self.limit_ms)}; raise the limit, or take a space with more choices"
            )
        chosen = self.choose(tried, batches)
        pairs = zip(self.space.choices, now.arch.genes, chosen.arch.genes, strict=True)
        changed = [[c.name, old, new] for c, old, new in pairs if c.options.index(new) < c.options.index(old)]
        return chosen, {
            "epoch": epoch, "loss": chosen.loss, "before_accuracy": now.accuracy, "before_ms": now_ms,
            "target_ms": target_ms, "candidates": len(tried), "changed": changed,
        }  # fmt: skip

    def _competing(self, archs: Sequence[Architecture], target_ms: float) -> list[Architecture]:
        """Those that meet the target; if none does, the fastest of those that are faster than the present network."""
        by_key = {arch.key: arch for arch in map(self.space.canonical, archs) if arch.key not in self.refused}
        if not by_key:
            return []
        different = list(by_key.values())
        ms = self.predicted(different)
        meeting = [arch for arch, each in zip(different, ms, strict=True) if each <= target_ms]
        fastest = int(ms.argmin())
        return meeting or [different[fastest]] * bool(ms[fastest] < self._predicted_ms(self.path[-1].arch))

    def _go_on(self, told: Reached, *, accepted: bool) -> ShrinkStep:
        """Take what the last iteration chose as the present network, or never try it again."""
        assert self.chosen is not None, "an iteration has chosen"
        (chosen, event), self.chosen = self.chosen, None
        if accepted:
            self.path.append(replace(told, accuracy=chosen.accuracy))
            if chosen.weights:
                self.judged.clear()
                self.supernet.take_back(moves.path_of(self.space, chosen.arch), chosen.weights)
        else:
            self.refused.add(chosen.arch.key)
        now = self.path[-1]
        return ShrinkStep(**event, accuracy=now.accuracy, latency_ms=self.ms_of(now), accepted=accepted)

    def judge(self, archs: Sequence[Architecture]) -> list[float]:
        """Held-out accuracies (0 to 1) with the present weights, in order; BN statistics are estimated anew. What was
        judged with these weights is not judged again."""
        assert self.held_out is not None, "checked at the start"
        unknown = list({arch.key: arch for arch in archs if arch.key not in self.judged}.values())
        if unknown:
            found = accuracies(self.supernet, [moves.path_of(self.space, arch) for arch in unknown], self.held_out)
            self.judged |= {arch.key: score for arch, score in zip(unknown, found, strict=True)}
        return [self.judged[arch.key] for arch in archs]

    # --- proposals

    def propose(
        self, latency_ms: Latency, window_ms: tuple[float, float], count: int, rng: np.random.Generator
    ) -> list[Architecture]:
        """The last network if it lies in the window, then, by held-out accuracy, others of the path and those that
        differ from the last two in one choice; of these the NEAR slowest in the window are judged."""
        last = self.path[-1].arch
        ends = [reached.arch for reached in self.path[-2:]]
        around = [arch for end in ends for arch in moves.neighbours(self.space, end)]
        known = [last, *(reached.arch for reached in self.path), *around]
        different = list({arch.key: arch for arch in map(self.space.canonical, known)}.values())
        ms = latency_ms(different)
        inside = np.flatnonzero((window_ms[0] <= ms) & (ms <= window_ms[1]))
        others = [different[i] for i in inside[ms[inside].argsort(kind="stable")[::-1]] if different[i] != last][:NEAR]
        scores = self.judge(others) if others else []
        best = sorted(range(len(others)), key=lambda i: -scores[i])
        return [*([last] if 0 in inside else []), *(others[i] for i in best)][:count]

    def largest(self) -> Architecture:
        return self.space.architecture(tuple(choice.options[-1] for choice in self.space.choices))

    # --- state

    def summary(self, known: dict[str, Any]) -> EpochSummary:
        return EpochSummary(**known)

    def own_state(self) -> dict[str, Any]:
        return {
            "supernet": self.supernet.state_dict(), "optimizer": self.optimizer.state_dict(),
            "path": [reached.to_dict() for reached in self.path], "refused": sorted(self.refused),
            "chosen": self.chosen and (self.chosen[0].to_dict(), self.chosen[1]),
        }  # fmt: skip

    def load_own_state(self, state: dict[str, Any]) -> None:
        self.judged.clear()
        self.supernet.load_state_dict(state["supernet"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.path = [Reached.from_dict(row, self.space) for row in state["path"]]
        self.refused = set(state["refused"])
        chosen = state["chosen"]
        self.chosen = (Chosen.from_dict(chosen[0], self.space), chosen[1]) if chosen else None
