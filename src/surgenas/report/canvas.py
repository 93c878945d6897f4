"""What all drawings share: colours that colour-blind eyes tell apart, an empty figure, the limit, error bars."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go

INK, ACCENT, MUTED, WARM = "#1f2937", "#2563eb", "#9ca3af", "#ea580c"
"""Near black, blue, grey and orange."""


def blank(x: str, y: str) -> go.Figure:
    """An empty figure with these titles of the axes."""
    return go.Figure().update_layout(
        template="plotly_white",
        height=340,
        margin={"l": 60, "r": 50, "t": 20, "b": 50},
        xaxis_title=x,
        yaxis_title=y,
        showlegend=False,
        font={"color": INK},
        legend={"orientation": "h", "y": 1.12},
    )


def draw_limit(figure: go.Figure, limit_ms: float | None, said: str = "limit", **panel: int) -> None:
    """A dashed line where the limit of the latency is, once there is one. said: written beside it. panel: the row and
    the column of a figure of several."""
    if limit_ms:
        line = {"color": INK, "dash": "dash"}
        figure.add_vline(x=limit_ms, line=line, annotation_text=said, **panel)


def errors(rows: Sequence[tuple[float, float | None]], colour: str) -> dict[str, Any] | None:
    """Error bars for pairs of a latency and its relative doubt; None if some latency was not timed."""
    if any(doubt is None for _, doubt in rows):
        return None
    return {"array": [ms * doubt for ms, doubt in rows if doubt is not None], "color": colour}
