"""Which operators of a trained supernet matter? Each is taken away in turn: DARTS-PT's selection rule.

Wang, Cheng, Chen, Tang, Hsieh: "Rethinking Architecture Selection in Differentiable NAS", ICLR 2021, arXiv 2108.04392;
where the paper is silent, as in its authors' code (docs/methods/darts.md).

An operator is away when its weight is 0; the others keep theirs. A decided edge has weight 1 for its operator. Judged
are edges in random order, one of each kind of cell at a time, and then, where a node reads only some of its edges, the
edges of each node, of which the least important is dropped until two are left.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from surgenas.core.capabilities import ThinsOut
from surgenas.core.seeds import generator
from surgenas.core.space import Space

Judge = Callable[[Sequence[Tensor]], list[float]]
"""From weights of operators (L, K), several times, to the accuracies (0 to 1) of the supernet with them."""


@dataclass(frozen=True)
class Decision:
    """What was decided of one row of a network's code, or of the edges of one node.

    row: of an edge whose operator was chosen, or that was dropped. operator: the chosen one's position; None for an
    edge that was dropped. without: the accuracy (0 to 1) without each operator of the row, or without each edge of
    the node, by position. margin: by how much (0 to 1) the first of them is ahead of the second.
    """

    row: int
    operator: int | None
    without: dict[int, float]
    margin: float


@dataclass(frozen=True)
class Event:
    """What is decided at once, before the weights are tuned again: an edge of each kind of cell, or a node of each."""

    rows: tuple[tuple[int, ...], ...]
    thins: bool


def events_of(space: Space, seed: int) -> list[Event]:
    """The events of a selection, in an order that the seed alone decides."""
    rng = generator(seed, "perturbation")
    kinds = space.kinds() if isinstance(space, ThinsOut) else ((tuple((row,) for row in range(len(space.rows)))),)
    edges = [[row for node in kind for row in node] for kind in kinds]
    order = rng.permutation(len(edges[0]))
    found = [Event(tuple((kind[i],) for kind in edges), thins=False) for i in order]
    if isinstance(space, ThinsOut):
        crowded = [i for i, node in enumerate(kinds[0]) if len(node) > 2]
        nodes = [crowded[i] for i in rng.permutation(len(crowded))]
        found += [Event(tuple(kind[i] for kind in kinds), thins=True) for i in nodes]
    return found


def judgements(space: Space) -> int:
    """How many times a whole selection asks for an accuracy."""
    offered_L = space.offered.sum(1)
    total = 0
    for event in events_of(space, 0):
        for rows in event.rows:
            total += sum(range(3, len(rows) + 1)) if event.thins else int(offered_L[rows[0]])
    return total


def weights_with(decisions: Sequence[Decision], weights_LK: Tensor) -> Tensor:
    """The weights of a supernet in which these decisions hold: 1 for a chosen operator, 0 for all others of its edge
    and for dropped edges."""
    fixed = torch.zeros_like(weights_LK)
    open_L = torch.ones(len(weights_LK), 1, dtype=weights_LK.dtype, device=weights_LK.device)
    for decision in decisions:
        open_L[decision.row] = 0
        if decision.operator is None:
            fixed[decision.row] = 0
        else:
            fixed[decision.row, decision.operator] = 1
    return weights_LK * open_L + fixed


def decide(
    event: Event, before: Sequence[Decision], weights_LK: Tensor, offered_LK: np.ndarray, judge: Judge
) -> list[Decision]:
    """The decisions of one event; each kind of cell is judged with those of the kinds before it.

    weights_LK: what the search would run all operators with, had nothing been decided. offered_LK: Space.offered.
    """
    found = list(before)
    for rows in event.rows:
        if event.thins:
            found += _thin_out(rows, found, weights_LK, judge)
        else:
            found.append(_choose(rows[0], found, weights_LK, offered_LK, judge))
    return found[len(before) :]


def _choose(row: int, before: Sequence[Decision], weights_LK: Tensor, offered_LK: np.ndarray, judge: Judge) -> Decision:
    """The operator whose absence costs the most accuracy; of equal ones the first."""
    operators = np.flatnonzero(offered_LK[row]).tolist()
    now_LK, tried = weights_with(before, weights_LK), []
    for k in operators:
        without = now_LK.clone()
        without[row, k] = 0
        tried.append(without)
    accuracies = dict(zip(operators, judge(tried), strict=True))
    chosen = min(operators, key=lambda k: accuracies[k])
    return Decision(row, chosen, accuracies, _margin(list(accuracies.values())))


def _thin_out(rows: Sequence[int], before: Sequence[Decision], weights_LK: Tensor, judge: Judge) -> list[Decision]:
    """Drop the edge whose absence costs the least accuracy, of equal ones the last, until two are left."""
    left, found = list(rows), list[Decision]()
    while len(left) > 2:
        now_LK, tried = weights_with([*before, *found], weights_LK), []
        for row in left:
            without = now_LK.clone()
            without[row] = 0
            tried.append(without)
        accuracies = dict(zip(left, judge(tried), strict=True))
        dropped = max(left, key=lambda row: (accuracies[row], row))
        found.append(Decision(dropped, None, accuracies, _margin([-a for a in accuracies.values()])))
        left.remove(dropped)
    return found


def _margin(accuracies: Sequence[float]) -> float:
    """Between the lowest and the one next to it."""
    first, second = sorted(accuracies)[:2] if len(accuracies) > 1 else (0.0, 0.0)
    return second - first


def scores(decisions: Sequence[Decision], offered_LK: np.ndarray) -> np.ndarray:
    """How much accuracy (in points of 100) the supernet loses without each operator (L, K), relative to the least lost
    on its edge; -inf for operators that are not offered, and for those of a dropped edge."""
    found = np.where(offered_LK, 0.0, -np.inf)
    for decision in decisions:
        if decision.operator is None:
            found[decision.row] = -np.inf
        else:
            most = max(decision.without.values())
            for k, accuracy in decision.without.items():
                found[decision.row, k] = 100 * (most - accuracy)
    return found
