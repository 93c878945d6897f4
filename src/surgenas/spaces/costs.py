"""What does every operator of a chain cost where it stands? Counted by passing shapes along the chain."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import nn

from surgenas.core.space import CostTable
from surgenas.nn.cost import cost_of

Shape = tuple[int, ...]


def chain_costs(
    before: Sequence[nn.Module],
    layers: Sequence[Sequence[nn.Module]],
    after: Sequence[nn.Module],
    input_shape: tuple[int, int, int],
) -> CostTable:
    """The cost table of a chain: fixed modules, then L layers of K operators each, then fixed modules.

    All modules are on the meta device; they are put into eval mode. Layers that are alike may be the same list, which
    is counted once for each input shape. input_shape: (C, H, W) of one image.
    """
    for module in (*before, *(operator for operators in layers for operator in operators), *after):
        module.eval()
    shape: Shape = input_shape
    fixed, geometry, table = [], [], []
    known: dict[tuple[int, Shape], list[tuple[float, float, float]]] = {}
    for module in before:
        fixed.append((cost_of(module, _image(shape)), row := _row(module, shape)))
        shape = row[1]
    for operators in layers:
        key = id(operators), shape
        if key not in known:
            known[key] = [cost_of(operator, _image(shape)) for operator in operators]
        table.append(known[key])
        row = _row(operators[0], shape)
        geometry.append(_geometry(shape, row[1]))
        shape = row[1]
    for module in after:
        fixed.append((cost_of(module, _image(shape)), row := _row(module, shape)))
        shape = row[1]
    counted = np.array(table)
    return CostTable(
        macs=counted[:, :, 0],
        params=counted[:, :, 1],
        geometry=np.array(geometry),
        fixed_macs=sum(cost[0] for cost, _ in fixed),
        fixed_params=sum(cost[1] for cost, _ in fixed),
        fixed_geometry=np.array([_geometry(*row) for _, row in fixed]),
        fixed_before=len(before),
        moved_bytes=counted[:, :, 2],
    )


def _row(module: nn.Module, shape: Shape) -> tuple[Shape, Shape]:
    with torch.no_grad():
        return shape, tuple(module(torch.empty(1, *shape, device="meta")).shape[1:])


def _geometry(shape: Shape, out: Shape) -> tuple[float, float, float, float]:
    """(log Cin, log Cout, log HxW, stride) of a layer with these input and output shapes, without the batch."""
    channels, height, width = _image(shape)
    stride = height / out[1] if len(out) == 3 else 1.0
    return math.log(channels), math.log(out[0]), math.log(height * width), float(math.ceil(stride))


def _image(shape: Shape) -> tuple[int, int, int]:
    channels, height, width = shape
    return channels, height, width
