"""Does a network keep to what a run allows beside latency: memory, or whatever else its target counts?"""

from __future__ import annotations

from dataclasses import dataclass

from surgenas.core.amounts import show_amount
from surgenas.core.cost import Cost, Unit
from surgenas.core.errors import UsageError
from surgenas.core.record import Record
from surgenas.hardware.costs import read_cost
from surgenas.hardware.target import Target
from surgenas.runs.run import Run


@dataclass(frozen=True)
class Resource(Record):
    """So much of a unit that a target counts. limit: None if none was given."""

    unit: Unit
    value: float
    limit: float | None = None


def check_resources(run: Run) -> None:
    """Raise UsageError for a limit on what the run's target does not count."""
    for unit in run.config.target.limits:
        if unit == "ms":
            raise UsageError("--limit ms: the limit of the latency is --latency")
        if unit not in (known := _units(run.target)):
            told = f"{run.target.name} counts {', '.join(known)}" if known else f"{run.target.name} counts time alone"
            raise UsageError(f"--limit {unit}: {told}")


def _units(target: Target) -> tuple[str, ...]:
    return tuple(unit for unit in target.units if unit != "ms")


def keeps(run: Run, cost: Cost) -> bool:
    """Is a network of this cost within all further limits?"""
    return all(cost.values[unit] <= limit for unit, limit in run.config.target.limits.items())


def excess(run: Run, cost: Cost) -> str:
    """What a network of this cost has too much of, in words; empty if it keeps to all further limits."""
    return ", ".join(
        f"{show_amount(unit, cost.values[unit])} (limit {show_amount(unit, limit)})"
        for unit, limit in run.config.target.limits.items()
        if cost.values[unit] > limit
    )


def reached_excess(run: Run) -> tuple[str, str]:
    """The same of the networks with the fewest and the most MACs, which are measured first."""
    if not run.config.target.limits:
        return "", ""
    found = [read_cost(event["cost"]) for event in run.journal.all("measured", step="reach")]
    return excess(run, found[0]), excess(run, found[-1])


def resources_of(run: Run, cost: Cost | None) -> tuple[Resource, ...]:
    """What was counted of a network beside its latency; nothing where nothing is known."""
    counted = {unit: value for unit, value in cost.values.items() if unit != "ms"} if cost else {}
    return tuple(Resource(unit, value, run.config.target.limits.get(unit)) for unit, value in counted.items())
