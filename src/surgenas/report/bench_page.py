"""bench.html: how far each search is from the optimum after so many queries, and which differences are noise."""

from __future__ import annotations

import itertools
from html import escape
from pathlib import Path

import plotly.graph_objects as go
from plotly.colors import qualitative

from surgenas.core.files import write_atomic
from surgenas.report.canvas import MUTED, blank
from surgenas.report.drawing import small_page
from surgenas.report.lab_text import BENCH_HEAD, bench_notes, bench_rows
from surgenas.studies.bench import BenchResult

COLOURS = qualitative.D3
BANDS = 7
"""The most methods for which quartiles are drawn: more bands would overlap. The table has them in any case."""
FLOOR = 0.01
"""Smaller regrets are drawn here, since the axis is logarithmic."""


def regret_figure(found: BenchResult) -> go.Figure:
    """Median regret of each method by queries, with its quartiles as a band if there are at most BANDS methods."""
    figure = blank("queries", "regret to the optimum (points)")
    queries = list(range(1, found.budget + 1))
    styles = itertools.cycle(itertools.product(("solid", "dash", "dashdot"), COLOURS))
    for row in found.methods:
        dash, colour = ("dot", MUTED) if row.method == "random" else next(styles)
        low, median, high = ([_drawn(v) for v in getattr(row.regret, key)] for key in ("low", "median", "high"))
        if len(found.methods) <= BANDS:
            figure.add_scatter(
                x=[*queries, *reversed(queries)], y=[*high, *reversed(low)], fill="toself", line={"width": 0},
                fillcolor=colour, opacity=0.12, hoverinfo="skip", showlegend=False, legendgroup=row.method,
            )  # fmt: skip
        figure.add_scatter(
            x=queries, y=median, name=row.method, legendgroup=row.method,
            line={"color": colour, "width": 2, "shape": "hv", "dash": dash},
        )  # fmt: skip
    figure.update_yaxes(type="log", tickvals=[0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30],
                        ticktext=["≤ .01", ".03", ".1", ".3", "1", "3", "10", "30"])  # fmt: skip
    return figure.update_layout(height=520, showlegend=True, legend={"orientation": "v", "y": 1, "x": 1.02})


def write_bench_page(found: BenchResult, folder: Path) -> Path:
    """Write bench.html, which needs no network, and return its path."""
    head = "".join(f"<th>{escape(name)}" for name in BENCH_HEAD)
    rows = "".join("<tr>" + "".join(f"<td>{escape(cell)}" for cell in row) for row in bench_rows(found))
    notes = "".join(f"<p>{escape(note)}" for note in bench_notes(found))
    title = f"Searches on {Path(found.table).name}, {found.test}"
    path = folder / "bench.html"
    body = f"<div><table><tr>{head}{rows}</table></div>{notes}"
    write_atomic(path, small_page(title, regret_figure(found), body))
    return path


def _drawn(value: float | None) -> float | None:
    return None if value is None else max(value, FLOOR)
