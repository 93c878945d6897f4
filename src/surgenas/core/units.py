"""Quantities as people write them: "4ms", "30m"; numbers as people read them."""

from __future__ import annotations

import math
import re

from surgenas.core.errors import UsageError

_MS = {"us": 1e-3, "ms": 1.0, "s": 1e3}
_BYTES = {"b": 1.0, "kb": 1024.0, "kib": 1024.0, "mb": 1024.0**2, "mib": 1024.0**2, "gb": 1024.0**3,
          "gib": 1024.0**3}  # fmt: skip
_SECONDS = {"s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0}


def parse_latency_ms(text: str, option: str = "--latency") -> float:
    """Milliseconds from a text like "4ms", "0.5s" or "800us".

    option: where the text came from, for the message. Raises UsageError for anything else, and for 0 and below.
    """
    return _parse(text, _MS, option, "4ms, 0.8ms or 900us")


def parse_seconds(text: str, option: str = "--time-limit") -> float:
    """Seconds from a text like "90s", "30m" or "2h"; raises UsageError for anything else, and for 0 and below."""
    return _parse(text, _SECONDS, option, "90s, 30m or 2h")


def parse_bytes(text: str, option: str) -> float:
    """Bytes from a text like "256KB" or "1.5MB", whose K is 1,024; raises UsageError for anything else, and for 0 and
    below."""
    return _parse(text, _BYTES, option, "256KB or 1.5MB")


def show_bytes(value: float) -> str:
    """Bytes for a person: in KB of 1,024 bytes, from 1,024 of these on in MB, and so on in GB."""
    if value < 1024**2:
        return f"{value / 1024:.4g} KB"
    return f"{value / 1024**2:.3g} MB" if value < 1000 * 1024**2 else f"{value / 1024**3:.3g} GB"


def show_ms(value: float) -> str:
    """Milliseconds for a person: three significant digits and the unit."""
    return f"{value:.3g} ms" if value < 100 else f"{value:.0f} ms"


def show_seconds(value: float) -> str:
    """A duration for a person: in seconds below two minutes, else in minutes."""
    return f"{value:.0f} s" if value < 120 else f"{value / 60:.1f} min"


def _parse(text: str, units: dict[str, float], option: str, example: str) -> float:
    match = re.fullmatch(
        r"\s*([-+]?\d+\.?\d*(?:e[-+]?\d+)?|[-+]?\.\d+)\s*([a-zµ]+)\s*", text.replace("µ", "u").replace("μ", "u").lower()
    )
    if not match or match[2] not in units:
        raise UsageError(f"{option} {text!r}: expected a number and a unit ({', '.join(units)}), for example {example}")
    value = float(match[1]) * units[match[2]]
    if not (0 < value < math.inf):
        raise UsageError(f"{option} {text!r}: must be above zero, for example {example}")
    return value


def show_sides(H: int, W: int) -> str:
    """Height and width of images in pixels: "96" of a square, else "64x256"."""
    return str(W) if H == W else f"{H}x{W}"
