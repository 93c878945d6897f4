"""How are tables drawn as text, and quantities said that may be unknown? The same everywhere in the terminal."""

from __future__ import annotations

import io

from rich.console import Console
from rich.table import Table

from surgenas.core.units import show_ms
from surgenas.hardware.timed.measurement import Comparison

WIDTH = 120


def draw(table: Table) -> str:
    """As plain text. What is too long for its column goes on below: half a folder's name is of no use."""
    for column in table.columns:
        column.overflow = "fold"
    sink = io.StringIO()
    Console(file=sink, width=WIDTH).print(table)
    return "\n".join(line.rstrip() for line in sink.getvalue().rstrip().splitlines())


def show_comparison(comparison: Comparison | None) -> str:
    """'1.08 (1.06-1.10)', a tie said so; the bare ratio where nothing is uncertain; '-' where nothing can be told."""
    if comparison is None:
        return "-"
    low, high = comparison.interval
    if low == high:
        return f"{comparison.ratio:.2f}"
    return f"{comparison.ratio:.2f} ({low:.2f}-{high:.2f}){', tie' if comparison.tie else ''}"


def show_percent(value: float | None) -> str:
    return "-" if value is None else f"{value:.2%}"


def show_known_ms(value: float | None) -> str:
    return "-" if value is None else show_ms(value)


def show_interval(value: tuple[float, float] | None) -> str:
    return "-" if value is None else f"{show_ms(value[0])} to {show_ms(value[1])}"
