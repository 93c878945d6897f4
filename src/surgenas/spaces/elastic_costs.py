"""What does every smaller version of a network cost? Each layer's size is a product of what the choices leave of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import nn

from surgenas.core.products import FACTORS, Products
from surgenas.core.space import CostTable, Floats
from surgenas.nn.cost import work_of
from surgenas.nn.elastic import Structure
from surgenas.nn.elastic.sizes import LayerSize, layer_sizes

if TYPE_CHECKING:
    from surgenas.spaces.elastic import Part

OUTPUTS, INPUTS, KERNEL, RUNS, PIXELS = range(len(FACTORS))


def count_costs(network: nn.Module, structure: Structure, parts: Sequence[Part], side: int) -> CostTable:
    """The costs of all smaller versions of a network. parts: what each choice decides. side: the largest input's."""
    layers = layer_sizes(network, structure, (3, side, side))
    slope = np.zeros((len(layers), len(FACTORS), len(parts), max(len(part.sizes) for part in parts)))
    for place, part in enumerate(parts):
        pixels = [_pixels(network, size, side) for size in part.sizes] if part.kind == "input" else []
        for m, layer in enumerate(layers):
            for factor, effects in _effects(layer, part, [row[m] for row in pixels]):
                slope[m, factor, place, : len(part.sizes)] += effects
    largest = np.array([[layer.macs, layer.params, layer.values_in, layer.values_out] for layer in layers])
    by_channel = np.array([layer.by_channel for layer in layers])
    products = Products(largest, np.ones((len(layers), len(FACTORS))), slope, by_channel)
    return _table(products, parts)


def _effects(layer: LayerSize, part: Part, pixels: Sequence[float]) -> list[tuple[int, Floats]]:
    """By factor: what each option of a choice changes of a layer, as a share of its largest size."""
    sizes = np.array(part.sizes, dtype=np.float64)
    if part.kind == "width":
        gone = sizes - sizes[-1]
        both = ((OUTPUTS, layer.outputs), (INPUTS, layer.inputs))
        return [(factor, gone * shares[part.name]) for factor, shares in both if part.name in shares]
    if part.kind == "block":
        return [(RUNS, sizes - 1)] if layer.block == part.name else []
    if part.kind == "kernel":
        return [(KERNEL, (sizes / sizes[-1]) ** 2 - 1)] if layer.name == part.name else []
    return [(PIXELS, np.array(pixels) - 1)]


def _pixels(network: nn.Module, size: int, side: int) -> list[float]:
    """For each layer: the share of its MACs that is left at an input of `size` pixels instead of `side`."""
    small, large = (
        [work.macs for work in work_of(network, (3, pixels, pixels), (nn.Conv2d, nn.Linear))[1]]
        for pixels in (size, side)
    )
    return [float(one / other) for one, other in zip(small, large, strict=True)]


def _table(products: Products, parts: Sequence[Part]) -> CostTable:
    """The table whose rows say what each option adds while all else is at its largest."""
    K = products.slope.shape[3]
    full = torch.zeros(len(parts), K, dtype=torch.float64)
    for place, part in enumerate(parts):
        full[place, len(part.sizes) - 1] = 1
    tables = np.zeros((3, len(parts), K))
    for place, part in enumerate(parts):
        others = full.repeat(len(part.sizes), 1, 1)
        others[:, place] = torch.eye(K, dtype=torch.float64)[: len(part.sizes)]
        totals = products.counts(others).sum(1).numpy()
        tables[:, place, : len(part.sizes)] = (totals - totals[0]).T
    nothing = np.zeros((0, 4))
    return CostTable(
        macs=tables[0], params=tables[1], geometry=np.zeros((len(parts), 4)), fixed_macs=0.0, fixed_params=0.0,
        fixed_geometry=nothing, fixed_before=0, moved_bytes=tables[2], products=products,
    )  # fmt: skip
