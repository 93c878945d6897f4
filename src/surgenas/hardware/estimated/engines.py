"""Which sizes of an accelerator's engines make a network fastest, within what a board has? An integer programme.

Each engine is built in one of several sizes. A stage of the network keeps each engine busy for a number of cycles that
its size decides, and takes the longest of them, or all one after the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.optimize import Bounds, LinearConstraint
from scipy.sparse import lil_array

from surgenas.core.programme import Array, Infeasible, minimise

Together = Literal["max", "sum"]
"""Whether the engines of a stage run at the same time, or one after the other."""


@dataclass(frozen=True)
class Engine:
    """A part of an accelerator in O possible sizes.

    uses: of each of R resources, (O, R). cycles: of each of S stages, (O, S), whole numbers.
    """

    name: str
    uses: Array
    cycles: Array


def cheapest_engines(
    engines: Sequence[Engine], budget: Array, together: Together, least: Array | None = None
) -> tuple[tuple[int, ...], float]:
    """(the size of each engine by its position, the cycles of all stages): the fewest cycles within the budget (R,),
    and among equally fast ones the fewest of the first resource.

    least: cycles (S,) that each stage takes in any case. Raises Infeasible.
    """
    S = engines[0].cycles.shape[1]
    floor = np.zeros(S) if least is None else least
    alone = np.array([engine.uses.min(0) for engine in engines]).sum(0)
    if (alone > budget).any():
        raise Infeasible(alone)
    _, cycles = _solve(engines, budget, together, floor, first=False, most=np.inf)
    sizes, _ = _solve(engines, budget, together, floor, first=True, most=cycles + 0.5)
    return sizes, cycles


def cycles_of(engines: Sequence[Engine], sizes: Sequence[int], together: Together, least: Array | None = None) -> Array:
    """The cycles of every stage (S,) with these sizes."""
    busy = np.array([engine.cycles[size] for engine, size in zip(engines, sizes, strict=True)])
    found = busy.max(0) if together == "max" else busy.sum(0)
    return found if least is None else np.maximum(found, least)


def _solve(
    engines: Sequence[Engine], budget: Array, together: Together, floor: Array, *, first: bool, most: float
) -> tuple[tuple[int, ...], float]:
    """Least cycles, or with `first` least of the first resource where there are at most so many cycles.

    Variables: for each engine one of 0 or 1 for each size, then the cycles of each stage.
    """
    counts, S = [len(engine.uses) for engine in engines], len(floor)
    starts = np.cumsum([0, *counts])
    N = int(starts[-1])
    rules: list[LinearConstraint] = []
    one = lil_array((len(engines), N + S))
    for e in range(len(engines)):
        one[e, starts[e] : starts[e + 1]] = 1
    rules.append(LinearConstraint(one.tocsr(), 1, 1))
    used = np.concatenate([engine.uses for engine in engines])
    rules.append(LinearConstraint(np.concatenate([used.T, np.zeros((len(budget), S))], axis=1), -np.inf, budget))
    groups = [range(len(engines))] if together == "sum" else [[e] for e in range(len(engines))]
    for group in groups:
        busy = np.zeros((S, N + S))
        busy[:, N:] = np.eye(S)
        for e in group:
            busy[:, starts[e] : starts[e + 1]] = -engines[e].cycles.T
        rules.append(LinearConstraint(busy, 0, np.inf))
    total = np.concatenate([np.zeros(N), np.ones(S)])
    if np.isfinite(most):
        rules.append(LinearConstraint(total[None], -np.inf, most))
    wanted = np.concatenate([used[:, 0], np.zeros(S)]) if first else total
    bounds = Bounds(np.concatenate([np.zeros(N), floor]), np.concatenate([np.ones(N), np.full(S, np.inf)]))
    integral = np.concatenate([np.ones(N), np.zeros(S)])
    found = minimise(wanted, rules, integral, bounds)
    if found is None:  # the smallest of each engine fit one by one, but no choice fits all resources at once
        raise Infeasible(np.array([engine.uses.min(0) for engine in engines]).sum(0))
    sizes = tuple(int(found[starts[e] : starts[e + 1]].argmax()) for e in range(len(engines)))
    return sizes, float(cycles_of(engines, sizes, together, floor).sum())
