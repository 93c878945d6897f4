"""What does the work that a search asks for? An engine: from a piece of work to its result. `drive`
connects the two."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from torch import Tensor

from surgenas.core.work import Work
from surgenas.methods.base import Event, Search
from surgenas.tasks.by_class import ByClass
from surgenas.tasks.misjudged import Misjudged


class Engine(Protocol):
    """Does work."""

    def expect(self, works: Sequence[Work]) -> None:
        """Hear that `perform` will be asked for these, in this order: whoever can work on several at once begins."""

    def perform(self, work: Work) -> Any:
        """The result of this work; `core.work` says for each kind what it is. Raises UsageError for a kind that it
        cannot do."""


@dataclass(frozen=True, eq=False)
class Trained:
    """The result of training one network: its weights, on the CPU, its accuracy (0 to 1) on the test part, how well it
    tells each class there, and which images it judges worst there."""

    weights: dict[str, Tensor]
    accuracy: float
    classes: ByClass
    misjudged: tuple[Misjudged, ...]


def drive(search: Search, engine: Engine) -> Iterator[tuple[Work, Event]]:
    """Have an engine do what a search asks for, until the search asks for nothing more.

    Yields each event as soon as the search returns it, with the work that it belongs to.
    """
    while asked := search.ask():
        engine.expect(asked)
        for work in asked:
            for event in search.tell(work, engine.perform(work)):
                yield work, event


@dataclass(frozen=True)
class Remembering:
    """An engine that looks up the result of work that was done before.

    recall: the recorded result of this work, or None. keep: records a result. kept: the kinds of work that are
    recorded; other kinds have results that cannot be written down, and are done every time.
    """

    engine: Engine
    recall: Callable[[Work], Any]
    keep: Callable[[Work, Any], None]
    kept: tuple[type, ...]

    def expect(self, works: Sequence[Work]) -> None:
        """Pass on what is not recorded."""
        self.engine.expect([work for work in works if not isinstance(work, self.kept) or self.recall(work) is None])

    def perform(self, work: Work) -> Any:
        """The recorded result of this work, or that of doing it now."""
        if not isinstance(work, self.kept):
            return self.engine.perform(work)
        known = self.recall(work)
        if known is None:
            known = self.engine.perform(work)
            self.keep(work, known)
        return known
