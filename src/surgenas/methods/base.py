"""What is a search method? A frozen value whose fields are its settings: it says what it needs, and begins a search.

A search asks for work, is told what came of it, and proposes architectures. It runs no epochs, trains no candidates and
measures nothing by itself: an engine does, so the same search runs on images, on a table, here or elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, ClassVar, Literal, Protocol, runtime_checkable

import numpy as np
import torch
from torch import Tensor

from surgenas.accuracy.explained import Explained
from surgenas.core.architecture import Architecture
from surgenas.core.errors import UsageError
from surgenas.core.space import Floats, Space
from surgenas.core.trial import Trial
from surgenas.core.work import Work
from surgenas.methods.candidates import HeldOut
from surgenas.methods.selection import OperatorChoice
from surgenas.nn import Precision
from surgenas.nn.sharing import Sharing
from surgenas.predictors.base import Predictor

Latency = Callable[[Sequence[Architecture]], Floats]
"""A function that returns the predicted latencies (N,) of N architectures, in milliseconds."""
Batches = Iterable[tuple[Tensor, Tensor]]
"""The mini-batches of one pass over the images: pairs of images (N, C, H, W) and labels (N,)."""
Gather = Callable[[Any, int], tuple[float, float, float]]
"""From a search with shared weights, as it is now, and the number of an epoch as its schedules count them, to what a
step of that epoch returned on average, trained by all processes that there are."""


@dataclass(frozen=True, kw_only=True)
class EpochSummary:
    """What one epoch of training shared weights did, for the journal and the report.

    epoch: its number, counted from 0. loss, accuracy: on the training images, averaged over the epoch's steps and over
    the paths of a step. latency_ms: predicted latency of what the search sampled, averaged over steps; NaN while
    weights alone are trained.
    """

    epoch: int
    loss: float
    accuracy: float
    latency_ms: float


Event = EpochSummary | Trial
"""What a search says of a finished piece of work: the summary of an epoch, or the trial of one architecture."""


@dataclass(frozen=True, kw_only=True)
class Needs:
    """What a method needs in order to run, and how much work that is.

    shares: the ways to share weights that it can train; empty for a method that trains each candidate by itself.
    data: "held out" if it judges candidates by images that are not trained on, "halves" if it learns from as many of
    these as from the others, else "one". least_held: how many such images it needs.
    cost: the kind of latency predictor that it needs: "relaxed" for one that a gradient passes through, "additive" for
    a sum over layers, "any".
    operators: how the operators of a device are chosen before the search begins; None to keep all of them.
    priced: the search uses the latency of each candidate beside its score.
    rungs: how many fidelities it needs at least.

    longer: its default number of epochs, divided by that of a method that runs every operator in every step.
    least_steps: training steps that its default number of epochs must reach, which matters for small data sets.
    passes: forward passes of one path in each training step. together: all of them are one pass, so that what all
    operators compute is in memory at once.
    after: passes over the images beyond the epochs that are asked for. short: training steps of one path that
    candidates take beside those.
    judged: about how many candidates it judges with the shared weights.
    trained: candidates that it trains by themselves, counted in trainings at the last fidelity.
    apart: each fidelity is so many times as long a training as the one before it. goes_on: candidates are trained as
    the found network is, and a training goes on from one fidelity to the next, and to the end.
    """

    shares: tuple[Sharing, ...] = ()
    data: Literal["one", "held out", "halves"] = "one"
    least_held: int = 0
    cost: Literal["relaxed", "additive", "any"] = "relaxed"
    operators: OperatorChoice | None = None
    priced: bool = False
    rungs: int = 1
    longer: float = 1.0
    least_steps: int = 0
    passes: int = 0
    together: bool = False
    after: int = 0
    short: int = 0
    judged: int = 0
    trained: int = 0
    apart: int = 4
    goes_on: bool = False

    @property
    def searches(self) -> bool:
        """Whether the method trains anything before it proposes."""
        return bool(self.shares or self.trained)


LEAST_HELD = 30
"""With fewer images held out, one of them moves an accuracy by more than what tells candidates apart."""


def check_held(name: str, needs: Needs, held: int) -> None:
    """Raise UsageError if a method needs more images held out than there are."""
    if held < needs.least_held:
        raise UsageError(
            f"{name} needs images that its weights are not trained on, and {held} are too few to tell candidates "
            f"apart; give it data with {needs.least_held} or more to hold out"
        )


def allow_all(archs: Sequence[Architecture]) -> np.ndarray:
    """Allow every architecture: the default of `feasible`, (N,) of True."""
    return np.ones(len(archs), dtype=bool)


@dataclass(frozen=True, eq=False)
class Problem:
    """What a search is to solve.

    limit_ms: the latency that the search aims at; a run sets it a little below the user's limit.
    predictor: predicts latency; None where costs are looked up in a table.
    feasible: from N architectures to (N,) booleans, True for those that meet the limit.
    priced: the engine can be asked for costs.
    rungs: for each fidelity, the cheapest first, its cost as a share of one full judgement.
    steps_per_epoch, accelerator, precision, held_out: used only by methods that share weights.
    start: weights of the space's largest network, with which shared weights begin; None for fresh ones.
    gather: has several processes train an epoch; None for a search that trains by itself.
    extra: work beyond what the method's settings say, after the search missed the limit: epochs for methods that share
    weights, quarters of `trials` for the others.
    """

    space: Space
    limit_ms: float
    seed: int
    predictor: Predictor | None = None
    feasible: Callable[[Sequence[Architecture]], np.ndarray] = allow_all
    priced: bool = True
    rungs: tuple[float, ...] = (1.0,)
    steps_per_epoch: int = 1
    accelerator: torch.device = field(default_factory=lambda: torch.device("cpu"))
    precision: Precision = "auto"
    held_out: HeldOut | None = None
    start: Mapping[str, Tensor] | None = None
    gather: Gather | None = None
    extra: int = 0

    @cached_property
    def portable(self) -> Problem:
        """The same for another process: without what only the process that has the search can do."""
        return replace(self, gather=None, feasible=allow_all)


class Search(Protocol):
    """A search in progress. Its state is the history of what it was told, and what `state_dict` returns.

    most_events: how many events it will give from its beginning to its end, as far as it knows.
    """

    @property
    def most_events(self) -> int: ...

    def ask(self) -> Sequence[Work]:
        """The work to be done next; empty if the search is ready to propose."""

    def tell(self, work: Work, result: Any) -> Sequence[Event]:
        """Take the result of one piece of work that was asked for, and return the events to be recorded for it."""

    def propose(
        self, latency_ms: Latency, window_ms: tuple[float, float], count: int, rng: np.random.Generator
    ) -> list[Architecture]:
        """Up to `count` different networks whose predicted latency lies in the window, in the order of the search's
        preference.

        window_ms: the lowest and the highest latency allowed. The answer depends only on the arguments, the history and
        what `state_dict` returns, so a resumed search proposes the same networks.
        """

    def largest(self) -> Architecture:
        """The architecture that the search would choose if there were no limit."""

    def state_dict(self) -> dict[str, Any]:
        """What must be saved, beside the history, to continue the search."""

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue from what `state_dict` returned."""


@runtime_checkable
class HoldsWeights(Protocol):
    """A search that has trained weights for every architecture."""

    def weights_of(self, arch: Architecture) -> dict[str, Tensor]:
        """The weights that the architecture has now, as a network of its own takes them."""


@runtime_checkable
class Explains(Protocol):
    """A search that has learned what explains the accuracy of networks that were judged."""

    def explained(self) -> Explained | None:
        """How well each of several models does; None before any network was judged."""


@runtime_checkable
class Method(Protocol):
    """A published method with its settings, which are the fields of a frozen dataclass.

    name: its name in the catalogue. default_space: the space that it searches if the user names none.
    """

    name: ClassVar[str]
    default_space: ClassVar[str]

    def needs(self, space: Space) -> Needs:
        """What this method, with these settings, needs to search the space."""

    def begin(self, problem: Problem) -> Search:
        """Start a search."""
