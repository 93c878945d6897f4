"""What would these architectures take on a device of which a few latencies are known? In the form of a table."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from surgenas.core import moves
from surgenas.core.capabilities import Counted, require
from surgenas.core.files import write_atomic
from surgenas.core.progress import Progress
from surgenas.core.record import Record
from surgenas.core.space import Space
from surgenas.engine.tables import ARCH, read_archs, read_table
from surgenas.studies.contest import Choice, Contest, choice, known_devices, makers_of

MANY = 30
"""From so many measurements on, cross-validation chooses, also against what is learned from known devices."""


@dataclass(frozen=True)
class Answers(Record):
    """Where predicted latencies were written. architectures: how many. chosen: the predictor of each column, and why.
    learned: from how many measurements."""

    out: str
    architectures: int
    learned: int
    chosen: Mapping[str, Choice]


def answer(space: Space, contest: Contest, ask: Path, out: Path, progress: Progress) -> Answers:
    """Learn from every row of the contest's table, and write the latencies of the architectures in `ask` to `out`, a
    CSV table of the same columns, each with the standard deviation of what it may be off by.

    ask: a table with a column `arch`. Raises UsageError and DataError as `run_contest` does.
    """
    table, archs = read_table(space, contest.table, contest.columns), read_archs(space, ask)
    costs, known = require(space, Counted).costs(), known_devices(space, contest, table, progress)
    makers, rows = makers_of(contest, costs, known, 0), np.arange(len(table))
    code, chosen, predicted = moves.encode(space, list(archs.values())), dict[str, Choice](), []
    with progress.task("predict", len(table.columns)) as task:
        for column in table.columns:
            if known and len(table) < MANY:
                found = Choice(column, len(table), "transfer", "of few measurements it learns most, from known devices")
            else:
                found = choice(makers, table, column, rows)
            predictor = makers[found.predictor]().fit(table.code, table.of(column))
            predicted += [predictor.predict(code), predictor.uncertainty(code)]
            chosen[column] = found
            task.advance(f"{column}, by {found.predictor}")
    sink = io.StringIO()
    writer = csv.writer(sink, lineterminator="\n")
    writer.writerow([ARCH, *(name for column in table.columns for name in (column, f"{column} +-"))])
    for text, row in zip(archs, zip(*predicted, strict=True), strict=True):
        writer.writerow([text, *(f"{ms:.6g}" for ms in row)])
    write_atomic(out, sink.getvalue().encode())
    return Answers(str(out), len(archs), len(table), chosen)
