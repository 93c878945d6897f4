"""Which networks did a run ask its target about, what for, and what was the surest answer about each?"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from surgenas.core.record import Record
from surgenas.hardware.costs import read_cost
from surgenas.runs.run import Run

LEARNED, CANDIDATES, BESIDE = "to learn latency from", "candidates", "to compare with"
PURPOSE = {
    "reach": LEARNED, "profile": LEARNED, "profile-again": LEARNED,
    "search": CANDIDATES, "derive": CANDIDATES, "confirm": CANDIDATES,
}  # fmt: skip
"""What the costs that a step asks for are needed for; those of all other steps are of networks to compare with."""


@dataclass(frozen=True)
class Asked(Record):
    """A network whose latency is known. doubt: relative, None unless it was timed well enough to have an interval."""

    purpose: str
    network: str
    latency_ms: float
    doubt: float | None


def asked_networks(run: Run) -> tuple[Asked, ...]:
    """Every network once for each purpose, in the order in which it was asked about first."""
    found: dict[tuple[str, str], Asked] = {}
    for step, network, record in _answers(run):
        cost = read_cost(record)
        sure = cost.doubt if cost.grade and math.isfinite(cost.doubt) else None
        asked = Asked(PURPOSE.get(step, BESIDE), network, cost.ms, sure)
        known = found.get((asked.purpose, cost.key))
        if known is None or known.doubt is None or (sure is not None and sure < known.doubt):
            found[asked.purpose, cost.key] = asked
    return tuple(found.values())


def search_prices(run: Run) -> list[dict[str, Any]]:
    """The costs that the search itself asked for, as they were recorded."""
    answers = [event["result"] for event in run.journal.all("work") if event["key"].startswith("price/")]
    return [record for answer in answers for record in answer]


def _answers(run: Run) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Step, network and cost of each answer."""
    for event in run.journal.all("measured"):
        if event["step"] != "verify":  # what was compared is drawn by itself
            yield event["step"], "-".join(map(str, event["genes"])), event["cost"]
    for record in search_prices(run):
        yield "search", "", record
