"""Which points of a grid are predicted to be best inside a limit? All are looked at if they are few; else SHGO looks in
between them, and small boxes of the grid around what it finds are looked at as a whole (docs/methods/flash.md, 4).

SHGO: Endres, Sandrock, Focke, J. Global Optimization 2018, as scipy has it.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.optimize import shgo

from surgenas.core.errors import LimitError
from surgenas.core.space import Floats, Positions
from surgenas.core.units import show_ms

At = Callable[[Floats], Floats]
"""A function from numbers (N, C) between the options of each choice to values (N,)."""
ENUMERABLE = 10**6
"""A grid of at most this many points is looked at as a whole."""
CHUNK = 2**14
ROUNDS = 2
"""Rounds of SHGO's refinement: after a single one it may call a local optimum a success."""
STARTS = 5
"""Around so many of the best points of SHGO a box is looked at."""
BOX = 4**6
"""How many points a small box may have."""
STEP = 1e-3
"""How far apart points are from which a slope is taken, as a share of an axis."""
MOST_AXES = 9
"""Of more axes than these SHGO's first simplices alone are too many, and a box of three options each too large."""


@dataclass(frozen=True, eq=False)
class Grid:
    """A grid with a value to be maximised and a limit. axes: the numbers along each of C axes, rising. score,
    latency_ms: at numbers in between too."""

    axes: tuple[tuple[float, ...], ...]
    score: At
    latency_ms: At
    limit_ms: float

    @cached_property
    def shape(self) -> tuple[int, ...]:
        """How many options each axis has."""
        return tuple(map(len, self.axes))

    @property
    def size(self) -> int:
        """How many points there are."""
        return int(np.prod(np.array(self.shape, dtype=object)))

    def values(self, places_NC: Positions) -> Floats:
        """The numbers (N, C) at positions (N, C) along the axes."""
        return np.stack([np.array(axis)[column] for axis, column in zip(self.axes, places_NC.T, strict=True)], 1)


@dataclass(frozen=True, eq=False)
class Found:
    """Points of a grid by falling score, all of them inside the limit. places: (N, C), positions along the axes."""

    places: Positions
    scores: Floats


def find_best(grid: Grid, count: int) -> Found:
    """Up to `count` points of the grid, the best first, those of all points if the grid is small enough.

    Raises LimitError naming the nearest point that was seen if none is inside the limit.
    """
    return enumerate_grid(grid, count) if grid.size <= ENUMERABLE else search_boxes(grid, count)


def enumerate_grid(grid: Grid, count: int) -> Found:
    """The best of all points."""
    seen = _Seen(grid)
    for start in range(0, grid.size, CHUNK):
        flat = np.arange(start, min(start + CHUNK, grid.size))
        seen.look(np.stack(np.unravel_index(flat, grid.shape), 1), keep=count)
    return seen.best(count)


def search_boxes(grid: Grid, count: int) -> Found:
    """The best points of small boxes around what SHGO finds in between, each moved until its best point is its middle.

    Where SHGO finds nothing inside the limit, the box begins at the smallest corner.
    """
    seen = _Seen(grid)
    starts = _relaxed_optima(grid) or [np.zeros(len(grid.axes))]
    for start in starts[:STARTS]:
        middle, known = start, set[tuple[int, ...]]()
        while (corner := tuple(np.round(middle).astype(int).tolist())) not in known:
            known.add(corner)
            places_NC = _box(grid.shape, middle)
            scores_N = seen.look(places_NC)
            middle = places_NC[int(scores_N.argmax())].astype(float)
    return seen.best(count)


