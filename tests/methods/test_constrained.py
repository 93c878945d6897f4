"""The most probable network inside a window, against enumeration."""

from __future__ import annotations

import numpy as np

from surgenas.core import moves
from surgenas.methods.constrained import find_most_probable
from surgenas.testing import Planted


def test_most_probable_is_the_constrained_optimum():
    """Against enumeration of all 4096 architectures."""
    space, rng = Planted(), np.random.default_rng(0)
    p = rng.dirichlet(np.ones(4), size=6)
    cost = rng.random((6, 4))

    def latency(archs):
        return (moves.encode(space, archs) * cost).sum((1, 2))

    everything = list(moves.enumerate_all(space))
    window = tuple(np.quantile(latency(everything), [0.30, 0.36]))
    inside = [a for a, ms in zip(everything, latency(everything), strict=True) if window[0] <= ms <= window[1]]

    def log_p(arch):
        return np.log(p[np.arange(6), moves.indices(space, arch)]).sum()

    best = max(inside, key=log_p)
    found = find_most_probable(space, p, latency, window, rng, count=3)
    assert found[0] == best
    assert len(set(found)) == 3
    assert find_most_probable(space, p, latency, (100, 101), rng) == []


def test_it_follows_from_the_random_stream_alone():
    space, p = Planted(), np.full((6, 4), 0.25)

    def latency(archs):
        return np.array([float(arch.genes.count("k5e3")) for arch in archs])

    first, again = (
        find_most_probable(space, p, latency, (2.0, 2.0), np.random.default_rng(3), count=5, samples=100)
        for _ in range(2)
    )
    assert first == again
    assert all(arch.genes.count("k5e3") == 2 for arch in first)
