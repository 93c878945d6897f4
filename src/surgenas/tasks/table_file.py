"""How is a table of images read? As text (CSV, TSV) or as Parquet: the names of its columns, then the cells of those
that matter."""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from surgenas.core.errors import DataError, EnvironmentFault

SUFFIXES = (".csv", ".tsv", ".parquet", ".pq")
"""Suffixes of tables."""
COLUMNS = {
    "path": "path file filename filepath image imagepath imagefile imagename imagefilename imgpath",
    "label": "label class target category classname labelname targetname",
    "split": "split subset part partition set phase",
}
"""Usual names of the columns by what they mean, in small letters and without signs: "File_Name" is filename."""
Numbered = tuple[int, Sequence[str]]
"""The number of a row, as an editor or a data frame counts it, and its cells."""


@dataclass(frozen=True)
class Table:
    """An open table. names: of its columns. row: what a row is called. read: the rows, of the columns at these places.
    `read` raises DataError for cells that are no text or numbers."""

    names: tuple[str, ...]
    row: str
    read: Callable[[Sequence[int]], list[Numbered]]


def meaning_of(name: str) -> str:
    """What a column of this name means, a key of COLUMNS; empty for any other name."""
    plain = re.sub(r"[\W_]+", "", name.casefold())
    return next((meaning for meaning, usual in COLUMNS.items() if plain in usual.split()), "")


def open_table(path: Path) -> Table:
    """Open a table by its suffix. Raises DataError for one that cannot be read, EnvironmentFault for a Parquet file
    without pyarrow."""
    try:
        return _parquet(path) if path.suffix.lower() in (".parquet", ".pq") else _text(path)
    except FileNotFoundError:
        raise DataError(f"--data {path}: no such file") from None
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or _first_line(error)}") from error


def _text(path: Path) -> Table:
    """A table in text. The separator is the one with which its first line names a path and a label."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is no text in UTF-8 ({error.reason}); save it so") from error
    first = text.split("\n", 1)[0]
    separators = "\t" if path.suffix.lower() == ".tsv" else ",;\t|"
    separator = next((s for s in separators if {"path", "label"} <= {*map(meaning_of, first.split(s))}), separators[0])
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    try:
        lines = [(reader.line_num, cells) for cells in reader if any(map(str.strip, cells))]
    except csv.Error as error:
        raise DataError(f"{path}, line {reader.line_num}: {error}; check the quotation marks") from error
    if not lines:
        raise DataError(f"{path} is empty; expected a line that names the columns path and label, then one an image")
    (_, names), *rows = lines
    for number, cells in rows:
        if len(cells) != len(names):
            raise DataError(f"{path}, line {number}: {len(cells)} cells, but the first line names {len(names)} columns")

    def read(places: Sequence[int]) -> list[Numbered]:
        return [(number, [cells[i] for i in places]) for number, cells in rows]

    return Table(tuple(name.strip() for name in names), "line", read)


def _parquet(path: Path) -> Table:
    if not find_spec("pyarrow"):
        raise EnvironmentFault(f"{path}: to read it, pip install 'surgenas[parquet]'; or save it as .csv")
    import pyarrow
    from pyarrow.parquet import ParquetFile

    def read(places: Sequence[int]) -> list[Numbered]:
        with ParquetFile(path) as file:
            fields = [file.schema_arrow.field(i) for i in places]
            for field in fields:
                if pyarrow.types.is_nested(field.type) or pyarrow.types.is_binary(field.type):
                    raise DataError(
                        f"{path}: column {field.name} holds {str(field.type)[:60]}, expected text or numbers; images "
                        "that lie in the table itself are not read"
                    )
            names = [field.name for field in fields]
            table = file.read(columns=names)
        columns = [map(_cell, table.column(name).to_pylist()) for name in names]
        return list(enumerate(zip(*columns, strict=True)))

    try:
        with ParquetFile(path) as file:
            return Table(tuple(map(str, file.schema_arrow.names)), "row", read)
    except pyarrow.ArrowException as error:
        raise DataError(f"{path} is no Parquet file ({_first_line(error)})") from error


def _cell(value: Any) -> str:
    """A value as text: nothing for None and NaN, whole numbers without a point."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
