"""Who does what a search asks for? An engine: a function from work to its result, and the loop that lets both talk."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from torch import Tensor

from surgenas.core.work import Work
from surgenas.methods.base import Event, Search


class Engine(Protocol):
    """Does work; `core.work` says what the result of each kind is. Raises UsageError for a kind that it cannot do."""

    def perform(self, work: Work) -> Any: ...


@dataclass(frozen=True, eq=False)
class Trained:
    """What came of training one network: its weights on the CPU, and its accuracy on the test part."""

    weights: dict[str, Tensor]
    accuracy: float


def drive(search: Search, engine: Engine) -> Iterator[tuple[Work, Event]]:
    """Do what the search asks for until it asks for nothing more; every event as it comes, with the work behind it."""
    while asked := search.ask():
        for work in asked:
            for event in search.tell(work, engine.perform(work)):
                yield work, event


@dataclass(frozen=True)
class Remembering:
    """An engine that does nothing twice. recall: the result behind a key, or None; keep: writes one down. Only work of
    the kinds `kept` is remembered: the rest has results that cannot be written down."""

    engine: Engine
    recall: Callable[[Work], Any]
    keep: Callable[[Work, Any], None]
    kept: tuple[type, ...]

    def perform(self, work: Work) -> Any:
        if not isinstance(work, self.kept):
            return self.engine.perform(work)
        known = self.recall(work)
        if known is None:
            known = self.engine.perform(work)
            self.keep(work, known)
        return known
