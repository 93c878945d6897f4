"""What can be done with costs of either kind: read them back from JSON, compare two, rank many."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import PlainSerializer, PlainValidator

from surgenas.core.cost import Cost, Estimate
from surgenas.hardware.timed.comparison import Comparison, compare_latencies, ranks
from surgenas.hardware.timed.measurement import Measurement


def read_cost(record: dict[str, Any]) -> Cost:
    """The inverse of every cost's `to_dict`."""
    return Estimate.from_dict(record) if "tool" in record else Measurement.from_dict(record)


def _cost_of(value: Any) -> Cost:
    """For pydantic, which names the field of a ValueError."""
    if isinstance(value, Measurement | Estimate):
        return value
    try:
        return read_cost(value)
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"expected a cost ({type(error).__name__}: {error})") from error


AnyCost = Annotated[Cost, PlainValidator(_cost_of), PlainSerializer(lambda cost: cost.to_dict())]
"""A cost as a field of a value that goes to JSON and back."""


def compare(one: Cost, other: Cost) -> Comparison | None:
    """One latency over the other: of measurements with the interval of their ratio, of estimates as they are.

    None where that would say nothing: beside a grade D, or of a measurement and an estimate.
    """
    if isinstance(one, Measurement) and isinstance(other, Measurement):
        return compare_latencies(one, other)
    if one.evidence != other.evidence:
        return None
    ratio = one.ms / other.ms
    return Comparison(ratio, (ratio, ratio), tie=ratio == 1)


def places(costs: Sequence[Cost]) -> list[tuple[int, int]]:
    """The best and the worst place of each among all of one target, the fastest 1."""
    measured = [cost for cost in costs if isinstance(cost, Measurement)]
    if len(measured) == len(costs):
        return ranks(measured)
    return [
        (1 + sum(other.ms < cost.ms for other in costs), sum(other.ms <= cost.ms for other in costs)) for cost in costs
    ]
