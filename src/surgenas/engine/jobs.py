"""From an architecture to the job that a target is asked the price of."""

from __future__ import annotations

from surgenas.core import moves
from surgenas.core.architecture import Architecture
from surgenas.hardware.target import Job
from surgenas.spaces import space_of


def job_of(arch: Architecture) -> Job:
    """The job of an architecture of any catalogued space."""
    space = space_of(arch)
    return Job(moves.canonical_key(space, arch), lambda: space.build(arch), space.input_shape, arch=arch)
