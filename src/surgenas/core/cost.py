"""What does a network cost on a target, and how is that known: was it timed, or did a tool estimate it?

The kind of evidence is the kind of value: a latency that was timed is a `hardware.timed.measurement.Measurement`, what
a tool says is an `Estimate`. So nothing that was only estimated can carry a grade or an interval by mistake.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, Literal, Protocol

from surgenas.core.errors import SurgenasError
from surgenas.core.units import show_ms

Unit = str
"""What a value counts: "ms", "cycles", "bytes", "DSP", ..."""
ENERGY: Unit = "mJ"
"""Millijoules that one run takes. So far estimators alone know them: they are modelled."""
AREA: Unit = "mm2"
"""Square millimetres of a chip that holds the network; modelled likewise."""
Evidence = Literal["measured", "estimated"]


class Effort(StrEnum):
    """How sure a cost has to be. Where nothing is timed, all are the same."""

    LEARN = "learn"
    """One quick campaign: to learn from, to look around."""
    PATIENT = "patient"
    """The same once more, waiting for quiet: of what was too noisy the first time."""
    CLAIM = "claim"
    """Three campaigns in fresh processes: to choose by, and to state."""
    CONFIRM = "confirm"
    """Five: so many that their own spread says how sure they are."""


class Cost(Protocol):
    """The cost of one network on one target. key: of the network; target: the key of what was asked.

    doubt: relative, .02 means +-2 %; NaN where nobody knows. interval_ms, grade, ms_grade: of what was timed, else
    None. doubt and grade are those of comparisons, interval_ms and ms_grade those of the milliseconds.
    """

    @property
    def key(self) -> str: ...
    @property
    def target(self) -> str: ...
    @property
    def values(self) -> Mapping[Unit, float]: ...
    @property
    def ms(self) -> float: ...
    @property
    def doubt(self) -> float: ...
    @property
    def evidence(self) -> Evidence: ...
    @property
    def interval_ms(self) -> tuple[float, float] | None: ...
    @property
    def grade(self) -> str | None: ...
    @property
    def ms_grade(self) -> str | None: ...
    @property
    def is_usable(self) -> bool:
        """Is it known well enough to learn from?"""

    def to_dict(self) -> dict[str, Any]:
        """As JSON; `hardware.costs.read_cost` is the inverse."""


@dataclass(frozen=True)
class Estimate:
    """What a tool says of a network that never ran. values: by unit, "ms" among them. assumptions: in whole sentences,
    what the tool takes for granted. by_layer: milliseconds of the parts that it knows, in the order of the data."""

    key: str
    target: str
    values: Mapping[Unit, float]
    tool: str
    version: str
    assumptions: tuple[str, ...] = ()
    by_layer: tuple[tuple[str, float], ...] = ()

    @property
    def ms(self) -> float:
        return self.values["ms"]

    @property
    def doubt(self) -> float:
        """Nobody compared it with the device."""
        return math.nan

    @property
    def evidence(self) -> Evidence:
        return "estimated"

    @property
    def interval_ms(self) -> None:
        return None

    @property
    def grade(self) -> None:
        return None

    @property
    def ms_grade(self) -> None:
        return None

    @property
    def is_usable(self) -> bool:
        return True

    def to_dict(self) -> dict[str, Any]:
        return asdict(self) | {"values": dict(self.values), "by_layer": [list(row) for row in self.by_layer]}

    @classmethod
    def from_dict(cls, record: dict[str, Any]) -> Estimate:
        layers = tuple((str(name), float(ms)) for name, ms in record["by_layer"])
        return cls(**{**record, "assumptions": tuple(record["assumptions"]), "by_layer": layers})


def show_cost(cost: Cost) -> str:
    """In words: "measured 1.2 ms +-.8% (grade A)", or "estimated 1.2 ms"."""
    if cost.interval_ms is None:
        return f"{cost.evidence} {show_ms(cost.ms)}"
    half = (cost.interval_ms[1] - cost.ms) / cost.ms
    return f"{cost.evidence} {show_ms(cost.ms)} +-{half:.1%} (grade {cost.ms_grade})"


@dataclass(frozen=True)
class Failure:
    """Why a target has no cost for a network."""

    key: str
    error: SurgenasError
