"""What may a device be charged for? Simplifications of the graph, each with the features that it leaves.

Runtimes differ in what they delete, so several are offered and `process` takes the one that predicts best what it has
not seen. Tables differ too: whoever measures one network of each kind and writes its latency beside all of them has
measured layers that the others lack. Then what a runtime leaves in is told by the one that was measured.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor

from surgenas.core.space import CostTable
from surgenas.predictors.messages import describe

Simplify = Callable[[CostTable, Tensor], dict[str, Tensor]]


def simplifications(costs: CostTable) -> list[Simplify]:
    """Those that can differ in this space, the plainest first: of the network itself, then of the one that stands for
    it, each with a converter that folds zeros into weights and with one that does not."""
    ways: list[Simplify] = [describe, describe_unfolded] if costs.nothing else [describe]
    return ways if costs.stand_ins is None else [*ways, *(partial(of_stand_in, way) for way in ways)]


def describe_unfolded(costs: CostTable, gates_NLK: Tensor) -> dict[str, Tensor]:
    """As `describe`, for a converter that folds nothing into weights."""
    return describe(costs, gates_NLK, folds=False)


def of_stand_in(way: Simplify, costs: CostTable, gates_NLK: Tensor) -> dict[str, Tensor]:
    """What that way makes of the networks that stand for these."""
    return way(costs, stand_in(costs, gates_NLK))


def stand_in(costs: CostTable, gates_NLK: Tensor) -> Tensor:
    """The gates (N, L, K) of the networks that stand for these (`CostTable.stand_ins`).

    Gates in between give each operator's chance in the network that stands for one drawn with gates as probabilities, a
    polynomial in them. The space must have such networks.
    """
    assert costs.stand_ins is not None
    codes = torch.from_numpy(costs.stand_ins).to(gates_NLK.dtype)
    N, L, K = gates_NLK.shape
    if not gates_NLK.requires_grad and bool(((gates_NLK == 0) | (gates_NLK == 1)).all()):  # looked up: the same, faster
        return codes[(gates_NLK.argmax(2) * torch.tensor([K ** (L - 1 - layer) for layer in range(L)])).sum(1)]
    before, behind = _chances(gates_NLK[:, : L // 2]), _chances(gates_NLK[:, L // 2 :])
    halfway = (before @ codes.view(before.shape[1], -1)).view(N, behind.shape[1], L * K)
    return (halfway * behind[:, :, None]).sum(1).view(N, L, K)


def _chances(gates_NLK: Tensor) -> Tensor:
    """The chance (N, K^L) of every way to take an operator for each of a few layers, the last changing fastest."""
    chances = gates_NLK[:, 0]
    for layer in range(1, gates_NLK.shape[1]):
        chances = (chances[:, :, None] * gates_NLK[:, layer, None]).flatten(1)
    return chances
