"""What does a campaign say of one of its networks? Raw runs to a measurement with its interval and grade."""

from __future__ import annotations

import statistics
from typing import Any

from surgenas.hardware.target import Scale
from surgenas.hardware.timed.as_it_comes import is_unwaited, percentile, spread_of
from surgenas.hardware.timed.measurement import Measurement, estimate, grade
from surgenas.hardware.timed.timing import Campaign


def measurement_of(
    key: str,
    device: str,
    campaign: Campaign,
    reference: Scale,
    difference: float,
    floor: float,
    context: dict[str, Any],
) -> Measurement:
    """difference: of the network's result to what was expected, relative to the largest logit; floor: the device's
    noise floor; context: the state of the machine, with `memory` and `crowded` (docs/measurement.md)."""
    ratio, half = estimate(campaign.rounds[key], campaign.state_ms)
    quiet = sum(r.is_quiet(campaign.state_ms) for r in campaign.rounds[key])
    runs_ms = [ms for turn, r in enumerate(campaign.rounds[key]) if is_unwaited(turn) for ms in r.candidate.runs_ms]
    spread = spread_of(runs_ms)
    p90 = percentile([spread], "p90")
    steady = campaign.steady.get(key)
    return Measurement(
        key=key,
        device=device,
        ms=ratio * reference[1],
        ratio=ratio,
        half_width=half,
        grade=grade(max(half, floor, context["memory"]), campaign.preempted, quiet, context["crowded"]),
        rounds=len(campaign.rounds[key]),
        p50_ms=statistics.median(runs_ms),
        p90_ms=p90.ms if p90 else None,
        reference=reference[0],
        reference_ms=reference[1],
        max_difference=difference,
        floor=floor,
        steady_ms=estimate(steady, campaign.state_ms)[0] * reference[1] if steady else None,
        spreads_ms=(spread,) if spread else (),
        context={**context, "quiet_rounds": quiet, "state_ms": campaign.state_ms},
    )
