"""What explains the accuracy of the networks that a search judged? Every model on the same split, in a table and in a
line; scores are accuracies, so errors are told in points."""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from typing import Any

from surgenas.accuracy.explained import Explained, ModelScore

NO_BETTER = "no model predicts it better than its mean does"
LINE = 3
"""So many models are told in the line."""
COUNTED = ("macs", "params")
"""What anybody knows of a network, told beside a topology number in any case."""


def explained_line(found: Explained | None) -> list[str]:
    """A line on the model that is best at what it has not seen, with MACs and parameters beside it; none if nothing was
    learned."""
    if found is None:
        return []
    of = f"accuracy of the first {found.samples} networks"
    if not found.chosen:
        return [f"{of}: no model explains it, so the last ones were drawn at random"]
    best, *others = [row for row in found.models if not row.refusal]
    beside = sorted(others, key=lambda row: row.name not in COUNTED)[: LINE - 1]
    how = f"{best.name} explains it best" if found.beats_mean else f"{NO_BETTER}; the least wrong is {best.name}"
    refused = [f"refused: {', '.join(row.name for row in found.refused)}"] if found.refused else []
    return ["; ".join([f"{of}: {how} {_short(best)}", *(f"{row.name} {_short(row)}" for row in beside), *refused])]


def section(found: Explained | None, table: Callable[[list[str], list[list[Any]]], str]) -> str:
    """The section of the page; empty if nothing was learned. table: from a head and rows to HTML."""
    if found is None:
        return ""
    rows = [
        [
            row.name, _points(row.error), _rank(row.spearman), _rank(row.kendall), _number(row.a), _number(row.b),
            row.refusal or ("used" if row.name == found.chosen else ""),
        ]
        for row in found.models
    ]  # fmt: skip
    head = ["model", "held-out error", "Spearman", "Kendall tau", "a", "b", ""]
    note = (
        f"Learned from the first {found.samples} networks, which spread by {_points(found.spread)}: that is the error "
        "of always predicting their mean. Error and ranks are of networks left out of a fit, the same for all models. "
        "Formulas of one number are 1/accuracy = a f(g / mean g) + b; where a is not above zero, accuracy falls with "
        "the number. An index that is no better than MACs or parameters says nothing new."
    )
    if not found.beats_mean:
        note = f"{NO_BETTER.capitalize()}, so the last networks are hardly better than a guess. {note}"
    return f'<section><h2>What explains accuracy</h2>{table(head, rows)}<p class="note">{escape(note)}</p></section>'


def _short(row: ModelScore) -> str:
    return f"(held out: off by {_points(row.error)}, rank {_rank(row.spearman)})"


def _points(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.2f} points"


def _rank(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.3g}"
