"""HURRICANE: one-shot search in two stages, the later layers first, over operators that the device likes.

Zhang, Yang, Jiang, Zhu, Liu: "Fast Hardware-Aware Neural Architecture Search", arXiv 1910.11609. Order and structure
are the paper's, the numbers ours (docs/methods/hurricane.md, 6). The operators come best first, as `selection`
leaves them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any, ClassVar

import numpy as np
from pydantic import Field
from torch import Tensor

from surgenas.core import moves
from surgenas.core.architecture import Architecture
from surgenas.core.bounds import Count, Finite
from surgenas.core.capabilities import Counted, require
from surgenas.core.errors import UsageError
from surgenas.core.seeds import generator
from surgenas.core.space import Floats, Space
from surgenas.methods.base import EpochSummary, Latency, Needs, Problem
from surgenas.methods.selection import OperatorChoice
from surgenas.methods.spos import SPOS, SPOSSearch
from surgenas.spaces.restricted import Restricted

NEAR = 0.95
"""The network that the first stage finds shall use at least this share of the limit; with less, the second stage, which
changes only the other layers, ends far below the limit."""


@dataclass(frozen=True, kw_only=True)
class Hurricane(SPOS):
    """Settings of one search in two stages.

    keep, b, per_layer: how the operators of the device are chosen, where the space is the whole pool
    (methods/selection.py).
    epochs: epochs of both stages together, divided by how many layers each stage searches.
    early: how many of the first layers the second stage searches; 0 for the boundary of the network's stages that is
    nearest to two fifths of the layers.
    warm: the second stage continues with the weights of the first instead of new ones.
    reversed: the first stage searches the early layers and the second the later ones.
    """

    name: ClassVar[str] = "hurricane"
    default_space: ClassVar[str] = "operators"
    longer: ClassVar[float] = 0.696 * SPOS.longer
    """The paper claims to save 30.4 % of SPOS's training."""
    least_steps: ClassVar[int] = round(0.696 * SPOS.least_steps)

    keep: Count = 4
    b: Finite = 1.0
    per_layer: bool = False
    early: Annotated[int, Field(ge=0)] = 0
    warm: bool = True
    reversed: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.epochs < 2:
            raise UsageError(f"epochs {self.epochs}: two stages need at least 2")

    def needs(self, space: Space) -> Needs:
        needs = super().needs(space)
        chosen = OperatorChoice(keep=self.keep, b=self.b, per_layer=self.per_layer)
        return replace(needs, operators=chosen, judged=2 * needs.judged)

    def begin(self, problem: Problem) -> HurricaneSearch:
        return HurricaneSearch(self, problem)


class HurricaneSearch(SPOSSearch):
    """Searches the later layers as SPOS does, then the early ones with the later ones fixed.

    first, second: the layers that each stage searches. given: the gene of every layer that is not searched now. a1: the
    genes of the network that the first stage found, empty until then.
    """

    config: Hurricane

    def start(self) -> None:
        super().start()
        layers, c = len(self.space.choices), self.config
        early = c.early or _stage_boundary(self.space)
        if not 0 < early < layers:
            raise UsageError(f"early {early}: expected 1 to {layers - 1}, the space has {layers} layers")
        stages = (range(early, layers), range(early))
        self.first, self.second = reversed(stages) if c.reversed else stages
        self.first_epochs = min(c.epochs - 1, max(1, round(c.epochs * len(self.first) / layers)))
        best = -1 if self.supernet.shares == "elastic" else 0
        self.given = {layer: self.space.choices[layer].options[best] for layer in self.second}
        """The genes of the layers that are not searched now; in the first stage the device's best operators, or, where
        choices are sizes, the largest."""
        self.a1: tuple[str, ...] = ()

    def run_epoch(self, epoch: int, batches: Iterable[tuple[Tensor, Tensor]]) -> EpochSummary:
        """One pass over the training images; before the first epoch of the second stage, the evolution of the first."""
        if epoch == self.first_epochs and not self.a1:
            self._fix(self._first_found().genes)
            if not self.config.warm:
                self.make_supernet()
                self.optimizer.param_groups[0]["params"] = list(self.supernet.parameters())
                self.optimizer.state.clear()
        return super().run_epoch(epoch, batches)

    def _first_found(self) -> Architecture:
        """The network of the first stage, a1: predicted inside the limit, and above NEAR of it if possible, since its
        layers are not searched again. If none is inside, the network of fewest MACs in the searched layers."""
        rng = generator(self.seed, "first-stage")
        for least in (NEAR, 0.0):
            found = self.run_evolution(self.part, self._predicted, (least * self.limit_ms, self.limit_ms), rng)
            if found:
                return found[0]
        cheap = moves.decode(self.space, -require(self.space, Counted).costs().macs).genes
        return self.space.architecture(tuple(self.given.get(layer, gene) for layer, gene in enumerate(cheap)))

    def _predicted(self, archs: Sequence[Architecture]) -> Floats:
        return self.predictor.predict(moves.encode(self.space, archs))

    def _fix(self, a1: tuple[str, ...]) -> None:
        self.a1 = a1
        self.given = {layer: a1[layer] for layer in self.first}

    @property
    def part(self) -> Restricted:
        """The architectures that the present stage searches."""
        return Restricted(self.space, self.given)

    def _draw(self, index: int) -> list[tuple[int, ...]]:
        fixed = {layer: self.space.choices[layer].options.index(gene) for layer, gene in self.given.items()}
        return [tuple(fixed.get(layer, k) for layer, k in enumerate(path)) for path in super()._draw(index)]

    def propose(
        self, latency_ms: Latency, window_ms: tuple[float, float], count: int, rng: np.random.Generator
    ) -> list[Architecture]:
        """The networks that the evolution of the second stage judged, as `methods.base.Search` asks for them.

        The evolution starts from a1 too, if a1 lies in the window, so the first proposal is never worse than a1 by the
        supernet's accuracy.
        """
        a1 = self.space.architecture(self.a1)
        low, high = window_ms
        seeds = [a1] if low <= float(latency_ms([a1])[0]) <= high else []
        return self.run_evolution(self.part, latency_ms, window_ms, rng, seeds)[:count]

    def own_state(self) -> dict[str, Any]:
        return super().own_state() | {"a1": list(self.a1)}

    def load_own_state(self, state: dict[str, Any]) -> None:
        super().load_own_state(state)
        if state["a1"]:
            self._fix(tuple(state["a1"]))


def _stage_boundary(space: Space) -> int:
    """The number of layers before the network's stage boundary that is nearest to two fifths of the layers."""
    stages = [choice.name.split(".")[0] for choice in space.choices]
    boundaries = [i for i in range(1, len(stages)) if stages[i] != stages[i - 1]] or [max(1, round(0.4 * len(stages)))]
    return min(boundaries, key=lambda i: abs(i - 0.4 * len(stages)))
