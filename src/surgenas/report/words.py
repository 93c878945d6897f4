"""How are quantities said that may be unknown? The same on pages and in the terminal."""

from __future__ import annotations

from surgenas.core.units import show_ms
from surgenas.hardware.timed.measurement import Comparison


def show_comparison(comparison: Comparison | None) -> str:
    """'1.08 (1.06-1.10)', a tie said so; the bare ratio where nothing is uncertain; '-' where nothing can be told."""
    if comparison is None:
        return "-"
    low, high = comparison.interval
    if low == high:
        return f"{comparison.ratio:.2f}"
    return f"{comparison.ratio:.2f} ({low:.2f}-{high:.2f}){', tie' if comparison.tie else ''}"


def show_percent(value: float | None) -> str:
    return "-" if value is None else f"{value:.2%}"


def show_known_ms(value: float | None) -> str:
    return "-" if value is None else show_ms(value)


def show_interval(value: tuple[float, float] | None) -> str:
    return "-" if value is None else f"{show_ms(value[0])} to {show_ms(value[1])}"
