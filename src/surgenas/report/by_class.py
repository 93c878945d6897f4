"""How well each class is told: a confusion matrix and tables for the page, a line for the terminal."""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from typing import Any

from surgenas.report.words import show_percent
from surgenas.tasks.by_class import ByClass, ClassScore

GUESS = 1.2
"""An accuracy up to so many times that of guessing is hardly more."""
MANY = 30
"""With more classes than this, only the worst ones and the most confused pairs are shown."""
SHOWN = 15
"""How many of them."""
DARK = 0.5
"""Shares above this are written in white."""
LONGEST = 24
"""Characters of a class's name that are shown where there is little room."""
HEAD = ("class", "test images", "precision", "recall", "F1", "accuracy, one against the rest")
Tabulate = Callable[[list[str], list[list[Any]]], str]


def section(found: ByClass | None, table: Tabulate) -> str:
    """The section of a page about the classes; empty if nothing is known of them. table: from a head and rows to
    HTML."""
    if found is None:
        return ""
    count = len(found.classes)
    if count <= MANY:
        drawn, rows = confusion_matrix(found), list(found.classes)
        note = (
            "Each row is a class: how many of its test images were said to be of each class, darker for larger shares."
        )
    else:
        rows = found.worst(SHOWN)
        sizes = {row.name: row.images for row in found.classes}
        pairs = [[p.label, p.said, f"{p.images} of {sizes[p.label]}"] for p in found.most_confused(SHOWN)]
        drawn = table(["class", "taken for", "test images"], pairs)
        note = f"Of {count} classes the {len(pairs)} pairs that are confused most and the {len(rows)} of the least F1."
    scores = table(list(HEAD), [_row(row) for row in rows])
    balanced = f"Balanced accuracy, the mean of the classes' recalls: {found.balanced_accuracy:.2%}. "
    return f'<section><h2>Classes</h2>{drawn}<p class="note">{note} {balanced}</p>{scores}</section>'


def confusion_matrix(found: ByClass) -> str:
    """The confusion matrix in HTML: a row for each class, with the number of its images in each cell, the darker the
    larger their share."""
    counts = found.matrix
    shares = counts / counts.sum(1, keepdims=True).clip(min=1)
    names = [row.name for row in found.classes]
    head = "".join(f'<th scope="col" title="{escape(name)}"><span>{escape(_short(name))}</span>' for name in names)
    rows = "".join(
        f'<tr><th scope="row" title="{escape(name)}">{escape(_short(name))}'
        + "".join(
            _cell(int(n), float(share), f"{name} taken for {said}")
            for n, share, said in zip(counts[i], shares[i], names, strict=True)
        )
        for i, name in enumerate(names)
    )
    return f'<table class="confusion"><tr><th>{head}{rows}</table>'


def _cell(count: int, share: float, what: str) -> str:
    shade = f"background:rgba(37,99,235,{share:.2f})" + (";color:#fff" if share > DARK else "")
    said = escape(f"{what}: {count} images, {share:.1%}")
    return f'<td style="{shade}" title="{said}">{count or ""}'


def class_line(found: ByClass | None) -> list[str]:
    """The worst classes and the pair that is confused most, in one line; none if nothing is known of them. If guessing
    would be as good, that is the line."""
    if found is None:
        return []
    if found.balanced_accuracy <= GUESS / len(found.classes):
        return [f"classes {found.balanced_accuracy:.1%} is hardly more than guessing: train longer, or on more images"]
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
