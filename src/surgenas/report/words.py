"""How are tables drawn as text, and values printed that may be unknown? The same way for all commands."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.table import Table

from surgenas.core.units import show_ms, show_seconds
from surgenas.hardware.timed.as_it_comes import RUNS, AsItComes, LatencyAs
from surgenas.hardware.timed.comparison import Comparison
from surgenas.runs.config import Start
from surgenas.runs.names import NOTHING
from surgenas.runs.results import Started, TotalCost
from surgenas.runs.summary import Summary
from surgenas.runs.total_cost import WANTED

WIDTH = 120
"""Characters in a line of printed text."""
UNSURE = 0.05
"""From this doubt of the scale on, it is said in words."""


def draw(table: Table) -> str:
    """The table as plain text. Long cells are folded, not cut off, so that paths stay whole."""
    for column in table.columns:
        column.overflow = "fold"
    sink = io.StringIO()
    Console(file=sink, width=WIDTH, emoji=False).print(table)
    return "\n".join(line.rstrip() for line in sink.getvalue().rstrip().splitlines())


def show_comparison(comparison: Comparison | None) -> str:
    """A ratio of latencies: '1.08 (1.06-1.10)', with ', tie' if there is no difference; '1.08' where there is no
    interval, as for estimates; '-' for None."""
    if comparison is None:
        return "-"
    low, high = comparison.interval
    if low == high:
        return f"{comparison.ratio:.2f}{', tie' if comparison.tie else ''}"
    return f"{comparison.ratio:.2f} ({low:.2f}-{high:.2f}){', tie' if comparison.tie else ''}"


def show_percent(value: float | None) -> str:
    """The share as a percentage, '-' for None."""
    return "-" if value is None else f"{value:.2%}"


def show_known_ms(value: float | None) -> str:
    """The latency with its unit, '-' for None."""
    return "-" if value is None else show_ms(value)


def show_interval(value: tuple[float, float] | None) -> str:
    """The interval of latencies with its unit, '-' for None."""
    return "-" if value is None else f"{show_ms(value[0])} to {show_ms(value[1])}"


def show_limit(asked_ms: float | None, limit_ms: float, latency_as: LatencyAs) -> str:
    """What was asked for: "4 ms", or "4 ms for nine runs of ten"."""
    if latency_as == "quiet" or asked_ms is None:
        return show_ms(limit_ms)
    return f"{show_ms(asked_ms)} for {RUNS[latency_as]}"


def show_as_it_comes(p50: AsItComes | None, p90: AsItComes | None) -> list[str]:
    """A line on what users of the machine get, its busy moments among them; none if that is not known."""
    known = [(runs, found) for runs, found in ((RUNS["p50"], p50), (RUNS["p90"], p90)) if found]
    said = [f"{runs} took {show_ms(found.ms)} or less ({show_interval(found.interval_ms)})" for runs, found in known]
    return [f"as runs came while this was measured: {', '.join(said)}"] if said else []


def start_note(start: Start, started: Started | None = None) -> list[str]:
    """A line on what the found network has before others, if it has anything. started: the whole network, if the run
    began with its weights."""
    if started:
        held_out = "" if started.accuracy is None else f"; it said {started.accuracy:.1%} of the images held out right"
        return [
            f"Networks began with their part of {started.loaded.source}, after {started.epochs} epochs of the whole "
            f'network on these images{held_out}. Only "{NOTHING}" began with fresh weights'
        ]
    if start == "fresh":
        return []
    return [
        "Networks of the searched space began their training with weights of the search (--start inherit), MobileNetV2 "
        "with fresh ones: their accuracies are not those of equal training"
    ]


def scale_note(doubt: float | None, networks: Sequence[str] = ()) -> list[str]:
    """A line on what a millisecond is on this machine, if that is not known well; else none. networks: whose
    milliseconds are meant, if not all."""
    if doubt is None or doubt <= UNSURE:
        return []
    of = f", for {', '.join(networks)}," if networks else ""
    return [
        f"What a millisecond is here{of} is known within {doubt:.0%} only: this machine was watched briefly, or is "
        "faster at times. Ratios hold, and measuring again some minutes later settles it"
    ]


def accuracy_note(summary: Summary) -> list[str]:
    """How sure the found network's accuracy is; nothing where that is not known."""
    if summary.accuracy_interval is None:
        return []
    low, high = summary.accuracy_interval
    return [f"test accuracy {low:.1%} to {high:.1%} (95 %), as far as {summary.tested_on:,} test images can tell"]


def length_note(summary: Summary) -> list[str]:
    """That some networks were trained for longer than others, where it is so."""
    longer = summary.random_at_equal_cost or summary.instead_at_equal_cost
    return ["Those at equal total cost were trained for as long as search and training took together"] if longer else []


def cost_note(cost: TotalCost | None, seconds: Mapping[str, float]) -> list[str]:
    """What finding and training the network took; nothing where that is not known. seconds: by step."""
    if cost is None:
        return []
    kinds = {"search": cost.search, "judging": cost.judging, "training": cost.training}
    told = ", ".join(f"{name} {count:,}" for name, count in kinds.items() if count)
    return [
        f"cost    {cost.passes:,} images passed ({told}), as by {cost.epochs} epochs of training alone; "
        f"{show_seconds(sum(seconds.get(step, 0.0) for step in WANTED))} with measuring"
    ]
