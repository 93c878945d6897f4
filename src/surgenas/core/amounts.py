"""Amounts of what a target counts, as people write and read them: "256KB" of memory, 360 DSPs."""

from __future__ import annotations

import math

from surgenas.core.cost import Unit
from surgenas.core.errors import UsageError
from surgenas.core.units import parse_bytes, show_bytes

STORED = ("sram", "flash", "dram", "bytes")
"""Units that are bytes."""


def read_amount(unit: Unit, given: object, option: str = "--limit") -> float:
    """The amount of a unit that a person gives as a number, or as text with a unit of bytes where these are counted.

    Raises UsageError for anything else, and for 0 and below.
    """
    if isinstance(given, str) and unit in STORED:
        return parse_bytes(given, f"{option} {unit}")
    if isinstance(given, bool) or not isinstance(given, (int, float)) or not 0 < given < math.inf:
        others = f"a number above zero (bytes are of {', '.join(STORED)})"
        expected = "a number of bytes, for example 256KB" if unit in STORED else others
        raise UsageError(f"{option} {unit}={given}: expected {expected}")
    return float(given)


def show_amount(unit: Unit, value: float) -> str:
    """An amount for a person: "76.5 KB of sram", "1.2 MB moved" to and from memory, or "360 DSP"."""
    if unit in STORED:
        return f"{show_bytes(value)} moved" if unit == "bytes" else f"{show_bytes(value)} of {unit}"
    return f"{show_count(value)} {unit}"


def show_count(value: float) -> str:
    """A whole number, or a large one, as it is; others with three digits."""
    return f"{value:,.0f}" if value >= 1000 or value == int(value) else f"{value:.3g}"
