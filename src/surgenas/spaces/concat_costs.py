"""What does every cell of the space `concat` cost? By formula, since a cell has hundreds of options."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from surgenas.core.pairs import Pairs
from surgenas.core.space import CostTable, Floats
from surgenas.core.topology import link_channels
from surgenas.spaces.costs import coupled_costs

if TYPE_CHECKING:
    from surgenas.spaces.concat import Concat


def count_costs(space: Concat) -> CostTable:
    """The costs of all networks: MACs, weights and bytes moved of convolutions and of the linear layer, without biases
    and norms, which hold little."""
    grids = [np.stack(np.meshgrid(*axes, indexing="ij")).reshape(3, -1) for axes in space.sizes]  # (3, K) of each cell
    L, K, G = len(grids), max(grid.shape[1] for grid in grids), max(len(widths) for widths, _, _ in space.sizes)
    own, behind, kind = np.zeros((L, K, 3)), np.zeros((L, K, G, 3)), np.zeros((L, K), dtype=np.int64)
    shown = np.array([float(space.stem)])  # the widths that the row before may have
    side = -(-space.resolution // space.stem_stride)
    stem = _convolution(np.array([3.0]), shown, space.resolution, side, separable=False)[0]
    for row, ((widths, _, _), (width, depth, links)) in enumerate(zip(space.sizes, grids, strict=True)):
        before, side = side, -(-side // space.stride(row))
        count = len(width)
        reads = (depth - 1) * width + link_channels(width, depth, links)  # of all layers but the first, together
        own[row, :count] = _inner(reads, width, depth - 1, side, separable=space.separable)
        first = _convolution(shown, width[:, None], before, side, separable=space.separable)
        behind[row, :count, : len(shown)] = first
        shown = np.array(widths, dtype=np.float64)
        kind[row, :count] = np.searchsorted(shown, width)
    own[0] += behind[0, :, 0]  # the stem has one width
    own[-1, : len(width)] += _linear(width, space.classes)
    macs, weights, _ = stem
    return coupled_costs(Pairs(own, kind, behind), [grid.shape[1] for grid in grids], float(macs), float(weights))


def _convolution(cin: Floats, cout: Floats, before: int, side: int, *, separable: bool) -> Floats:
    """(..., 3): the costs of a 3x3 convolution of images of `before` x `before` pixels to `side` x `side`."""
    here, there = before**2, side**2
    if not separable:
        return _costs(9 * cin * cout, there, cin * here + cout * there)
    return _costs(9 * cin, there, cin * (here + there)) + _costs(cin * cout, there, (cin + cout) * there)


def _inner(reads: Floats, width: Floats, layers: Floats, side: int, *, separable: bool) -> Floats:
    """(K, 3): the costs of all layers of a cell but the first, which read so many channels together."""
    there = side**2
    written = layers * width
    if not separable:
        return _costs(9 * reads * width, there, (reads + written) * there)
    return _costs(9 * reads, there, 2 * reads * there) + _costs(reads * width, there, (reads + written) * there)


def _linear(inputs: Floats, classes: int) -> Floats:
    return _costs(inputs * classes, 1, inputs + classes)


def _costs(weights: Floats, pixels: int, values: Floats) -> Floats:
    """(..., 3): MACs, weights and bytes moved in fp32, from weights that all pixels use and values read and written."""
    return np.stack(np.broadcast_arrays(weights * pixels, weights, 4 * (values + weights)), -1)
