"""comfort_zone.html: latency, achieved FLOP/s and arithmetic intensity over scale."""

from __future__ import annotations

from html import escape
from pathlib import Path

from plotly.subplots import make_subplots

from surgenas.core.files import write_atomic
from surgenas.report.canvas import ACCENT, INK, MUTED
from surgenas.report.drawing import small_page
from surgenas.studies.scale import Growth

PANELS = (
    ("latency (ms)", "latency_ms", 1.0),
    ("achieved GFLOP/s", "flops_per_s", 1e-9),
    ("FLOP/byte", "intensity", 1.0),
)
"""Title, field of a point, and factor to the unit of each panel."""


def write_scale_page(found: Growth, folder: Path) -> Path:
    """Write comfort_zone.html, which needs no network, and return its path. Points of the zone are blue; the dashed
    line is the latency allowed."""
    points = found.points
    figure = make_subplots(rows=1, cols=3, subplot_titles=[title for title, _, _ in PANELS])
    colours = [ACCENT if point.inside else MUTED for point in points]
    for column, (_, key, unit) in enumerate(PANELS, start=1):
        error = (
            [point.interval[1] - point.latency_ms for point in points if point.interval]
            if key == "latency_ms"
            else None
        )
        figure.add_scatter(
            x=[point.scale for point in points], y=[getattr(p, key) * unit for p in points], mode="lines+markers",
            line={"color": MUTED}, marker={"color": colours, "size": 10},
            error_y={"array": error, "color": INK} if error else None, row=1, col=column,
        )  # fmt: skip
        figure.update_xaxes(title_text=f"{found.knob} (x)", row=1, col=column)
        figure.update_yaxes(rangemode="tozero", row=1, col=column)
    allowed = points[0].latency_ms * (1 + found.latency_slack)
    figure.add_hline(y=allowed, line={"color": INK, "dash": "dash"}, row=1, col=1)
    figure.update_layout(template="plotly_white", showlegend=False, height=420, font={"color": INK}, margin={"t": 40})
    path = folder / "comfort_zone.html"
    write_atomic(path, small_page(f"Comfort Zone on {found.device}", figure, f"<p>{escape(found.verdict)}</p>"))
    return path
