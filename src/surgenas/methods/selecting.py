"""When does a gradient search select by taking operators away? After its epochs, with passes that tune the weights in
between (perturbation.py says how it decides)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from surgenas.core import moves
from surgenas.core.architecture import Architecture
from surgenas.core.seeds import derive
from surgenas.core.space import Space
from surgenas.methods.base import LEAST_HELD, Batches, EpochSummary, Latency, Needs
from surgenas.methods.constrained import find_most_probable
from surgenas.methods.gradient import GradientEpoch
from surgenas.methods.logits import LogitSearch
from surgenas.methods.perturbation import Decision, decide, events_of, judgements, scores, weights_with
from surgenas.nn.statistics import batch_statistics
from surgenas.nn.supernet import Gates
from surgenas.tasks.classification import share_right

TOGETHER = 64
"""How many images are judged at once; BN has the statistics of as many."""


WIDEST = 20.0
"""What the largest loss of accuracy counts as a difference of log-probabilities; searches cut off larger ones."""


def selecting(needs: Needs, space: Space, tuning: int) -> Needs:
    """What a method needs that selects by perturbation, too."""
    data: Any = "held out" if needs.data == "one" else needs.data
    return replace(
        needs, data=data, least_held=LEAST_HELD, after=tuning * (len(events_of(space, 0)) - 1),
        judged=judgements(space) * int(space.offered.sum(1).max()),
    )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class SelectingEpoch(GradientEpoch):
    """The summary of an epoch of a search that may select by perturbation.

    decisions: what was decided before this epoch, and after it if it is the last (perturbation.py), as plain values.
    probabilities: of the operators of each row; empty where none is selected so.
    """

    decisions: list[dict[str, Any]] = field(default_factory=list)
    probabilities: list[list[float]] = field(default_factory=list)


class SelectingSearch(LogitSearch):
    """A gradient search whose settings have `selection` and `tuning`, and whose supernet runs all operators at once.

    events: what is still to be decided, all of it, in order; none unless selection=perturbation. decisions: so far.
    news: those since the epoch before. seen: accuracies on the images held out in the steps of this epoch.
    """

    def start(self) -> None:
        wanted = self.config.selection == "perturbation"
        self.events = events_of(self.space, self.seed) if wanted else []
        self.decisions: list[Decision] = []
        self.news: list[Decision] = []
        self.seen: list[float] = []

    @property
    def epochs(self) -> int:
        return int(self.config.epochs) + self.config.tuning * len(self.events[1:])

    @property
    def finished(self) -> bool:
        """Has everything been decided? More training would change nothing then."""
        return bool(self.events) and self.done >= self.epochs

    def offered_logits(self) -> Tensor:
        """The logits (L, K), -inf for operators that a layer has not, or that were decided against."""
        found = super().offered_logits()
        if not self.decisions:
            return found
        decided = weights_with(self.decisions, torch.full_like(found, 0.5))
        dropped = [decision.row for decision in self.decisions if decision.operator is None]
        found = found.masked_fill(decided == 0, -math.inf)
        found[dropped, -1] = 0.0  # nothing stands at an edge that was dropped
        return found

    def run_epoch(self, epoch: int, batches: Batches) -> EpochSummary:
        """Train for one pass; before a pass that tunes the weights after a decision, and after the last pass of all,
        decide."""
        self.seen, before = [], len(self.decisions)
        tuned = epoch - self.config.epochs
        if self.events and tuned == 0:
            self.weight_optimizer.state.clear()  # tuning begins with no momentum
        if self.events and 0 <= tuned < self.config.tuning * len(self.events[1:]) and tuned % self.config.tuning == 0:
            self._decide(tuned // self.config.tuning)
        self.news = self.decisions[before:]
        found = super().run_epoch(epoch, batches)
        if self.events and epoch + 1 == self.epochs:
            self._decide(len(self.events) - 1)
            known = {name: getattr(found, name) for name in ("epoch", "loss", "accuracy", "latency_ms")}
            self.news = self.decisions[before:]
            return self.summary(known)
        return found

    def _decide(self, event: int) -> None:
        self.decisions += decide(
            self.events[event], self.decisions, self.probabilities(), self.space.offered, self.judge
        )

    @torch.no_grad()
    def judge(self, weights: Sequence[Tensor]) -> list[float]:
        """The supernet's accuracies (0 to 1) on the second half, with each of these weights (L, K) of operators; BN has
        the statistics of each batch."""
        assert self.held_out is not None, "checked at the start"
        images = self.held_out.images
        parts = images.tensor_split(math.ceil(len(images) / TOGETHER))  # a single image has no statistics
        found = []
        with torch.random.fork_rng(devices=[]), batch_statistics(self.supernet):
            for weights_LK in weights:
                torch.manual_seed(derive(self.seed, "judge", len(self.decisions)))  # an operator may draw noise
                gates = Gates(weights_LK, None)
                said = torch.cat([self.supernet(part, gates).argmax(1) for part in parts])
                found.append(share_right(said, self.held_out.labels, balanced=self.held_out.balanced))
        return found

    def preferences(self) -> Tensor:
        """What a proposal maximises, as factors (L, K) of operators: probabilities, or what their absence costs."""
        if not self.decisions:
            return self.probabilities()
        lost_LK = scores(self.decisions, self.space.offered)
        return torch.from_numpy(np.exp((lost_LK - lost_LK.max()) * min(1.0, WIDEST / max(lost_LK.max(), 1e-9))))

    def propose(
        self, latency_ms: Latency, window_ms: tuple[float, float], count: int, rng: np.random.Generator
    ) -> list[Architecture]:
        """The network that was selected if it lies in the window, then those that lose the least preference."""
        first = self.largest()
        low, high = window_ms
        fits = bool(self.decisions) and low <= float(latency_ms([first])[0]) <= high
        p_LK = self.preferences().double().cpu().numpy()
        others = find_most_probable(self.space, p_LK, latency_ms, window_ms, rng, count=count)
        return [*([first] if fits else []), *(arch for arch in others if not fits or arch != first)][:count]

    def largest(self) -> Architecture:
        """What was decided so far, and the probable operators elsewhere."""
        return moves.decode(self.space, weights_with(self.decisions, self.probabilities()).double().cpu().numpy())

    # --- epochs and state

    def selected(self) -> dict[str, Any]:
        """The fields that SelectingEpoch adds."""
        return {
            "decisions": [asdict(decision) for decision in self.news],
            "probabilities": [[round(p, 4) for p in row] for row in self.probabilities().tolist()],
        }

    def own_state(self) -> dict[str, Any]:
        return {**super().own_state(), "decisions": [asdict(decision) for decision in self.decisions]}

    def load_own_state(self, state: dict[str, Any]) -> None:
        super().load_own_state(state)
        self.decisions = [Decision(**decision) for decision in state["decisions"]]
