"""Which of many networks of one kind is nearest to a latency? Few are measured, along a line through what was seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from surgenas.core.architecture import Architecture
from surgenas.core.cost import Failure
from surgenas.core.space import Floats
from surgenas.hardware.target import all_costs
from surgenas.runs.measured import measure, price
from surgenas.runs.run import Run

ALIKE = 0.03
"""Two latencies count as equal if they differ by at most this share."""


def nearest(
    run: Run, step: str, archs: Sequence[Architecture], sizes: Sequence[float], like: float, target_ms: float
) -> tuple[Architecture, float] | Failure:
    """The network whose measured latency is nearest to target_ms, with the one over the other, or why the target cannot
    price them.

    sizes: what grows with latency from one network to the next, such as a width. like: about the size of the wanted
    one. Two networks around it are measured, then by turns the two that lie on either side of the target on the line
    through what was seen, until one is within ALIKE. Once each, since the claim measures it again.
    """
    first = _around(np.array(sizes), like)
    some = price(run, step, [archs[i] for i in first])
    if failed := next((cost for cost in some if isinstance(cost, Failure)), None):
        return failed
    seen = {i: _apart(cost.ms, target_ms) for i, cost in zip(first, all_costs(some), strict=True)}
    fine: dict[int, float] = {}
    for turn in range(1, 4):
        guess = _line(np.log(sizes), seen)
        near = [int(i) for i in np.argsort(np.abs(guess)) if i not in fine][:2]
        measured = measure(run, step, [archs[i] for i in near], turn=turn)
        fine |= {i: _apart(cost.ms, target_ms) for i, cost in zip(near, measured, strict=True)}
        seen |= fine
        if min(map(abs, fine.values())) <= ALIKE:
            break
    best = min(fine, key=lambda i: abs(fine[i]))
    return archs[best], float(np.exp(fine[best]))


def _around(sizes: Floats, like: float) -> list[int]:
    """The places of a smaller and of a larger network than the one of this size."""
    small, large = (int(np.abs(np.log(sizes / (factor * like))).argmin()) for factor in (0.8, 1.25))
    return [small, large] if small < large else [max(0, small - 1), min(len(sizes) - 1, small + 1)]


def _line(log_sizes: Floats, seen: Mapping[int, float]) -> Floats:
    """How far from the target each network lies, by the line in the logarithms through the two nearest that were
    seen. Noise may turn the line; then latency is taken to grow with the size."""
    one, other = sorted(seen, key=lambda i: abs(seen[i]))[:2]
    slope = (seen[one] - seen[other]) / (log_sizes[one] - log_sizes[other])
    return seen[one] + max(float(slope), 0.5) * (log_sizes - log_sizes[one])


def _apart(ms: float, target_ms: float) -> float:
    return float(np.log(ms / target_ms))
