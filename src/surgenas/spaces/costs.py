"""What does every operator of a chain cost where it stands? Counted by passing shapes along the chain. And what does
an option add where several rows decide together what a layer costs?"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import nn

from surgenas.core.pairs import Pairs
from surgenas.core.products import Products
from surgenas.core.space import CostTable
from surgenas.nn.cost import cost_and_shape

Shape = tuple[int, ...]
Cost = tuple[float, float, float]
"""MACs, parameters, moved bytes."""


def chain_costs(
    before: Sequence[nn.Module],
    layers: Sequence[Sequence[nn.Module]],
    after: Sequence[nn.Module],
    input_shape: tuple[int, int, int],
) -> CostTable:
    """The cost table of a chain: fixed modules, then L layers of K operators each, then fixed modules.

    Layers that are alike may be the same list, which is counted once for each input shape. input_shape: (C, H, W) of
    one image.
    """
    shape: Shape = input_shape
    fixed, fixed_geometry, geometry, table = [], [], [], []
    known: dict[tuple[int, Shape], list[tuple[Cost, Shape]]] = {}

    def count_fixed(module: nn.Module, shape: Shape) -> Shape:
        cost, out = cost_and_shape(module, _image(shape))
        fixed.append(cost)
        fixed_geometry.append(_geometry(shape, out))
        return out

    for module in before:
        shape = count_fixed(module, shape)
    for operators in layers:
        key = id(operators), shape
        if key not in known:
            known[key] = [cost_and_shape(operator, _image(shape)) for operator in operators]
        table.append([cost for cost, _ in known[key]])
        (_, out), *_ = known[key]
        geometry.append(_geometry(shape, out))
        shape = out
    for module in after:
        shape = count_fixed(module, shape)
    counted = np.array(table)
    return CostTable(
        macs=counted[:, :, 0],
        params=counted[:, :, 1],
        geometry=np.array(geometry),
        fixed_macs=sum(macs for macs, _, _ in fixed),
        fixed_params=sum(params for _, params, _ in fixed),
        fixed_geometry=np.array(fixed_geometry),
        fixed_before=len(before),
        moved_bytes=counted[:, :, 2],
    )


def coupled_costs(
    coupled: Products | Pairs, options: Sequence[int], fixed_macs: float = 0.0, fixed_params: float = 0.0
) -> CostTable:
    """The table whose rows say what each option adds while all else is at its largest. options: how many each row has,
    the least first and the largest last. fixed_macs, fixed_params: of the parts that no choice touches."""
    L, K = len(options), max(options)
    full = torch.zeros(L, K, dtype=torch.float64)
    for place, count in enumerate(options):
        full[place, count - 1] = 1
    tables = np.zeros((3, L, K))
    for place, count in enumerate(options):
        others = full.repeat(count, 1, 1)
        others[:, place] = torch.eye(K, dtype=torch.float64)[:count]
        totals = coupled.counts(others).sum(1).numpy()
        tables[:, place, :count] = (totals - totals[0]).T
    nothing = np.zeros((0, 4))
    return CostTable(
        macs=tables[0], params=tables[1], geometry=np.zeros((L, 4)), fixed_macs=fixed_macs, fixed_params=fixed_params,
        fixed_geometry=nothing, fixed_before=0, moved_bytes=tables[2], coupled=coupled,
    )  # fmt: skip


def _geometry(shape: Shape, out: Shape) -> tuple[float, float, float, float]:
    """(log Cin, log Cout, log HxW, stride) of a layer with these input and output shapes, without the batch."""
    channels, height, width = _image(shape)
    stride = height / out[1] if len(out) == 3 else 1.0
    return math.log(channels), math.log(out[0]), math.log(height * width), float(math.ceil(stride))


def _image(shape: Shape) -> tuple[int, int, int]:
    channels, height, width = shape
    return channels, height, width
