"""WeakNAS (Wu et al., "Stronger NAS with Weaker Predictors", NeurIPS 2021): in each round a weak predictor of the score
is fitted on all judged networks, and the networks that it ranks highest are judged next.

Two differences to the authors' code. The predictor learns the ranks of the scores, since the best networks differ by
little; theirs learns scores scaled by the whole table. The best network is taken by the score that steers the search;
theirs takes it by the test accuracy.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from scipy import stats
from sklearn.ensemble import HistGradientBoostingRegressor, RandomForestRegressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPRegressor

from surgenas.accuracy import CATALOG as ACCURACY
from surgenas.accuracy.base import make_accuracy_predictor
from surgenas.core import moves
from surgenas.core.architecture import Architecture
from surgenas.core.errors import UsageError
from surgenas.core.seeds import generator
from surgenas.core.space import Floats, Space
from surgenas.core.trial import Trial
from surgenas.methods.base import Needs, allow_all
from surgenas.methods.blackbox import ENUMERABLE, BlackBox, Pool, draw_new_at_random, list_networks, tried_keys
from surgenas.methods.sampling import Feasible

MLP_SIZE, TREES = (256, 256), 200
"""Widths of the MLP and number of trees, smaller than the authors' (4 x 1000, 1000 trees), so that a round takes a
fraction of a second."""
WEAK: dict[str, Callable[[int, int], Any]] = {
    "mlp": lambda seed, known: MLPRegressor(
        hidden_layer_sizes=MLP_SIZE, alpha=1.0, batch_size=min(32, known), learning_rate_init=2e-3, max_iter=60,
        tol=0.0, random_state=seed,
    ),
    "forest": lambda seed, known: RandomForestRegressor(TREES, max_depth=10, random_state=seed),
    "boosting": lambda seed, known: HistGradientBoostingRegressor(min_samples_leaf=3, random_state=seed),
}  # fmt: skip
"""Makers of predictors by name, from a seed and the number of architectures to learn from."""
MEMBERS, CALIBRATION = 5, 5.0
"""MEMBERS predictors form the ensemble of the expected improvement; CALIBRATION multiplies its standard deviation."""
CHUNK = 500
"""How many of the highest ranked networks are tested for feasibility at once."""


@dataclass(frozen=True, kw_only=True)
class WeakNAS(BlackBox):
    """WeakNAS (Wu et al. 2021): in each round a weak predictor of the score, fitted on all judged networks, chooses the
    networks that are judged next.

    batch: networks judged in a round, M in the paper.
    first: random networks judged before the first predictor is fitted.
    top: how many of the highest ranked networks a round is drawn from, N in the paper.
    predictor: the kind of weak predictor, mlp, forest or boosting; or an accuracy predictor by its name.
    ei: rank networks by expected improvement instead of the predicted score.
    pool: networks drawn in every round to be ranked, in a space that is too large to be enumerated.
    """

    name: ClassVar[str] = "weaknas"
    batch: int = 10
    first: int = 10
    top: int = 100
    predictor: str = "mlp"
    ei: bool = False
    pool: int = 10_000

    def __post_init__(self) -> None:
        if min(self.first, self.top, self.pool, self.batch) < 1:
            raise UsageError("weaknas: expected first, top, pool and batch of 1 or more")
        if self.predictor not in (*WEAK, *ACCURACY) and ":" not in self.predictor:
            names = ", ".join(map(repr, (*WEAK, *ACCURACY)))
            raise UsageError(
                f"--set predictor={self.predictor}: expected one of {names}, or a path package.module:Class"
            )

    def needs(self, space: Space) -> Needs:
        if self.predictor not in WEAK:
            make_accuracy_predictor(self.predictor, space)  # so that one that the space has not is refused at once
        return super().needs(space)

    def ask(
        self, space: Space, history: Sequence[Trial], n: int, rng: np.random.Generator, feasible: Feasible = allow_all
    ) -> list[Architecture]:
        known = tried_keys(history)
        if len(history) < self.first:
            return draw_new_at_random(space, min(n, self.first - len(history)), known, rng, feasible)
        pool = list_networks(space) if moves.size(space) <= ENUMERABLE else _drawn(space, self.pool, rng, feasible)
        favourites = self._favourites(space, history, pool, known, n, rng, feasible)
        return favourites or draw_new_at_random(space, n, known, rng, feasible)

    def _favourites(
        self, space: Space, history: Sequence[Trial], pool: Pool, known: set[str], n: int, rng: np.random.Generator,
        feasible: Feasible,
    ) -> list[Architecture]:  # fmt: skip
        """n of the `top` feasible networks of the ranking, drawn at random, without those already judged; where too few
        are left, networks further down the ranking."""
        order = np.argsort(-self._preference(space, history, pool, rng), kind="stable")
        best: list[Architecture] = []
        ranks = 0
        for start in range(0, len(order), CHUNK):
            chunk = order[start : start + CHUNK]
            allowed = feasible([pool.archs[i] for i in chunk])
            for i, ok in zip(chunk, allowed, strict=True):
                ranks += int(ok)  # networks that were judged already count too
                if ok and pool.keys[i] not in known:
                    best.append(pool.archs[i])
                if ranks >= self.top and len(best) >= n:
                    return [best[j] for j in rng.permutation(len(best))[:n]]
        return [best[j] for j in rng.permutation(len(best))[:n]]

    def _preference(self, space: Space, history: Sequence[Trial], pool: Pool, rng: np.random.Generator) -> Floats:
        """What each network of the pool is ranked by, (N,), larger is better."""
        scores = np.array([trial.score for trial in history])
        if self.predictor not in WEAK:
            return self._preference_by_room(space, history, scores, pool, rng)
        x, pool_x = _flat(moves.encode(space, [trial.arch for trial in history])), _flat(pool.code)
        y = stats.norm.ppf((stats.rankdata(scores) - 0.5) / len(scores))
        count = MEMBERS if self.ei else 1
        members = [WEAK[self.predictor](int(rng.integers(2**31)), len(x)) for _ in range(count)]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # max_iter is meant to stop it early
            predicted = np.stack([member.fit(x, y).predict(pool_x) for member in members])
        if not self.ei:
            return predicted[0]
        return _expected_improvement(predicted.mean(0), CALIBRATION * predicted.std(0) + 1e-9, y.max())

    def _preference_by_room(
        self, space: Space, history: Sequence[Trial], scores: Floats, pool: Pool, rng: np.random.Generator
    ) -> Floats:
        """The same by an accuracy predictor, which learns the scores themselves; by chance if it explains nothing."""
        model = make_accuracy_predictor(self.predictor, space, int(rng.integers(2**31)))
        model.fit([trial.arch for trial in history], scores)
        if model.refusal:
            return rng.random(len(pool.archs))
        predicted = model.predict(pool.archs)
        return _expected_improvement(predicted, model.uncertainty(pool.archs), scores.max()) if self.ei else predicted


@dataclass(frozen=True, kw_only=True)
class Forest(WeakNAS):
    """WeakNAS with a random forest."""

    name: ClassVar[str] = "weaknas-forest"
    predictor: str = "forest"


@dataclass(frozen=True, kw_only=True)
class Boosting(WeakNAS):
    """WeakNAS with gradient boosting."""

    name: ClassVar[str] = "weaknas-boosting"
    predictor: str = "boosting"


@dataclass(frozen=True, kw_only=True)
class ExpectedImprovement(WeakNAS):
    """WeakNAS that ranks networks by expected improvement."""

    name: ClassVar[str] = "weaknas-ei"
    ei: bool = True


def _drawn(space: Space, count: int, rng: np.random.Generator, feasible: Feasible) -> Pool:
    archs = tuple(draw_new_at_random(space, count, set(), generator(int(rng.integers(2**31)), "pool"), feasible))
    keys = tuple(moves.canonical_key(space, arch) for arch in archs)
    return Pool(archs, keys, moves.encode(space, archs))


def _expected_improvement(mean_N: Floats, deviation_N: Floats, best: float) -> Floats:
    z_N = (mean_N - best) / deviation_N
    improvement_N: Floats = deviation_N * (z_N * stats.norm.cdf(z_N) + stats.norm.pdf(z_N))
    return improvement_N


def _flat(code_NLK: Floats) -> Floats:
    return code_NLK.reshape(len(code_NLK), -1)
