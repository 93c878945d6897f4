"""How far is a prediction off, as a person would say it? In shares of the latency, but not of next to nothing."""

from __future__ import annotations

import numpy as np

from surgenas.core.space import Floats

LEAST = 0.1
"""Errors are shares of the measured latency, or of this part of the median where that is more."""


def relative_errors(predicted_ms: Floats, measured_ms: Floats) -> Floats:
    """How far each prediction (N,) in ms is off, as a share of what was measured (N,), or of LEAST of its median."""
    least = max(LEAST * float(np.median(measured_ms)), np.finfo(np.float64).tiny)
    found: Floats = np.abs(predicted_ms - measured_ms) / np.maximum(measured_ms, least)
    return found