class _Seen:
    """The points of a grid that were looked at."""

    def __init__(self, grid: Grid) -> None:
        self.grid = grid
        self.found: dict[tuple[int, ...], float] = {}
        self.nearest: tuple[float, Floats] | None = None

    def look(self, places_NC: Positions, keep: int | None = None) -> Floats:
        """What each point is worth (N,): its score, and nothing outside the limit; if all are outside, the more the
        faster it is. keep: how many of the best are remembered; all if None."""
        values_NC = self.grid.values(places_NC)
        ms_N = self.grid.latency_ms(values_NC)
        inside_N = ms_N <= self.grid.limit_ms
        fastest = int(ms_N.argmin())
        if self.nearest is None or ms_N[fastest] < self.nearest[0]:
            self.nearest = float(ms_N[fastest]), values_NC[fastest]
        if not inside_N.any():
            return -ms_N
        worth_N = np.full(len(ms_N), -np.inf)
        worth_N[inside_N] = self.grid.score(values_NC[inside_N])
        best = np.flatnonzero(inside_N)
        best = best[np.argsort(-worth_N[best], kind="stable")][:keep]
        self.found |= {tuple(places_NC[i].tolist()): float(worth_N[i]) for i in best}
        return worth_N

    def best(self, count: int) -> Found:
        """The best points that were seen, of equal ones the first."""
        if not self.found:
            assert self.nearest is not None, "a box holds a point"
            ms, values = self.nearest
            raise LimitError(
                f"no network seen is predicted to be inside {show_ms(self.grid.limit_ms)}; the nearest takes "
                f"{show_ms(ms)}, at {', '.join(f'{value:g}' for value in values)}"
            )
        best = sorted(self.found, key=lambda place: -self.found[place])[:count]
        return Found(np.array(best), np.array([self.found[place] for place in best]))


def _relaxed_optima(grid: Grid) -> list[Floats]:
    """Optima in between the options as fractional positions (C,), the best first; empty if none inside the limit is
    found."""
    low, high = (np.array([axis[i] for axis in grid.axes]) for i in (0, -1))
    free = np.flatnonzero(high > low)

    def at(x_NF: Floats) -> Floats:
        values_NC = np.tile(low, (len(x_NF), 1))
        values_NC[:, free] += np.clip(x_NF, 0, 1) * (high - low)[free]
        return values_NC

    def loss(x_NF: Floats) -> Floats:
        return -grid.score(at(x_NF))

    def slack(x_NF: Floats) -> Floats:
        return 1 - grid.latency_ms(at(x_NF)) / grid.limit_ms

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # a step outside the bounds, which is clipped
        result = shgo(
            lambda x: float(loss(x[None])[0]),
            [(0.0, 1.0)] * len(free),
            constraints={"type": "ineq", "fun": lambda x: float(slack(x[None])[0]), "jac": lambda x: _slope(slack, x)},
            iters=ROUNDS,
            sampling_method="simplicial",
            options={"jac": lambda x: _slope(loss, x)},
        )
    points = getattr(result, "xl", None)
    values_NC = at(np.array(points)) if points is not None and len(points) else np.empty((0, len(low)))
    return [
        np.array([np.interp(v, axis, range(len(axis))) for v, axis in zip(row, grid.axes, strict=True)])
        for row in values_NC
    ]


def _slope(function: At, x_F: Floats) -> Floats:
    """The slope (F,) at a point, from points near it that are asked for together; predictors count in fp32, so they
    must not be too near."""
    steps_F = np.where(x_F + STEP <= 1, STEP, -STEP)
    values = function(np.vstack([x_F, x_F + np.diag(steps_F)]))
    return (values[1:] - values[0]) / steps_F


def _box(shape: tuple[int, ...], middle: Floats) -> Positions:
    """The points (N, C) of a box of the grid around a point between them: of each axis the nearest options, as many as
    let the box have at most BOX points, and at least three where there are."""
    free = sum(size > 1 for size in shape)
    side = max(3, int(BOX ** (1 / max(1, free)) + 1e-9))
    near = []
    for size, place in zip(shape, middle, strict=True):
        first = int(np.clip(np.round(place - (side - 1) / 2), 0, max(0, size - side)))
        near.append(range(first, min(size, first + side)))
    return np.stack(np.meshgrid(*near, indexing="ij"), -1).reshape(-1, len(shape))
