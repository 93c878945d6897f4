"""Which new networks does an accuracy model predict to be best inside the limit? Looked for as the space allows: all
are looked at, or a box of numbers is searched, or networks evolve (docs/methods/flash.md, 4)."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

import numpy as np

from surgenas.accuracy.base import AccuracyPredictor
from surgenas.core import moves
from surgenas.core.architecture import Architecture
from surgenas.core.capabilities import Boxed
from surgenas.core.errors import LimitError
from surgenas.core.space import Space
from surgenas.core.trial import Trial
from surgenas.methods import box_search
from surgenas.methods.blackbox import ENUMERABLE, list_networks, sort_by_score, tried_keys
from surgenas.methods.box_search import MOST_AXES, Grid, find_best
from surgenas.methods.evolution import Evolution, evolve
from surgenas.methods.inside import Inside
from surgenas.methods.sampling import Feasible

EVOLUTION = Evolution(population=100, generations=20, mutations=50, crossovers=30, draws=500)
"""How a space is searched that is too large to be looked at as a whole and is no box."""
CHUNK = 500
"""How many of the highest ranked networks are tested for feasibility at once."""


def find_promising(
    space: Space,
    model: AccuracyPredictor,
    history: Sequence[Trial],
    n: int,
    feasible: Feasible,
    rng: np.random.Generator,
) -> list[Architecture]:
    """Up to n feasible networks that are not in the history, of different keys, the best predicted first."""
    known = tried_keys(history)
    if moves.size(space) <= ENUMERABLE:
        return _of_all(space, model, n, feasible, known)
    grid = grid_of(space, model, feasible)
    if grid is not None:
        with suppress(LimitError):  # if a small feasible part was missed, evolution begins with what was judged in it
            return _of_grid(space, grid, n, feasible, known)
    best = [trial.arch for trial in sort_by_score(history)[: EVOLUTION.parents]]
    evolved = evolve(space, lambda archs: model.predict(archs).tolist(), EVOLUTION, feasible, rng, best)
    return _new(space, [trial.arch for trial in evolved], n, feasible, known)


def _of_grid(space: Space, grid: Grid, n: int, feasible: Feasible, known: set[str]) -> list[Architecture]:
    """The best new networks of a grid, several points of which may be one network. Raises LimitError if no point seen
    is inside."""
    wanted = n + len(known)
    while True:
        places_NC = find_best(grid, wanted).places
        found = _new(space, [moves.from_indices(space, row) for row in places_NC], n, feasible, known)
        if len(found) == n or len(places_NC) < wanted:
            return found
        wanted *= 4


def grid_of(space: Space, model: AccuracyPredictor, feasible: Feasible) -> Grid | None:
    """The space as a grid whose score is the model's and whose latency the predictor's; None if it is none, or if it
    is too large to be looked at as a whole and has too many axes, or a model without slopes in between."""
    if not isinstance(space, Boxed) or not isinstance(feasible, Inside):
        return None
    axes = space.axes()
    between = model.relaxes and sum(len(axis) > 1 for axis in axes) <= MOST_AXES
    if moves.size(space) > box_search.ENUMERABLE and not between:
        return None
    return Grid(axes, model.predict_at, lambda values: feasible.latency_ms(space.gates_at(values)), feasible.limit())


def _of_all(space: Space, model: AccuracyPredictor, n: int, feasible: Feasible, known: set[str]) -> list[Architecture]:
    pool = list_networks(space)
    new = [arch for arch, key in zip(pool.archs, pool.keys, strict=True) if key not in known]
    order = np.argsort(-model.predict(new), kind="stable")
    found: list[Architecture] = []
    for start in range(0, len(order), CHUNK):
        chunk = [new[i] for i in order[start : start + CHUNK]]
        found += [arch for arch, ok in zip(chunk, feasible(chunk), strict=True) if ok]
        if len(found) >= n:
            break
    return found[:n]


def _new(
    space: Space, archs: Sequence[Architecture], n: int, feasible: Feasible, known: set[str]
) -> list[Architecture]:
    """The first n of these that are feasible and not known, each network once."""
    new: dict[str, Architecture] = {}
    for arch in archs:
        key = moves.canonical_key(space, arch)
        if key not in known:
            new.setdefault(key, arch)
    candidates = list(new.values())
    allowed = feasible(candidates) if candidates else ()
    return [arch for arch, ok in zip(candidates, allowed, strict=True) if ok][:n]
