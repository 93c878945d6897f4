"""Tree search (MCTS, Kocsis & Szepesvari 2006) over the choices of a space: HAO's way through architectures.

A node of the tree is what the first choices take. The tree is read off the history, so asking twice gives the same.
What is published of it and what is ours: docs/methods/hao.md, 3.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

import numpy as np

from surgenas.accuracy.base import AccuracyPredictor, make_accuracy_predictor
from surgenas.core import moves
from surgenas.core.architecture import Architecture
from surgenas.core.bounds import Count, NotNegative
from surgenas.core.space import Positions, Space
from surgenas.core.trial import Trial
from surgenas.methods.base import Needs, allow_all
from surgenas.methods.blackbox import ENUMERABLE, BlackBox, draw_new_at_random, list_networks, tried_keys
from surgenas.methods.inside import Inside
from surgenas.methods.sampling import Feasible

Prefix = tuple[int, ...]
"""The positions of the options that the first choices take."""


@dataclass(frozen=True, kw_only=True)
class TreeSearch(BlackBox):
    """Tree search with roll-outs by a predictor of accuracy: decides one choice after the other, by how good networks
    were that decided alike, and by how few of them were judged.

    first: random networks judged before the tree decides anything.
    exploration: c in mean + c sqrt(ln N / n), of scores brought to 0 to 1; the larger, the more it tries what is rare.
    rollouts: networks drawn below a new node, of which the one predicted to be best is judged.
    predictor: the accuracy predictor that chooses among them; empty for chance.
    """

    name: ClassVar[str] = "mcts"
    first: Count = 10
    exploration: NotNegative = 1.0
    rollouts: Count = 100
    predictor: str = "svr"

    def needs(self, space: Space) -> Needs:
        if self.predictor:
            make_accuracy_predictor(self.predictor, space)  # so that one that the space has not is refused at once
        return super().needs(space)

    def ask(
        self, space: Space, history: Sequence[Trial], n: int, rng: np.random.Generator, feasible: Feasible = allow_all
    ) -> list[Architecture]:
        known = tried_keys(history)
        if len(history) < self.first:
            return draw_new_at_random(space, min(n, self.first - len(history)), known, rng, feasible)
        tree = Tree(space, history)
        below = Below(space, known, self.rollouts, rng, feasible)
        model = self._learned(space, history, rng)
        found: list[Architecture] = []
        while len(found) < n and (candidates := self._descend(tree, below, rng)):
            best = int(model.predict(candidates).argmax()) if model else 0
            found.append(candidates[best])
            tree.expect(found[-1])
            known.add(moves.canonical_key(space, found[-1]))
        return found or draw_new_at_random(space, n, known, rng, feasible)

    def _descend(self, tree: Tree, below: Below, rng: np.random.Generator) -> list[Architecture]:
        """Candidates below the node that is to be looked at next; empty if nothing new is inside the limit."""
        prefix: Prefix = ()
        candidates = below(prefix)
        while candidates and tree.visits[prefix] and len(prefix) < len(tree.space.choices):
            ways = rng.permutation(len(tree.space.choices[len(prefix)].options)).tolist()
            ways.sort(key=lambda k: -tree.bound((*prefix, k), self.exploration))
            inside = ((way, found) for way in ways if (found := below((*prefix, way))))
            way, candidates = next(inside, (-1, []))
            prefix = (*prefix, way)
        return candidates

    def _learned(self, space: Space, history: Sequence[Trial], rng: np.random.Generator) -> AccuracyPredictor | None:
        """The predictor, fitted; None if there is none or it does not explain what was judged."""
        if not self.predictor:
            return None
        model = make_accuracy_predictor(self.predictor, space, int(rng.integers(2**31)))
        model.fit([trial.arch for trial in history], np.array([trial.score for trial in history]))
        return None if model.refusal else model


class Tree:
    """How many networks below each node were judged, and how good they were: scores from 0, the worst, to 1."""

    def __init__(self, space: Space, history: Sequence[Trial]) -> None:
        self.space = space
        self.visits: defaultdict[Prefix, int] = defaultdict(int)
        self.rewards: defaultdict[Prefix, float] = defaultdict(float)
        scores = np.array([trial.score for trial in history])
        low, high = float(scores.min()), float(scores.max())
        for trial in history:
            self._add(trial.arch, (trial.score - low) / (high - low) if high > low else 0.5)

    def bound(self, prefix: Prefix, exploration: float) -> float:
        """The upper confidence bound of a node; infinite for one that nothing was judged below."""
        n = self.visits[prefix]
        if not n:
            return math.inf
        return self.rewards[prefix] / n + exploration * math.sqrt(math.log(self.visits[prefix[:-1]]) / n)

    def expect(self, arch: Architecture) -> None:
        """Count a network that was asked for as if it were as good as those near it, so that the next one is asked for
        elsewhere."""
        place = _place(self.space, arch)
        near = next(prefix for d in range(len(place), -1, -1) if self.visits[prefix := place[:d]])
        self._add(arch, self.rewards[near] / self.visits[near])

    def _add(self, arch: Architecture, reward: float) -> None:
        place = _place(self.space, arch)
        for d in range(len(place) + 1):
            self.visits[place[:d]] += 1
            self.rewards[place[:d]] += reward


class Below:
    """Feasible networks that are not known yet, below any node; up to `count` of them, in random order.

    In a space that can be enumerated there are none only if there are none. In a larger one they are drawn, half of
    them with a preference that reaches latencies far from the middle; where latencies are known the fastest one is
    among them, so that a branch whose least possible latency is inside the limit is found where draws miss it.
    """

    def __init__(self, space: Space, known: set[str], count: int, rng: np.random.Generator, feasible: Feasible) -> None:
        self.space, self.known, self.count, self.rng, self.feasible = space, known, count, rng, feasible
        self.found: dict[Prefix, list[Architecture]] = {}
        self.left: Positions | None = None
        """The rows of the enumerated space that are feasible and new."""
        if moves.size(space) <= ENUMERABLE:
            pool = list_networks(space)
            new = np.array([key not in known for key in pool.keys])
            self.left = rng.permutation(np.flatnonzero(new & feasible(pool.archs)))

    def __call__(self, prefix: Prefix) -> list[Architecture]:
        if self.left is not None:
            pool, places = list_networks(self.space), _all_places(self.space)
            rows = self.left[(places[self.left, : len(prefix)] == prefix).all(1)]
            return [pool.archs[i] for i in rows if pool.keys[i] not in self.known][: self.count]
        above = self.found.get(prefix) or self.found.get(prefix[:-1], [])
        kept = [arch for arch in above if _place(self.space, arch)[: len(prefix)] == prefix]
        kept = [arch for arch in kept if arch.key not in self.known]
        if len(kept) < self.count:
            kept += self._drawn(prefix, {arch.key for arch in kept})
        self.found[prefix] = kept[: self.count]
        return self.found[prefix]

    def _drawn(self, prefix: Prefix, kept: set[str]) -> list[Architecture]:
        drawn = moves.sample_many(self.space, self.count, self.rng)
        drawn += [moves.sample_skewed(self.space, self.rng) for _ in range(self.count)]
        if isinstance(self.feasible, Inside):
            begun = moves.from_indices(self.space, (*prefix, *moves.indices(self.space, drawn[0])[len(prefix) :]))
            drawn.append(self.feasible.fastest(begun, range(len(prefix), len(self.space.choices))))
        new: dict[str, Architecture] = {}
        for arch in drawn:
            rest = moves.indices(self.space, arch)[len(prefix) :]
            arch = self.space.canonical(moves.from_indices(self.space, (*prefix, *rest)))
            if arch.key not in self.known | kept and _place(self.space, arch)[: len(prefix)] == prefix:
                new[arch.key] = arch
        allowed = self.feasible(list(new.values())) if new else ()
        return [arch for arch, ok in zip(new.values(), allowed, strict=True) if ok]


@lru_cache(maxsize=4)
def _all_places(space: Space) -> Positions:
    """The places of every network of an enumerable space, (N, choices)."""
    return np.array([_place(space, arch) for arch in list_networks(space).archs])


def _place(space: Space, arch: Architecture) -> Prefix:
    """The options of all choices of a network's canonical architecture, by position."""
    return moves.indices(space, space.canonical(arch))
