"""What does every smaller version of a network cost? Each layer's size is a product of what the choices leave of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from torch import nn

from surgenas.core.products import FACTORS, Products
from surgenas.core.space import CostTable, Floats
from surgenas.nn.cost import work_of
from surgenas.nn.elastic import Structure
from surgenas.nn.elastic.sizes import LayerSize, layer_sizes
from surgenas.spaces.costs import coupled_costs

if TYPE_CHECKING:
    from surgenas.spaces.elastic_space import Decision

OUTPUTS, INPUTS, KERNEL, RUNS, PIXELS = range(len(FACTORS))


def count_costs(network: nn.Module, structure: Structure, decisions: Sequence[Decision], side: int) -> CostTable:
    """The costs of all smaller versions of a network. decisions: of each choice. side: the largest input's."""
    layers = layer_sizes(network, structure, (3, side, side))
    slope = np.zeros((len(layers), len(FACTORS), len(decisions), max(len(decision.sizes) for decision in decisions)))
    for place, decision in enumerate(decisions):
        pixels = [_pixels(network, size, side) for size in decision.sizes] if decision.kind == "input" else []
        for m, layer in enumerate(layers):
            for factor, effects in _effects(layer, decision, [row[m] for row in pixels]):
                slope[m, factor, place, : len(decision.sizes)] += effects
    largest = np.array([[layer.macs, layer.params, layer.values_in, layer.values_out] for layer in layers])
    by_channel = np.array([layer.by_channel for layer in layers])
    products = Products(largest, np.ones((len(layers), len(FACTORS))), slope, by_channel)
    return coupled_costs(products, [len(decision.sizes) for decision in decisions])


def _effects(layer: LayerSize, decision: Decision, pixels: Sequence[float]) -> list[tuple[int, Floats]]:
    """By factor: what each option of a choice changes of a layer, as a share of its largest size."""
    sizes = np.array(decision.sizes, dtype=np.float64)
    if decision.kind == "width":
        gone = sizes - sizes[-1]
        both = ((OUTPUTS, layer.outputs), (INPUTS, layer.inputs))
        return [(factor, gone * shares[decision.name]) for factor, shares in both if decision.name in shares]
    if decision.kind == "block":
        return [(RUNS, sizes - 1)] if layer.block == decision.name else []
    if decision.kind == "kernel":
        return [(KERNEL, (sizes / sizes[-1]) ** 2 - 1)] if layer.name == decision.name else []
    return [(PIXELS, np.array(pixels) - 1)] if decision.kind == "input" else []


def _pixels(network: nn.Module, size: int, side: int) -> list[float]:
    """For each layer: the share of its MACs that is left at an input of `size` pixels instead of `side`."""
    small, large = (
        [work.macs for work in work_of(network, (3, pixels, pixels), (nn.Conv2d, nn.Linear))[1]]
        for pixels in (size, side)
    )
    return [float(one / other) for one, other in zip(small, large, strict=True)]
