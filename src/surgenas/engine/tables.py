"""Tables of results published by others: one architecture in each row, latencies or accuracies in named columns.

A table is a CSV file with the architecture in column `arch`, or a JSON file, architecture -> {column: number}; either
may be compressed (.gz).
"""

from __future__ import annotations

import csv
import gzip
import json
import math
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from surgenas.core import moves
from surgenas.core.architecture import Architecture
from surgenas.core.errors import DataError, UsageError
from surgenas.core.space import Floats, Space

ARCH = "arch"
"""The CSV column that holds the architecture."""
ALIKE = 0.1
"""Two latencies of one architecture contradict each other if they differ by more than this share of the larger one."""


@dataclass(frozen=True, eq=False)
class Table:
    """Different architectures of a space, with their values in some columns of a file.

    columns: D names. values: (N, D), a row for each architecture.
    """

    space: Space
    archs: tuple[Architecture, ...]
    columns: tuple[str, ...]
    values: Floats

    def __len__(self) -> int:
        return len(self.archs)

    def of(self, column: str) -> Floats:
        """The values (N,) in a column."""
        return self.values[:, self.columns.index(column)]

    @cached_property
    def code(self) -> Floats:
        """One-hot codes of the architectures, (N, L, K)."""
        return moves.encode(self.space, self.archs)


def read_table(space: Space, path: str | Path, columns: Sequence[str] = ()) -> Table:
    """Read latencies in ms from a table. columns: which ones; all that end in _ms if none is named.

    Raises UsageError for a file or column that does not exist. Raises DataError, naming the line, for a cell that is no
    latency, for an architecture that does not belong to the space, for one that is listed twice with different
    latencies, and for a column that holds a single value.
    """
    columns = tuple(columns) or tuple(name for name in _header(Path(path)) if name.endswith("_ms"))
    if not columns:
        raise UsageError(f"{path}: no column that ends in _ms; name one with --column")
    return read_columns(space, path, columns, least=0.0, alike=ALIKE)


def read_archs(space: Space, path: str | Path) -> dict[str, Architecture]:
    """The architectures of a table by the text that it has for them, whatever else it holds. Errors as of
    `read_table`."""
    found: dict[str, Architecture] = {}
    for where, text, _ in _rows(Path(path), ()):
        try:
            found[text] = space.parse(text)
        except UsageError as error:
            raise DataError(f"{where}: {error}") from None
    if not found:
        raise DataError(f"{path}: no architecture in it")
    return found


def read_columns(
    space: Space, path: str | Path, columns: Sequence[str], *, least: float = -math.inf, alike: float = 0.0
) -> Table:
    """Read numbers of any kind from a table.

    least: the smallest value allowed. alike: by what share two values of one architecture may differ; the first one
    counts. Raises the errors of `read_table`.
    """
    rows: dict[tuple[str, ...], list[float]] = {}
    for where, text, cells in _rows(Path(path), columns):
        try:
            genes = space.parse(text).genes
        except UsageError as error:
            raise DataError(f"{where}: {error}") from None
        found = [_number(cell, f"{where}, {name}", least) for cell, name in zip(cells, columns, strict=True)]
        for name, old, new in zip(columns, rows.get(genes, found), found, strict=True):
            if abs(old - new) > alike * max(abs(old), abs(new)):
                raise DataError(f"{where}, {name}: {new:g}, but {old:g} for the same architecture further up")
        rows.setdefault(genes, found)
    values = np.array(list(rows.values())).reshape(-1, len(columns))
    for name, column in zip(columns, values.T, strict=True):
        if len(column) < 2 or np.ptp(column) == 0:
            raise DataError(
                f"{path}, {name}: {len(column)} architectures with {len(set(column))} different values; there is "
                "nothing to learn from"
            )
    return Table(space, tuple(space.architecture(genes) for genes in rows), tuple(columns), values)


def _header(path: Path) -> Sequence[str]:
    return list(next(iter(_json(path).values()))) if _is_json(path) else next(_lines(path), (0, []))[1]


def _rows(path: Path, columns: Sequence[str]) -> Iterator[tuple[str, str, list[Any]]]:
    """Each row as: where it stands in the file, for messages; the architecture's text; the cells of the columns."""
    if _is_json(path):
        for text, row in _json(path).items():
            _check_columns(path, columns, list(row))
            yield f"{path}, {text}", text, [row[name] for name in columns]
        return
    lines = _lines(path)
    header = next(lines, (0, []))[1]
    _check_columns(path, (ARCH, *columns), header)
    places = [header.index(name) for name in columns]
    for number, line in lines:
        if len(line) != len(header):
            raise DataError(f"{path}, line {number}: {len(line)} cells, expected {len(header)}")
        yield f"{path}, line {number}", line[header.index(ARCH)], [line[place] for place in places]


def _check_columns(path: Path, columns: Sequence[str], known: Sequence[str]) -> None:
    for name in columns:
        if name not in known:
            raise UsageError(f"{path}: no column {name!r}; it has {', '.join(known) or 'nothing'}")


def _is_json(path: Path) -> bool:
    return ".json" in path.suffixes


def _json(path: Path) -> Mapping[str, Mapping[str, Any]]:
    try:
        with _opened(path) as file:
            found = json.load(file)
    except OSError as error:
        raise _missing(path, error) from error
    except (ValueError, EOFError, RecursionError) as error:
        raise DataError(f"{path}: not a JSON table ({error})") from error
    if not isinstance(found, dict) or not found or not all(isinstance(row, dict) for row in found.values()):
        raise DataError(f"{path}: not a table; expected architecture -> {{column: number}}")
    return found


def _lines(path: Path) -> Iterator[tuple[int, list[str]]]:
    """The number and the cells of each line that is not blank; the header comes first."""
    try:
        with _opened(path) as file:
            for number, cells in enumerate(csv.reader(file), start=1):
                if cells:
                    yield number, [cell.strip() for cell in cells]
    except OSError as error:
        raise _missing(path, error) from error
    except (UnicodeDecodeError, EOFError, zlib.error, csv.Error) as error:
        raise DataError(f"{path}: not a CSV table ({error})") from error


def _opened(path: Path) -> Any:
    return (gzip.open if path.suffix == ".gz" else open)(path, "rt", newline="", encoding="utf-8")


def _missing(path: Path, error: OSError) -> UsageError:
    return UsageError(f"{path}: {error.strerror or error}; expected a table, .csv, .json, or either with .gz")


def _number(cell: Any, where: str, least: float) -> float:
    try:
        value = float(cell)
    except (TypeError, ValueError, OverflowError):
        raise DataError(f"{where}: {cell!r:.40} is no number") from None
    if not math.isfinite(value) or value < least:
        bound = f", {least:g} or more" if math.isfinite(least) else ""
        raise DataError(f"{where}: {cell} will not do; expected a number{bound}")
    return value
