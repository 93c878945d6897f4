"""What is a millisecond of a run? A ratio to the run's reference, times what that is taken to need.

A machine may have been in a slow state when the reference was looked at. Then the journal gets an event `rescaled`, and
every latency that it held before is read on the new scale: limit, candidates and rivals move together, and nothing is
measured again (docs/measurement.md, 21).
"""

from __future__ import annotations

from typing import Any

RESCALED = "rescaled"
"""The event: `factor` is the new scale over the old one, `doubt` the relative doubt of the new one."""
ON_SCALE = frozenset({
    "ms", "steady_ms", "campaigns_ms", "reference_ms", "latency_ms", "low_ms", "high_ms", "chosen_ms", "predicted_ms",
    "measured_ms", "rmse_ms", "mean_ms",
})  # fmt: skip
"""The fields of events that are on the run's scale. A limit that was asked for is not, nor what the wall clock saw."""


def put_on_scale(value: Any, factor: float, doubt: float) -> Any:
    """A plain JSON value, in which every latency on the run's scale is multiplied by the factor."""
    if isinstance(value, dict):
        return {key: _field(key, item, factor, doubt) for key, item in value.items()}
    if isinstance(value, list):
        return [put_on_scale(item, factor, doubt) for item in value]
    return value


def _field(key: str, value: Any, factor: float, doubt: float) -> Any:
    if key == "scale_doubt":
        return doubt
    if key == "slowdown":  # of what the wall clock saw, over a latency on the scale
        return value and value / factor
    return _times(value, factor) if key in ON_SCALE else put_on_scale(value, factor, doubt)


def _times(value: Any, factor: float) -> Any:
    if isinstance(value, list):
        return [_times(item, factor) for item in value]
    return value if value is None else factor * value
