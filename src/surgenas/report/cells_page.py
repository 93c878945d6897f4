"""How do the cells of a network look, and how were they found? Graphs of operators, probabilities, decisions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import plotly.colors
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from surgenas.core.capabilities import Cells
from surgenas.report.canvas import ACCENT, INK, MUTED, WARM, blank
from surgenas.runs.story import Story

COLOURS = plotly.colors.qualitative.Dark24


def cells_figure(cells: Cells) -> go.Figure:
    """Every kind of cell as a graph: nodes from left to right, an arc for each edge, its operator in the middle."""
    figure = make_subplots(rows=len(cells), subplot_titles=list(cells), vertical_spacing=0.12)
    figure.update_layout(blank("", "").layout, height=60 + 250 * len(cells))
    for row, edges in enumerate(cells.values(), start=1):
        spans: dict[int, int] = {}
        for source, target, operator in edges:
            span = target - source
            spans[span] = spans.get(span, 0) + 1  # arcs of one length lie on alternating sides
            height = (0.35 + 0.3 * span) * (1 if (spans[span] + span) % 2 else -1)
            middle = (source + target) / 2
            x, y = [source, middle, target], [0.0, height, 0.0]
            line = {"color": MUTED if operator == "none" else ACCENT, "width": 1.5, "shape": "spline"}
            figure.add_scatter(x=x, y=y, mode="lines", line=line, hoverinfo="skip", row=row, col=1)
            label = {"size": 11, "color": INK}
            figure.add_scatter(x=[middle], y=[height], mode="text", text=[operator], textfont=label,
                               hoverinfo="skip", row=row, col=1)  # fmt: skip
        nodes = sorted({node for source, target, _ in edges for node in (source, target)})
        figure.add_scatter(
            x=nodes, y=[0] * len(nodes), mode="markers+text", text=[str(node) for node in nodes], hoverinfo="skip",
            marker={"size": 26, "color": "white", "line": {"color": INK, "width": 2}}, row=row, col=1,
        )  # fmt: skip
    return figure.update_xaxes(visible=False).update_yaxes(visible=False)


def probabilities_figure(names: Sequence[tuple[str, Sequence[str]]], epochs: Sequence[Mapping[str, Any]]) -> go.Figure:
    """The probability of every operator on every edge by epoch. names: of each edge, and of its operators."""
    operators = list(dict.fromkeys(o for _, options in names for o in options))
    colours = {operator: COLOURS[i % len(COLOURS)] for i, operator in enumerate(operators)}
    figure = blank("epoch of the search", "probability of operators, a line for each edge")
    x, told = [e["epoch"] + 1 for e in epochs], set[str]()
    for row, (edge, options) in enumerate(names):
        for k, operator in enumerate(options):
            y = [e["probabilities"][row][k] for e in epochs]
            if any(y):
                figure.add_scatter(
                    x=x, y=y, mode="lines", name=operator, legendgroup=operator, showlegend=operator not in told,
                    opacity=0.6, line={"color": colours[operator], "width": 1.5}, hovertext=f"{edge}: {operator}",
                )  # fmt: skip
                told.add(operator)
    return figure.update_layout(showlegend=True)


def decisions_figure(names: Sequence[tuple[str, Sequence[str]]], decisions: Sequence[Mapping[str, Any]]) -> go.Figure:
    """By how many points of accuracy each decision was ahead of the next, in the order in which they fell."""
    said = [_said(names, decision) for decision in decisions]
    figure = blank("", "margin (points of accuracy)")
    figure.add_bar(
        x=[f"{i}. {text}" for i, text in enumerate(said, start=1)], y=[100 * d["margin"] for d in decisions],
        marker={"color": [WARM if d["operator"] is None else ACCENT for d in decisions]},
    )  # fmt: skip
    return figure.update_layout(height=420, margin={"b": 180})


def _said(names: Sequence[tuple[str, Sequence[str]]], decision: Mapping[str, Any]) -> str:
    edge, options = names[decision["row"]]
    operator = decision["operator"]
    return f"{edge} dropped" if operator is None else f"{edge}: {options[operator]}"


def sections(story: Story, draw: Any) -> str:
    """The sections of the page about cells, empty for networks that have none. draw: from a figure to HTML."""
    parts = []
    if story.cells:
        note = "Each node adds up what its edges bring from nodes left of it; nodes without any are the cell's inputs."
        parts.append(("Cells", draw(cells_figure(story.cells)), note))
    weighed = [e for e in story.epochs if e.get("probabilities")]
    if weighed:
        parts.append(("Operators over time", draw(probabilities_figure(story.rows, weighed)), ""))
    decisions = [d for e in story.epochs for d in e.get("decisions", [])]
    if decisions:
        close = sum(d["margin"] == 0 for d in decisions)
        note = (
            f"{len(decisions)} decisions, each by taking operators or edges away in turn; {close} had no margin at "
            "all. Orange: an edge was dropped."
        )
        parts.append(("Decisions", draw(decisions_figure(story.rows, decisions)), note))
    return "".join(
        f'<section><h2>{escape(title)}</h2>{drawn}<p class="note">{escape(note)}</p></section>'
        for title, drawn, note in parts
    )
