"""What is a search method? A frozen value whose fields are its settings: it says what it needs, and begins a search.

A search asks for work, is told what came of it, and proposes architectures. It runs no epochs, trains no candidates and
measures nothing by itself: an engine does, so the same search runs on images, on a table, here or elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, Protocol, runtime_checkable

import numpy as np
import torch
from torch import Tensor

from surgenas.core.architecture import Architecture
from surgenas.core.space import Floats, Space
from surgenas.core.trial import Trial
from surgenas.core.work import Work
from surgenas.methods.candidates import HeldOut
from surgenas.methods.selection import OperatorChoice
from surgenas.nn.sharing import Sharing
from surgenas.predictors.base import Predictor

Latency = Callable[[Sequence[Architecture]], Floats]
"""Predicted milliseconds of architectures."""
Batches = Iterable[tuple[Tensor, Tensor]]
"""(images (N, C, H, W), labels (N,)) of one pass."""


@dataclass(frozen=True, kw_only=True)
class EpochSummary:
    """What an epoch of shared weights did, for the journal and the report. Losses are means over steps and paths."""

    epoch: int
    loss: float
    accuracy: float
    latency_ms: float


Event = EpochSummary | Trial
"""What came of a piece of work, worth a line in the journal."""


@dataclass(frozen=True, kw_only=True)
class Needs:
    """What a method needs to be run, and what that costs.

    shares: ways to share weights that it can train; none for a method that trains candidates by themselves. data:
    "held out" if it judges by images that it does not train on. cost: the predictor that it needs: one that a gradient
    passes through ("relaxed"), a sum over layers ("additive"), or any. operators: how it wants a device's operators
    chosen before it begins. priced: does it search for score and cost together? rungs: fidelities that it needs at
    least.

    longer: how many times more epochs it takes by default than a method that runs every operator in every step.
    least_steps: on small data sets it takes as many epochs as make these. passes: forward passes of one path in a
    step. judged: candidates at most that it judges with shared weights. trained: by themselves.
    """

    shares: tuple[Sharing, ...] = ()
    data: Literal["one", "held out"] = "one"
    cost: Literal["relaxed", "additive", "any"] = "relaxed"
    operators: OperatorChoice | None = None
    priced: bool = False
    rungs: int = 1
    longer: float = 1.0
    least_steps: int = 0
    passes: int = 0
    judged: int = 0
    trained: int = 0


def anywhere(archs: Sequence[Architecture]) -> np.ndarray:
    """Which of these meet the limit? All, where there is none."""
    return np.ones(len(archs), dtype=bool)


@dataclass(frozen=True, eq=False)
class Problem:
    """What is searched for. limit_ms: what the latency shall be near to, from below.

    predictor: of latency; None where costs are looked up. feasible: which architectures meet the limit. priced: is
    there a cost to be asked for? rungs: share of a full judgement that each fidelity costs, the cheapest first.
    steps_per_epoch, accelerator, held_out: for methods that share weights. extra: passes, or candidates, beyond what
    the method's settings say, after it missed the limit.
    """

    space: Space
    limit_ms: float
    seed: int
    predictor: Predictor | None = None
    feasible: Callable[[Sequence[Architecture]], np.ndarray] = anywhere
    priced: bool = True
    rungs: tuple[float, ...] = (1.0,)
    steps_per_epoch: int = 1
    accelerator: torch.device = field(default_factory=lambda: torch.device("cpu"))
    held_out: HeldOut | None = None
    extra: int = 0


class Search(Protocol):
    """A search that goes on. What it holds beside the history of what it was told is in `state_dict`."""

    def ask(self) -> Sequence[Work]:
        """What to do next; nothing if it is ready to propose."""

    def tell(self, work: Work, result: Any) -> Sequence[Event]:
        """What came of it; the events that follow from that."""

    def propose(
        self, latency_ms: Latency, window_ms: tuple[float, float], count: int, rng: np.random.Generator
    ) -> list[Architecture]:
        """Up to `count` different networks whose predicted latency lies in the window, what the search prefers first.

        A function of the history and of what `state_dict` holds: a resumed search proposes the same.
        """

    def largest(self) -> Architecture:
        """What it would choose were there no limit."""

    def state_dict(self) -> dict[str, Any]: ...
    def load_state_dict(self, state: dict[str, Any]) -> None: ...


@runtime_checkable
class Method(Protocol):
    """A published method with its settings. default_space: where it searches if nothing else is asked for."""

    name: ClassVar[str]
    default_space: ClassVar[str]

    def needs(self, space: Space) -> Needs: ...
    def begin(self, problem: Problem) -> Search: ...
