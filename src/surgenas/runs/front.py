"""Which candidates of a run does no other one beat, in accuracy and in latency together (a Pareto front)?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from surgenas.core.cost import Unit
from surgenas.core.record import Record
from surgenas.hardware.costs import read_cost
from surgenas.runs.asked import search_prices
from surgenas.runs.run import Run


@dataclass(frozen=True)
class TradeOff(Record):
    """A candidate of the front. score: on images held out. counted: what its target counts beside latency."""

    architecture: str
    score: float
    latency_ms: float
    counted: Mapping[Unit, float]


def trade_offs(run: Run) -> tuple[TradeOff, ...]:
    """The candidates that no other one beats, the fastest first; none if the search asked for no costs."""
    costs = {record["key"]: read_cost(record) for record in search_prices(run)}
    trials = [event for event in run.journal.all("trial") if event["key"] in costs]
    found: list[TradeOff] = []
    for event in sorted(trials, key=lambda event: (costs[event["key"]].ms, -event["score"])):
        if not found or event["score"] > found[-1].score:
            cost = costs[event["key"]]
            counted = {unit: value for unit, value in cost.values.items() if unit != "ms"}
            text = str(run.architecture(event["genes"]))
            found.append(TradeOff(text, event["score"], cost.ms, counted))
    return tuple(found)
