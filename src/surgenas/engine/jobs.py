"""From an architecture to its network, and to the job that a target is asked to price."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn

from surgenas.core import moves
from surgenas.core.architecture import Architecture
from surgenas.core.capabilities import Shrinks, require
from surgenas.core.space import Space
from surgenas.hardware.target import Job
from surgenas.nn.pretrained import load_start
from surgenas.spaces import make_like, space_of


def home_of(arch: Architecture, known: Space | None = None) -> Space:
    """The space of an architecture.

    known: a space at hand, taken if the architecture belongs to it, and made anew if only its settings differ;
    otherwise the space is made from the catalogue by the name and settings in the architecture.
    """
    if known is None or arch.space.name != known.name:
        return space_of(arch)
    return known if arch.space == known.spec else make_like(known, arch)


def network_of(arch: Architecture, known: Space | None = None) -> nn.Module:
    """The network of an architecture, freshly initialised. known: as in `home_of`."""
    return home_of(arch, known).build(arch)


def begun_network(arch: Architecture, known: Space | None, whole: Mapping[str, Tensor] | None) -> nn.Module:
    """The network of an architecture with its part of the weights of a largest network; freshly initialised if there
    are none. known: as in `home_of`."""
    space = home_of(arch, known)
    if whole is None:
        return space.build(arch)
    shrinks = require(space, Shrinks)
    largest = shrinks.whole()
    load_start(largest, whole, "the whole network")
    return shrinks.cut(largest, arch)


def job_of(arch: Architecture, known: Space | None = None) -> Job:
    """The job that asks a target for the price of an architecture's network. known: as in `home_of`."""
    space = home_of(arch, known)
    return Job(moves.canonical_key(space, arch), lambda: space.build(arch), space.input_of(arch), arch=arch)
