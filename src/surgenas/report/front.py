"""The candidates that no other one beats in accuracy and latency together, with what else the target counts of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from html import escape
from typing import Any

from surgenas.core.amounts import show_amount
from surgenas.core.units import show_ms
from surgenas.runs.front import TradeOff

NOTE = (
    "Of all candidates of the search, those than which no other is both better and faster. Accuracies are of short "
    "trainings, on images held out; they rank candidates and are lower than those of trained networks."
)


def section(found: Sequence[TradeOff], table: Callable[[list[str], list[list[Any]]], str]) -> str:
    """The section of the page; empty if no candidate was priced. table: from a head and rows to HTML."""
    if not found:
        return ""
    units = list(found[0].counted)
    rows = [
        [one.architecture, f"{one.score:.1%}", show_ms(one.latency_ms), *(_shown(unit, one) for unit in units)]
        for one in found
    ]
    head = ["network", "accuracy held out", "latency", *units]
    return f'<section><h2>Trade-offs</h2>{table(head, rows)}<p class="note">{escape(NOTE)}</p></section>'


def _shown(unit: str, one: TradeOff) -> str:
    return show_amount(unit, one.counted[unit]) if unit in one.counted else "-"
