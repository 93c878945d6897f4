"""Whose latency does a network's number say? Its own, or that of the one that stands for all that compute the same.

Whoever measures one network of each kind and writes its latency beside all of them has measured layers that the others
lack: what a runtime leaves in is then told by the one that was measured.
"""

from __future__ import annotations

import torch
from torch import Tensor

from surgenas.core.space import CostTable


def itself(costs: CostTable, gates_NLK: Tensor) -> Tensor:
    """The gates (N, L, K) themselves."""
    return gates_NLK


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
