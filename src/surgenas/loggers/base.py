"""What is a logger told? Points of curves, settings, words and files; it may remember which points it has."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Plain = str | int | float | bool
Status = Literal["success", "failed", "aborted"]
"""How the work on a run ended, in Lightning Fabric's words; `aborted`: it can be resumed."""


@dataclass(frozen=True)
class Point:
    """A number that a run found. name: of its curve, its parts separated by slashes. step: counted from 0."""

    name: str
    step: int
    value: float


class Logger(ABC):
    """A place that a run is written to. Its methods may raise anything: `loggers.destination` sees to that."""

    word: str = ""
    """What the place calls this run, if a later session needs to know it to go on there; known from `known` on."""

    @abstractmethod
    def known(self) -> Mapping[tuple[str, int], float]:
        """The values that the place has of this run already, by name and step; called once, before all else."""

    @abstractmethod
    def write(self, points: Sequence[Point]) -> None:
        """Write finite numbers; they are there for readers when this returns."""

    @abstractmethod
    def write_settings(self, settings: Mapping[str, Plain]) -> None:
        """Write what defines the run. Each session tells the same again."""

    def write_words(self, words: Mapping[str, str]) -> None:  # noqa: B027  a place may leave it out
        """Write what was found and is no number. A place without a way to hold it leaves it out, as here."""

    def keep(self, file: Path) -> None:  # noqa: B027
        """Keep a copy of a file of the run. A place that keeps no files leaves it out, as here."""

    def close(self, status: Status) -> None:  # noqa: B027
        """Hear that nothing more comes in this session."""
