"""Labelled images for a person and for a spreadsheet: a table on the terminal, and CSV."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Sequence

from rich.markup import escape
from rich.table import Table

from surgenas.report.words import draw
from surgenas.studies.classify import Classified, Labelled

SHOWN = 1000
"""The most images that the table on the terminal has."""
COMMON = 20
"""The most classes that are counted below it."""


def labels_table(found: Classified) -> str:
    """A row for each image, and how many there are of each class."""
    others = len(found.images[0].next) if found.images else 0
    table = Table("file", "class", "probability", *(["next best"] if others else []), box=None)
    for image in found.images[:SHOWN]:
        further = [", ".join(f"{_plain(c.label)} {_percent(c.probability)}" for c in image.next)] if others else []
        table.add_row(_plain(image.file), _plain(image.label), _percent(image.probability), *further)
    left = len(found.images) - SHOWN
    more = [f"and {left} more; --csv FILE and --json have all"] if left > 0 else []
    return "\n".join([draw(table), *more, count_line(found)])


def count_line(found: Classified) -> str:
    """How many images there are of each class, the most frequent first."""
    counts = Counter(image.label for image in found.images).most_common()
    told = ", ".join(f"{count} {_printable(label)}" for label, count in counts[:COMMON])
    rest = sum(count for _, count in counts[COMMON:])
    return f"{len(found.images)} image(s): {told}{f', {rest} of other classes' if rest else ''}"


def to_csv(found: Classified) -> bytes:
    """The images as CSV: file, class and probability, then class_2 and probability_2, and so on. Names of files have
    the bytes that they have on the disk."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    others = len(found.images[0].next) if found.images else 0
    further = [f"{name}_{i}" for i in range(2, 2 + others) for name in ("class", "probability")]
    writer.writerow(["file", "class", "probability", *further])
    writer.writerows(map(_cells, found.images))
    return text.getvalue().encode("utf-8", "surrogateescape")


def _cells(image: Labelled) -> Sequence[str]:
    said = ((image.label, image.probability), *((c.label, c.probability) for c in image.next))
    return [image.file, *(cell for label, probability in said for cell in (label, f"{probability:.6f}"))]


def _percent(probability: float) -> str:
    return f"{probability:.1%}"


def _plain(name: str) -> str:
    return escape(_printable(name))


def _printable(name: str) -> str:
    """The name without what a terminal would obey or could not show."""
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in name)
