"""Which channels matter most? They are sorted once, so that afterwards the first of a group are the ones to keep."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from surgenas.nn.elastic.integers import forget_copies
from surgenas.nn.elastic.joined import Numbers
from surgenas.nn.elastic.structure import Group, Structure, named_tensors

Score = Callable[[nn.Module, Group], NDArray[np.float64]]
"""How much each unit of a group matters, (units,)."""


def norm_of_writers(network: nn.Module, group: Group) -> NDArray[np.float64]:
    """The L2 norm of all weights that make each unit, (units,): NetAdapt's choice of filters (arXiv 1804.03230)."""
    tensors = named_tensors(network)
    total = np.zeros(group.size)
    for member in group.members:
        if member.writes:
            rows = tensors[member.name].detach().double().movedim(member.axis, 0).flatten(1)
            total += rows.square().sum(1).cpu().numpy()[member.index].sum(1)
    return np.sqrt(total)


@torch.no_grad()
def sort_channels(network: nn.Module, structure: Structure, score: Score = norm_of_writers) -> None:
    """Put the units of every group in order, from the one that matters most, in the network itself.

    The network computes the same as before, up to the rounding of sums in another order.
    """
    tensors = named_tensors(network)
    orders: dict[tuple[str, int], Numbers] = {}
    for group in structure.groups:
        best_first = np.argsort(-score(network, group), kind="stable")
        for member in group.members:
            size = tensors[member.name].shape[member.axis]
            order = orders.setdefault((member.name, member.axis), np.arange(size))
            order[member.index.ravel()] = member.index[best_first].ravel()
    for (name, axis), order in orders.items():
        tensor = tensors[name]
        tensor.copy_(tensor.index_select(axis, torch.from_numpy(order).to(tensor.device)))
    forget_copies(network)
