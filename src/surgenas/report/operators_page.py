"""operators.html: the capacity of each operator over its latency on each device, and which operators are kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from surgenas.core.files import write_atomic
from surgenas.report.canvas import ACCENT, INK, MUTED
from surgenas.report.drawing import small_page
from surgenas.runs.results import OperatorRow
from surgenas.studies.operators import Operators

GROUPS = (("kept", ACCENT, "circle"), ("dropped: score", MUTED, "circle"), ("dropped: dominated", MUTED, "x-thin-open"))
"""Name, colour and symbol of each group of operators."""


def operators_figure(by_device: Mapping[str, Sequence[OperatorRow]]) -> go.Figure:
    """A panel for each device; operators that it cannot run are left out."""
    figure = make_subplots(rows=1, cols=len(by_device), subplot_titles=list(by_device), shared_yaxes=True)
    for column, rows in enumerate(by_device.values(), start=1):
        for name, colour, symbol in GROUPS:
            group = [row for row in rows if row.capacity is not None and _group(row) == name]
            figure.add_scatter(
                x=[row.latency for row in group], y=[row.capacity for row in group], row=1, col=column, name=name,
                mode="markers+text" if name == "kept" else "markers", text=[row.operator for row in group],
                textposition="top center", hovertext=[f"{row.operator} {row.why}" for row in group],
                marker={"color": colour, "symbol": symbol, "size": 10, "line": {"color": colour, "width": 2}},
                legendgroup=name, showlegend=column == 1,
            )  # fmt: skip
        figure.update_xaxes(title_text="latency over the pool's median", row=1, col=column)
    figure.update_yaxes(title_text="capacity", col=1)
    return figure.update_layout(
        template="plotly_white", height=460, font={"color": INK}, legend={"orientation": "h", "y": -0.2}
    )


def write_operators_page(found: Operators, folder: Path) -> Path:
    """Write operators.html, which needs no network, and return its path."""
    figure = operators_figure({name: chosen.operators for name, chosen in found.devices.items()})
    title = f"Operators by device: layout {found.layout} at {found.resolution} px"
    path = folder / "operators.html"
    write_atomic(path, small_page(title, figure))
    return path


def _group(row: OperatorRow) -> str:
    if row.kept:
        return GROUPS[0][0]
    return GROUPS[1][0] if row.why == "its score" else GROUPS[2][0]
