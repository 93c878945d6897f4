"""What does every network of the space `compound` cost? By formula, since there are hundreds of whole networks."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from surgenas.core.space import Floats
from surgenas.spaces.mobile import Mobile, Operator

Layer = tuple[float, float, float]
"""MACs, parameters and moved bytes of a layer."""


def chain_cost(chains: Mobile, operator: Operator) -> Floats:
    """(3,): MACs, parameters and moved bytes of the chain whose layers are all this operator, which has no
    Squeeze-and-Excitation, as `nn.cost` counts them."""
    return np.sum(list(_layers(chains, operator)), 0)


def _layers(chains: Mobile, operator: Operator) -> Iterator[Layer]:
    layout, size = chains.layout, chains.resolution
    half = -(-size // 2)
    yield _conv(3, layout.stem, 3, size, half)
    if layout.fixed:
        yield from _mbconv(layout.stem, layout.fixed, Operator(3, 1), half, half)
    for slot in chains.slots:
        yield from _mbconv(slot.cin, slot.cout, operator, slot.size, -(-slot.size // slot.stride))
    width, size = chains.slots[-1].cout, -(-chains.slots[-1].size // chains.slots[-1].stride)
    if layout.tail:
        yield from _mbconv(width, layout.tail, Operator(3, 6), size, size)
    yield _conv(layout.tail or width, layout.head, 1, size, size)
    if layout.hidden:
        yield _linear(layout.head, layout.hidden)
    yield _linear(layout.hidden or layout.head, chains.classes)


def _linear(inputs: int, outputs: int) -> Layer:
    weights = (inputs + 1) * outputs
    return float(inputs * outputs), float(weights), 4.0 * (inputs + outputs + weights)


def _mbconv(cin: int, cout: int, operator: Operator, before: int, after: int) -> Iterator[Layer]:
    hidden = cin * operator.expand
    if operator.expand > 1:
        yield _conv(cin, hidden, 1, before, before)
    yield _conv(hidden, hidden, operator.kernel, before, after, depthwise=True)
    yield _conv(hidden, cout, 1, after, after)


def _conv(cin: int, cout: int, kernel: int, before: int, after: int, *, depthwise: bool = False) -> Layer:
    """A convolution with its batch normalization, of maps of `before` x `before` to `after` x `after`."""
    weights = cout * kernel**2 * (1 if depthwise else cin)
    moved = cin * before**2 + cout * after**2 + weights
    return float(weights * after**2), float(weights + 2 * cout), 4.0 * moved
