"""Which networks are as different as can be?"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from surgenas.core import moves
from surgenas.core.architecture import Architecture
from surgenas.core.capabilities import Boxed
from surgenas.core.space import Floats, Space


def spread(
    space: Space, pool: Sequence[Architecture], before: Sequence[Architecture], count: int
) -> list[Architecture]:
    """Up to `count` of the pool, each the farthest from all before it; the very first is the pool's first.

    Far is what differs in many choices, or, in a space of numbers, by much.
    """
    at_NF, before_MF = _places(space, pool), _places(space, before)
    apart_N = np.full(len(pool), np.inf)
    for row in before_MF:
        apart_N = np.minimum(apart_N, np.square(at_NF - row).sum(1))
    chosen: list[int] = []
    while len(chosen) < min(count, len(pool)):
        chosen.append(int(apart_N.argmax()))
        apart_N = np.minimum(apart_N, np.square(at_NF - at_NF[chosen[-1]]).sum(1))
        apart_N[chosen] = -1.0
    return [pool[i] for i in chosen]


def _places(space: Space, archs: Sequence[Architecture]) -> Floats:
    """Where networks lie, (N, F): for each option of each choice whether it is taken, or their numbers as shares of the
    ranges."""
    axes: list[Floats] = [np.eye(len(choice.options)) for choice in space.choices]
    if isinstance(space, Boxed):
        numbers = [np.array(axis, dtype=np.float64) for axis in space.axes()]
        axes = [((axis - axis[0]) / max(float(np.ptp(axis)), 1e-12))[:, None] for axis in numbers]
    rows = [zip(axes, moves.indices(space, arch), strict=True) for arch in archs]
    places = [np.concatenate([axis[i] for axis, i in row]) for row in rows]
    return np.stack(places) if places else np.zeros((0, sum(axis.shape[1] for axis in axes)))
