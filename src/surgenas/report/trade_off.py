"""Accuracy over latency: what was trained, with both intervals, and below it every network that was asked about."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from surgenas.core.significance import share_interval
from surgenas.core.units import show_ms
from surgenas.report.canvas import ACCENT, INK, MUTED, WARM, blank, draw_limit, errors
from surgenas.runs.asked import BESIDE, CANDIDATES, LEARNED
from surgenas.runs.names import AS_LONG, FOUND, SMALLER_AS_LONG, YARDSTICK
from surgenas.runs.story import Story
from surgenas.runs.summary import Network, Summary

SYMBOLS = ("diamond", "triangle-up", "x")
"""Marks of what could be picked instead of a smaller version of a network."""
ROWS = (CANDIDATES, LEARNED, BESIDE)
"""What networks were asked about for, from above."""
LONGEST = 80
"""Characters of an architecture that are shown."""


def trade_off(summary: Summary, story: Story) -> go.Figure:
    """Test accuracy over latency, of the found network and of all that it is compared with. The step line joins those
    that no other one beats."""
    figure = make_subplots(rows=2, shared_xaxes=True, vertical_spacing=0.04, row_heights=[0.74, 0.26])
    figure.update_layout(blank("", "").layout, height=430, showlegend=True)
    images = story.data.get("test")
    groups = (
        ("random", (*summary.random_at_equal_latency, *summary.random), MUTED, "circle"),
        (AS_LONG, summary.random_at_equal_cost, MUTED, "circle-open"),
        (YARDSTICK, summary.yardsticks, WARM, "square"),
        *((n.name, (n,), WARM, symbol) for n, symbol in zip(summary.instead, SYMBOLS, strict=False)),
        (SMALLER_AS_LONG, summary.instead_at_equal_cost, WARM, "diamond-open"),
        (FOUND, (summary.found,), ACCENT, "star"),
    )
    _draw_front(figure, [n for _, networks, _, _ in groups for n in networks])
    for name, networks, colour, symbol in groups:
        _draw_group(figure, name, networks, colour, symbol, images)
    _draw_asked(figure, story)
    draw_limit(figure, summary.limit_ms, row=1, col=1)
    draw_limit(figure, summary.limit_ms, "", row=2, col=1)
    figure.update_yaxes(title="test accuracy", tickformat=".1%", row=1).update_yaxes(type="category", row=2)
    return figure.update_xaxes(title="latency (ms)", row=2)


def _draw_group(
    figure: go.Figure, name: str, networks: Sequence[Network], colour: str, symbol: str, images: int | None
) -> None:
    known = [(n.latency_ms, n.accuracy, n.doubt) for n in networks if n.latency_ms is not None and n.accuracy]
    if not known:
        return
    ends = [share_interval(accuracy, images) for _, accuracy, _ in known] if images else []
    above = [high - accuracy for (_, high), (_, accuracy, _) in zip(ends, known, strict=False)]
    below = [accuracy - low for (low, _), (_, accuracy, _) in zip(ends, known, strict=False)]
    figure.add_scatter(
        x=[ms for ms, _, _ in known], y=[accuracy for _, accuracy, _ in known], name=name, mode="markers",
        error_x=errors([(ms, doubt) for ms, _, doubt in known], colour),
        error_y={"array": above, "arrayminus": below, "color": colour, "thickness": 1} if ends else None,
        marker={"size": 14, "color": colour, "symbol": symbol}, row=1, col=1,
    )  # fmt: skip


def _draw_front(figure: go.Figure, networks: Sequence[Network]) -> None:
    """The line of the best accuracy at each latency."""
    known = sorted((n.latency_ms, -n.accuracy) for n in networks if n.latency_ms is not None and n.accuracy)
    front: list[tuple[float, float]] = []
    for ms, negative in known:
        if not front or -negative > front[-1][1]:
            front.append((ms, -negative))
    if len(front) > 1:
        figure.add_scatter(
            x=[ms for ms, _ in front], y=[accuracy for _, accuracy in front], name="no other is better",
            mode="lines", line={"color": INK, "shape": "hv", "dash": "dot", "width": 1}, hoverinfo="skip", row=1, col=1,
        )  # fmt: skip


def _draw_asked(figure: go.Figure, story: Story) -> None:
    """A row of marks for each purpose, with the intervals of what was timed."""
    for purpose in reversed(ROWS):
        rows = [one for one in story.asked if one.purpose == purpose]
        label = f"{purpose} ({len(rows)})"
        halves = [one.latency_ms * (one.doubt or 0.0) for one in rows]
        figure.add_scatter(
            x=[one.latency_ms for one in rows], y=[label] * len(rows), mode="markers", showlegend=False, name=label,
            error_x={"array": halves, "color": MUTED, "thickness": 1, "width": 2} if any(halves) else None,
            marker={"symbol": "line-ns-open", "size": 10, "color": INK, "opacity": 0.6},
            hovertext=[f"{show_ms(one.latency_ms)} {one.network[:LONGEST]}" for one in rows], row=2, col=1,
        )  # fmt: skip
