"""From an architecture to its network, and to the job that a target is asked the price of."""

from __future__ import annotations

from torch import nn

from surgenas.core import moves
from surgenas.core.architecture import Architecture
from surgenas.core.space import Space
from surgenas.hardware.target import Job
from surgenas.spaces import space_of


def home_of(arch: Architecture, known: Space | None = None) -> Space:
    """The space of an architecture: the one at hand if it is of that, else the catalogued one that it names."""
    return known if known is not None and arch.space == known.spec else space_of(arch)


def network_of(arch: Architecture, known: Space | None = None) -> nn.Module:
    """Its network, freshly initialised."""
    return home_of(arch, known).build(arch)


def job_of(arch: Architecture, known: Space | None = None) -> Job:
    """The job of an architecture. known: a space that may be nobody's but the user's."""
    space = home_of(arch, known)
    return Job(moves.canonical_key(space, arch), lambda: space.build(arch), space.input_shape, arch=arch)
