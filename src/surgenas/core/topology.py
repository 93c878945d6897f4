"""How wide is a network, and how much do links over layers add? NN-Mass and a degree after FLASH, by formula alone.

A cell has d layers of w channels each. Layer i, counted from 0, reads what layer i - 1 wrote and, through at most t
links, single channels of the layers before that one, of which there are w (i - 1). All functions take numbers or arrays
that broadcast, and sizes in between: the last layer of a depth of 5.5 counts half (docs/methods/flash.md, 2).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Sizes = npt.ArrayLike


def link_channels(width: Sizes, depth: Sizes, most: Sizes) -> Floats:
    """The channels that all layers of a cell together read through links: the sum over i = 2 .. d - 1 of
    min(t, w (i - 1)), for width w, depth d and most t."""
    w, d, t = np.broadcast_arrays(*(size[..., None] for size in _floats(width, depth, most)))
    before = np.arange(1, max(2, int(np.ceil(d.max(initial=0))) - 1))  # how many layers lie before the one that is read
    there = np.clip(d - 1 - before, 0, 1)
    return np.asarray((np.minimum(t, w * before) * there).sum(-1))


def density(width: Sizes, depth: Sizes, most: Sizes) -> Floats:
    """The share of all links that a cell could have which are there; 0 of a cell too shallow for any."""
    possible = link_channels(width, depth, np.inf)
    return np.asarray(link_channels(width, depth, most) / np.where(possible > 0, possible, 1))


def cell_mass(width: Sizes, depth: Sizes, most: Sizes) -> Floats:
    """NN-Mass of a cell: the density of its links times w d. That of a network is the sum over its cells."""
    w, d = _floats(width, depth)
    return np.asarray(density(w, d, most) * w * d)


def cell_degree(width: Sizes, depth: Sizes, most: Sizes) -> Floats:
    """The degree of a cell: its width, and the linked channels for each of its w d channels. That of a network is the
    sum over its cells."""
    w, d = _floats(width, depth)
    return np.asarray(w + link_channels(w, d, most) / (w * d))


def basic_block_mass(inputs: Sizes, outputs: Sizes) -> Floats:
    """NN-Mass of a basic block of ResNet, whose sum links all there is to link."""
    return np.asarray(sum(_floats(inputs, outputs)))


def bottleneck_mass(inputs: Sizes, hidden: Sizes) -> Floats:
    """NN-Mass of a block of three convolutions, inputs -> hidden -> hidden -> inputs channels, to which its input is
    added: a bottleneck of ResNet, or an inverted residual of MobileNetV2. One without that sum has none."""
    i, h = _floats(inputs, hidden)
    return np.asarray((i + 2 * h) * i / (2 * i + h))


def block_degree(inputs: Sizes, hidden: Sizes, outputs: Sizes, added: Sizes) -> Floats:
    """The degree of a block of three convolutions, inputs -> hidden -> hidden -> outputs channels, taken for a cell of
    their mean width whose links are the input's channels where that is added (1), and none where it is not (0)."""
    i, h, o, there = _floats(inputs, hidden, outputs, added)
    return np.asarray((2 * h + o) / 3 + there * i / (2 * h + o))


def _floats(*sizes: Sizes) -> list[Floats]:
    return [np.asarray(size, dtype=np.float64) for size in sizes]
