"""Tables of other people's measurements: CSV, one architecture a line, latencies in ms in named columns."""

from __future__ import annotations

import csv
import gzip
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from surgenas.core import moves
from surgenas.core.errors import DataError, UsageError
from surgenas.core.space import Floats, Space

ARCH = "arch"
ALIKE = 0.1
"""Two latencies of one architecture contradict each other if they differ by more than this share."""


@dataclass(frozen=True, eq=False)
class LatencyTable:
    """Different architectures: one-hot codes (N, L, K), and latencies (N, D) in ms of the columns asked for."""

    code: Floats
    columns: tuple[str, ...]
    latency_ms: Floats

    def __len__(self) -> int:
        return len(self.code)

    def of(self, column: str) -> Floats:
        return self.latency_ms[:, self.columns.index(column)]


def read_table(space: Space, path: str | Path, columns: Sequence[str] = ()) -> LatencyTable:
    """Read FILE.csv or FILE.csv.gz. columns: all that end in _ms, if none is named.

    Raises UsageError for a file or column that is not there, DataError naming the line for a cell that is no latency,
    an architecture that is not this space's, one that is measured twice with different results, a column of one value.
    """
    rows: dict[tuple[str, ...], list[float]] = {}
    lines = _lines(Path(path))
    header = next(lines, (0, []))[1]
    columns = tuple(columns) or tuple(name for name in header if name.endswith("_ms"))
    for name in (ARCH, *columns):
        if name not in header:
            raise UsageError(f"{path}: no column {name!r}; it has {', '.join(header) or 'nothing'}")
    if not columns:
        raise UsageError(f"{path}: no column that ends in _ms; name one with --column")
    places = [header.index(name) for name in columns]
    for number, line in lines:
        where = f"{path}, line {number}"
        if len(line) != len(header):
            raise DataError(f"{where}: {len(line)} cells, expected {len(header)}")
        try:
            genes = space.parse(line[header.index(ARCH)]).genes
        except UsageError as error:
            raise DataError(f"{where}: {error}") from None
        found = [_latency(line[place], f"{where}, {name}") for place, name in zip(places, columns, strict=True)]
        for name, old, new in zip(columns, rows.get(genes, found), found, strict=True):
            if abs(old - new) > ALIKE * max(old, new):
                raise DataError(f"{where}, {name}: {new:g} ms, but {old:g} ms for the same architecture further up")
        rows.setdefault(genes, found)
    latency = np.array(list(rows.values())).reshape(-1, len(columns))
    for name, values in zip(columns, latency.T, strict=True):
        if len(values) < 2 or np.ptp(values) == 0:
            raise DataError(
                f"{path}, {name}: {len(values)} architectures with {len(set(values))} different latencies; there is "
                "nothing to learn from"
            )
    archs = [space.architecture(genes) for genes in rows]
    return LatencyTable(moves.encode(space, archs), columns, latency)


def _lines(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Line numbers and cells, the header first; blank lines are passed over."""
    try:
        with (gzip.open if path.suffix == ".gz" else open)(path, "rt", newline="", encoding="utf-8") as file:
            for number, cells in enumerate(csv.reader(file), start=1):
                if cells:
                    yield number, [cell.strip() for cell in cells]
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror or error}; expected a table, .csv or .csv.gz") from error
    except (UnicodeDecodeError, EOFError, csv.Error) as error:
        raise DataError(f"{path}: not a CSV table ({error})") from error


def _latency(text: str, where: str) -> float:
    try:
        ms = float(text)
    except ValueError:
        raise DataError(f"{where}: {text!r} is no number; expected a latency in ms") from None
    if not math.isfinite(ms) or ms < 0:
        raise DataError(f"{where}: {text} is no latency; expected milliseconds, 0 or more")
    return ms
