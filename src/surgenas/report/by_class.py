"""How well each class is told: a heat map and tables for the page, a line for the terminal."""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from typing import Any

import plotly.graph_objects as go

from surgenas.report.figures import blank
from surgenas.report.words import show_percent
from surgenas.tasks.by_class import ByClass, ClassScore

MANY = 30
"""With more classes than this, only the worst ones and the most confused pairs are shown."""
SHOWN = 15
"""How many of them."""
LONGEST = 24
"""Characters of a class's name that are shown where there is little room."""
HEAD = ("class", "test images", "precision", "recall", "F1", "accuracy, one against the rest")
Tabulate = Callable[[list[str], list[list[Any]]], str]


def section(found: ByClass | None, table: Tabulate, figure: Callable[[Any], str]) -> str:
    """The section of a page about the classes; empty if nothing is known of them. table, figure: draw these in HTML."""
    if found is None:
        return ""
    count = len(found.classes)
    if count <= MANY:
        drawn, rows = figure(heat_map(found)), list(found.classes)
        note = "Each row is a class, and the share of its test images that were said to be of each class."
    else:
        rows = found.worst(SHOWN)
        sizes = {row.name: row.images for row in found.classes}
        pairs = [[p.label, p.said, f"{p.images} of {sizes[p.label]}"] for p in found.most_confused(SHOWN)]
        drawn = table(["class", "taken for", "test images"], pairs)
        note = f"Of {count} classes the {len(pairs)} pairs that are confused most and the {len(rows)} of the least F1."
    scores = table(list(HEAD), [_row(row) for row in rows])
    balanced = f"Balanced accuracy, the mean of the classes' recalls: {found.balanced_accuracy:.2%}. "
    return f'<section><h2>Classes</h2>{drawn}<p class="note">{note} {balanced}</p>{scores}</section>'


def heat_map(found: ByClass) -> go.Figure:
    """The confusion matrix: a row for each class, as shares of its images, with the number of images in each cell."""
    counts = found.matrix
    shares = counts / counts.sum(1, keepdims=True).clip(min=1)
    # positions, since names may be alike once they are short, and markup is for plotly to read
    names = [escape(_short(row.name)) for row in found.classes]
    places = list(range(len(names)))
    figure = blank("class that was said", "class of the test images")
    figure.add_heatmap(
        z=shares.tolist(), x=places, y=places, zmin=0, zmax=1, colorscale=[[0, "#ffffff"], [1, "#2563eb"]],
        text=[[str(n) if n else "" for n in row] for row in counts.tolist()], texttemplate="%{text}",
        customdata=[[[row, column] for column in names] for row in names], xgap=1, ygap=1,
        colorbar={"tickformat": ".0%", "thickness": 12},
        hovertemplate="%{customdata[0]} taken for %{customdata[1]}: %{text} images, %{z:.1%}<extra></extra>",
    )  # fmt: skip
    ticks = {"tickmode": "array", "tickvals": places, "ticktext": names, "showgrid": False, "automargin": True}
    figure.update_xaxes(**ticks).update_yaxes(**ticks, autorange="reversed")
    return figure.update_layout(height=180 + 22 * max(len(names), 8), plot_bgcolor="#f1f5f9")


def class_line(found: ByClass | None) -> list[str]:
    """The worst classes and the pair that is confused most, in one line; none if nothing is known of them."""
    if found is None:
        return []
    worst, confused = found.worst(3), found.most_confused(1)
    if not confused:
        return ["classes every test image is said rightly"]
    pair, sizes = confused[0], {row.name: row.images for row in found.classes}
    told = ", ".join(f"{_short(row.name)} {row.f1:.0%}" for row in worst)
    most = f"{pair.images} of {sizes[pair.label]} {_short(pair.label)} taken for {_short(pair.said)}"
    return [f"classes least F1: {told}; most confused: {most}; balanced accuracy {found.balanced_accuracy:.2%}"]


def _row(row: ClassScore) -> list[Any]:
    shares = (row.precision, row.recall, row.f1, row.accuracy)
    return [row.name, row.images, *map(show_percent, shares)]


def _short(name: str) -> str:
    return name if len(name) <= LONGEST else f"{name[: LONGEST - 1]}…"
