"""What came of loading weights that exist, as a value: whoever shows it loads nothing."""

from __future__ import annotations

from dataclasses import dataclass

from surgenas.core.record import Record


@dataclass(frozen=True)
class Loaded(Record):
    """What came of loading weights. source: where they are from. tensors: how many were taken. fresh: the names of
    those that are zero, since the classes are others: the classifier's, or none."""

    source: str
    tensors: int
    fresh: tuple[str, ...]
