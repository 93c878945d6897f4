"""What would a run do, and what would it take?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from surgenas.core.record import Record

if TYPE_CHECKING:  # whoever names a plan need not load what a run needs
    from surgenas.runs.results import Planned, Reached


@dataclass(frozen=True)
class Plan(Record):
    """What a search would do. reachable_ms: the lowest and the highest latency. seconds: estimated, by step.
    resolution: height and width of the images. width: the multiplier of the channels."""

    limit_ms: float
    reachable_ms: tuple[float, float]
    epochs: int
    train_epochs: int
    seconds: dict[str, int]
    total_seconds: int
    memory_bytes: int
    resolution: int
    width: float


def foresee(reached: Reached, planned: Planned, resolution: int, width: float) -> Plan:
    """The plan of a run that is prepared."""
    steps = {
        "profile": planned.profile_s, "search": planned.search_s, "train": planned.train_s, "other": planned.other_s,
    }  # fmt: skip
    return Plan(
        reached.limit_ms, (reached.low_ms, reached.high_ms), planned.epochs, planned.train_epochs,
        {name: round(seconds) for name, seconds in steps.items()}, round(planned.total_s), planned.memory_bytes,
        resolution, width,
    )  # fmt: skip
