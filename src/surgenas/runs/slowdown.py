"""How much slower is a machine as its users get it than in its quiet state, and what limit follows from that?

A limit may be asked for a percentile of the runs as they come (docs/measurement.md, 23). Networks are chosen by their
quiet latency all the same, which can be told apart within a percent: below the limit over the slowdown.
"""

from __future__ import annotations

from dataclasses import replace

from surgenas.core.cost import Cost
from surgenas.core.errors import UsageError
from surgenas.core.units import show_ms
from surgenas.hardware.costs import read_cost
from surgenas.hardware.target import TimedTarget
from surgenas.hardware.timed.as_it_comes import RUNS, Percentile, percentile
from surgenas.hardware.timed.measurement import Measurement
from surgenas.runs.results import Reached
from surgenas.runs.run import Run


def check_percentile(run: Run) -> None:
    """Raise UsageError if a limit is asked for a percentile, but no limit, or nothing runs on the target."""
    which = asked_percentile(run)
    if which is None:
        return
    if run.config.target.latency_ms is None:
        raise UsageError(f"--latency-as {which} says what a limit is for; give it with --latency")
    if not isinstance(run.target, TimedTarget):
        raise UsageError(f"--latency-as {which}: nothing runs on {run.target.name}, so its runs have no percentiles")


def asked_percentile(run: Run) -> Percentile | None:
    """The percentile that the limit is for; None for the quiet state."""
    which = run.config.target.latency_as
    return None if which == "quiet" else which


def slowdown(run: Run, which: Percentile) -> float:
    """The percentile of all runs of this run until now, as they came, each over its network's quiet latency."""
    costs = [read_cost(event["cost"]) for event in run.journal.all("measured")]
    spreads = [
        tuple(ms / cost.ms for ms in spread)
        for cost in costs if isinstance(cost, Measurement) for spread in cost.spreads_ms
    ]  # fmt: skip
    found = percentile(spreads, which)
    return max(1.0, found.ms) if found else 1.0


def with_slowdown(run: Run, reached: Reached) -> Reached:
    """With what is known of the slowdown by now; unchanged if the limit is for the quiet state."""
    which = asked_percentile(run)
    return replace(reached, slowdown=slowdown(run, which)) if which else reached


def share_of_limit(run: Run, cost: Cost) -> float:
    """This cost over the limit, both of what the limit is for."""
    which, reached = asked_percentile(run), run.reached
    found = cost.as_it_comes(which) if which and isinstance(cost, Measurement) else None
    return found.ms / reached.asked_ms if found and reached.asked_ms else cost.ms / reached.limit_ms


def describe_limit(run: Run) -> str:
    """In words: "4 ms", or "4 ms for nine runs of ten (quiet 3.2 ms)"."""
    which, reached = asked_percentile(run), run.reached
    if which is None or reached.asked_ms is None:
        return show_ms(reached.limit_ms)
    return f"{show_ms(reached.asked_ms)} for {RUNS[which]} (quiet {show_ms(reached.limit_ms)})"
