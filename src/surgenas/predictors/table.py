"""A latency table that others measured: one entry for each operator in each layer, and the rest of the network.

JSON: {"1": {"k3e3": 4.49, ...}, ...}, layers numbered from 1 or by their choices' names, milliseconds; operators by
name or, as Single-Path NAS publishes them, "0" to "3" for k3e3, k3e6, k5e3, k5e6; "fixed": of everything else.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pydantic import FiniteFloat, NonNegativeFloat, TypeAdapter, ValidationError

from surgenas.core.capabilities import Counted, require
from surgenas.core.errors import DataError, UsageError, complaint
from surgenas.core.space import Floats, Space
from surgenas.predictors.linear import AdditivePredictor

SINGLE_PATH_FIXED_MS = 19.5999
"""Stem, first and last block and head on a Pixel 1, as Single-Path NAS's code has them beside its table."""
NUMBERED = ("k3e3", "k3e6", "k5e3", "k5e6")

Row = dict[str, FiniteFloat]


class TablePredictor(AdditivePredictor):
    """An additive predictor whose weights are read from a file; it cannot be fitted."""

    def learn(self, code_NLK: Floats, latency_ms_N: Floats) -> None:
        raise UsageError("a latency table is read, not fitted")


@dataclass(frozen=True)
class LatencyTable:
    """Milliseconds of everything that is fixed, and of each option of each choice, in the order of the space."""

    fixed_ms: float
    rows: tuple[tuple[float, ...], ...]


def read_latency_table(space: Space, path: Path) -> TablePredictor:
    """The predictor for a space from a table in the format above.

    Raises UsageError for a file that cannot be read, DataError for one that is no such table, or that lacks a layer or
    an operator of the space.
    """
    table = parse_latency_table(space, read_table_file(path), path)
    weight = np.zeros((len(table.rows), max(map(len, table.rows))))
    for kept, row_ms in zip(weight, table.rows, strict=True):
        kept[: len(row_ms)] = row_ms
    found = TablePredictor(require(space, Counted).costs())
    found.set(weight, table.fixed_ms)
    return found


def read_table_file(path: Path) -> bytes:
    """The content of a file that should hold a latency table; raises UsageError if it cannot be read."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}; expected a latency table in JSON") from error


def parse_latency_table(space: Space, content: bytes, path: Path) -> LatencyTable:
    """The table of a space in the content of a file, whose path is for messages. Raises DataError as above."""
    try:
        record = TypeAdapter(dict[str, Row | NonNegativeFloat]).validate_json(content)
    except ValidationError as error:
        expected = '{"1": {"k3e3": 4.49, ...}, ...} in milliseconds'
        raise DataError(f"{path}: {': '.join(complaint(error))}; expected {expected}") from error
    fixed = record.pop("fixed", SINGLE_PATH_FIXED_MS)
    if isinstance(fixed, dict):
        raise DataError(f'{path}: "fixed" is a number of milliseconds, not a layer')
    rows = []
    for number, choice in enumerate(space.rows, start=1):
        row = record.get(choice.name, record.get(str(number)))
        if not isinstance(row, dict):
            raise DataError(f"{path}: no row for layer {number} ({choice.name}); expected {len(space.rows)} layers")
        rows.append(tuple(_entry(path, number, row, operator) for operator in choice.options))
    return LatencyTable(fixed, tuple(rows))


def _entry(path: Path, number: int, row: Row, operator: str) -> float:
    known = {NUMBERED[int(key)] if key in tuple("0123") else key: ms for key, ms in row.items()}
    if operator not in known and operator == "skip":
        return 0.0
    if operator not in known:
        hint = "; it has no Squeeze-and-Excitation: use --space single_path" if "se" in operator else ""
        raise DataError(f"{path}: layer {number} has no entry for {operator}{hint}")
    if known[operator] < 0:
        raise DataError(f"{path}: layer {number}, {operator}: {known[operator]:g} ms; expected 0 or more")
    return known[operator]
