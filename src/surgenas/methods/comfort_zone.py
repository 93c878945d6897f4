"""How far can a found network grow before its device charges for it? Comfort Zone (docs/methods/surgenas.md, 7).

lat(s), F(s): latency and FLOPs at scale s >= 1; eff(s) = F(s) B / lat(s).
    Zone = { s : eff(s) >= (1 - eps_e) max over s' <= s of eff(s')  and  lat(s) <= (1 + eps_l) lat(1) }
That the paper has a Comfort Zone is known; this definition is our reconstruction.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Scaled:
    """A network at one scale, with its costs.

    scale: 1 for the network itself. latency_ms: of a whole batch. macs: multiply-accumulates of one image. moved_bytes:
    weights and activations that are read and written for one image. batch: images in a batch.
    """

    scale: float
    latency_ms: float
    macs: float
    moved_bytes: float
    batch: int = 1

    @property
    def flops_per_s(self) -> float:
        """Achieved operations per second, counting two operations for each multiply-accumulate."""
        return 2e3 * self.macs * self.batch / self.latency_ms

    @property
    def intensity(self) -> float:
        """Operations per moved byte, assuming that nothing stays in a cache between layers."""
        return 2 * self.macs / self.moved_bytes


def zone(points: Sequence[Scaled], *, latency_slack: float = 0.03, efficiency_slack: float = 0.05) -> list[Scaled]:
    """The points above scale 1 that belong to the Comfort Zone, the smallest scale first; empty if the device charges
    for every step.

    latency_slack, efficiency_slack: eps_l and eps_e of the definition above, as shares. Raises ValueError if scale 1 is
    not the smallest scale among the points.
    """
    ordered = sorted(points, key=lambda point: point.scale)
    if not ordered or ordered[0].scale != 1:
        raise ValueError("the network itself (scale 1) must be the smallest point")
    best, inside = 0.0, []
    for point in ordered:
        best = max(best, point.flops_per_s)
        cheap = point.latency_ms <= (1 + latency_slack) * ordered[0].latency_ms
        if point.macs > ordered[0].macs and cheap and point.flops_per_s >= (1 - efficiency_slack) * best:
            inside.append(point)
    return inside


def pick(inside: Sequence[Scaled]) -> Scaled | None:
    """The point of the zone with the most MACs; None if the zone is empty."""
    return max(inside, key=lambda point: point.macs, default=None)
