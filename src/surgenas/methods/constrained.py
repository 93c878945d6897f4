"""Which architecture does a distribution prefer among those whose predicted latency lies in a window?

Maximise sum_l log p_l(k_l) subject to low <= latency <= high, by samples and steepest ascent; bounded work.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from heapq import nsmallest

import numpy as np

from surgenas.core import moves
from surgenas.core.architecture import Architecture
from surgenas.core.space import Floats, Space

Latency = Callable[[Sequence[Architecture]], Floats]
Score = Callable[[Sequence[Architecture]], Floats]
"""A function that returns the log-probabilities (N,) of N architectures."""


def find_most_probable(
    space: Space,
    p_LK: Floats,
    latency_ms: Latency,
    window_ms: tuple[float, float],
    rng: np.random.Generator,
    *,
    count: int = 1,
    samples: int = 2000,
    score: Score | None = None,
) -> list[Architecture]:
    """Up to `count` different networks with a predicted latency in the window, the most probable first; empty if none
    is found.

    p_LK: probability of each of K operators in each of L layers. window_ms: the lowest and the highest latency allowed.
    samples: how many starting points are drawn, at several temperatures and with a random preference for each operator.
    From the best of them one choice at a time is changed until nothing improves. score: the log-probability of
    networks; without it, layers are independent of each other.
    """
    log_p = np.log(np.maximum(p_LK, 1e-12))
    pool = _by_network(space, _candidates(space, log_p, rng, samples))
    inside = _inside(list(pool.values()), latency_ms, window_ms)
    ranked = _Ranking(score or _Independent(space, log_p))
    for _ in range(len(space.choices) * 2):
        best = ranked(inside, max(count, 4))
        around = [n for arch in best for n in moves.neighbours(space, arch)]
        fresh = {network: n for network, n in _by_network(space, around).items() if network not in pool}
        if not fresh:
            break
        pool |= fresh
        inside += _inside(list(fresh.values()), latency_ms, window_ms)
        if ranked(inside, max(count, 4)) == best:
            break
    return ranked(inside, count)


def _candidates(space: Space, log_p: Floats, rng: np.random.Generator, samples: int) -> list[Architecture]:
    scores = [log_p]
    for i in range(samples):
        # a random linear tilt along each operator moves the latency while keeping what the search prefers
        tilt = rng.normal(size=log_p.shape[1]) * (i % 8) / 2
        scores.append((log_p + tilt) / (0.25 + 0.25 * (i % 4)) + rng.gumbel(size=log_p.shape))
    return moves.decode_many(space, np.stack(scores))


def _by_network(space: Space, archs: list[Architecture]) -> dict[Architecture, Architecture]:
    """The architectures by the canonical one of their network, the last of those that build the same."""
    canonical = {arch: space.canonical(arch) for arch in dict.fromkeys(archs)}
    return {canonical[arch]: arch for arch in archs}


def _inside(archs: list[Architecture], latency_ms: Latency, window_ms: tuple[float, float]) -> list[Architecture]:
    if not archs:
        return []
    low, high = window_ms
    return [arch for arch, ms in zip(archs, latency_ms(archs), strict=True) if low <= ms <= high]


class _Independent:
    """The log-probability of networks whose layers are independent of each other, log p (L, K) of each operator."""

    def __init__(self, space: Space, log_p: Floats) -> None:
        self.space, self.log_p, self.layers = space, log_p, np.arange(len(log_p))

    def __call__(self, archs: Sequence[Architecture]) -> Floats:
        return np.array([self.log_p[self.layers, moves.path_of(self.space, arch)].sum() for arch in archs])


class _Ranking:
    """Architectures by their probability, the most probable first; each is looked at once."""

    def __init__(self, score: Score) -> None:
        self.score = score
        self.known: dict[Architecture, tuple[float, tuple[str, ...]]] = {}

    def __call__(self, archs: list[Architecture], count: int) -> list[Architecture]:
        if fresh := [arch for arch in dict.fromkeys(archs) if arch not in self.known]:
            self.known |= {arch: (-value, arch.genes) for arch, value in zip(fresh, self.score(fresh), strict=True)}
        return nsmallest(count, archs, key=self.known.__getitem__)
