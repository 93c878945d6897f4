"""Which predictor can be relied on? Errors on architectures that it has not seen, and the choice among several."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

import numpy as np
from scipy import stats
from sklearn.model_selection import KFold

from surgenas.core.space import Floats, Positions
from surgenas.predictors.base import FOLDS, Predictor
from surgenas.predictors.errors import relative_errors
from surgenas.predictors.score import Score

NEAR = 0.2
"""Networks are near the limit whose latency differs from it by at most this share of it."""


def score(
    name: str,
    predicted_ms: Floats,
    measured_ms: Floats,
    fit_seconds: float = 0.0,
    *,
    limit_ms: float | None = None,
) -> Score:
    """Compare predictions with measurements, both (N,) in ms. limit_ms: near which the error is asked for as well.

    Measurements of 0 are left out of the relative errors. Where all predictions or all measurements are equal, the rank
    correlations are 0.
    """
    shown = measured_ms > 0
    kendall, spearman = rank_correlations(predicted_ms, measured_ms)
    relative = np.abs(predicted_ms[shown] / measured_ms[shown] - 1)
    off = relative_errors(predicted_ms, measured_ms)
    near = np.abs(measured_ms / limit_ms - 1) <= NEAR if limit_ms else np.zeros(len(off), dtype=bool)
    return Score(
        name=name,
        kendall=kendall,
        spearman=spearman,
        mape=float(relative.mean()),
        within_5=float((relative <= 0.05).mean()),
        within_10=float((relative <= 0.10).mean()),
        rmse_ms=float(np.sqrt(np.mean((predicted_ms - measured_ms) ** 2))),
        fit_seconds=fit_seconds,
        mean_ms=float(np.abs(predicted_ms - measured_ms).mean()),
        off=float(off.mean()),
        near_limit=float(off[near].mean()) if near.any() else None,
    )


def rank_correlations(predicted_N: Floats, known_N: Floats) -> tuple[float, float]:
    """(Kendall's, Spearman's) correlation of predictions with what is known; 0 where all of either are equal."""
    if np.ptp(predicted_N) == 0 or np.ptp(known_N) == 0:
        return 0.0, 0.0
    kendall, spearman = (way(predicted_N, known_N).statistic for way in (stats.kendalltau, stats.spearmanr))
    return float(kendall), float(spearman)


def held_out(predict: Callable[[Positions, Positions], Floats], count: int, folds: int, seed: int) -> Floats:
    """Predictions (N,) of N samples in cross-validation. predict: learns from the samples at the first positions, and
    predicts those at the second ones."""
    predicted_N = np.empty(count)
    for train, aside in KFold(folds, shuffle=True, random_state=seed % 2**32).split(predicted_N):
        predicted_N[aside] = predict(train, aside)
    return predicted_N


def cross_validate(
    unfitted: Mapping[str, Callable[[], Predictor]],
    code_NLK: Floats,
    latency_ms_N: Floats,
    *,
    folds: int = FOLDS,
    seed: int = 0,
    limit_ms: float | None = None,
) -> list[tuple[Score, Floats]]:
    """Score predictors by cross-validation, all on the same folds.

    unfitted: how to make each predictor, by name. limit_ms: as in `score`. Returns (score, held-out predictions
    (N,) in ms) for each, the one with the least RMSE first.
    """
    found = []
    for name, make in unfitted.items():

        def predict(train: Positions, aside: Positions, make: Callable[[], Predictor] = make) -> Floats:
            return make().fit(code_NLK[train], latency_ms_N[train]).predict(code_NLK[aside])

        start = time.perf_counter()
        predicted = held_out(predict, len(code_NLK), folds, seed)
        seconds = (time.perf_counter() - start) / folds
        found.append((score(name, predicted, latency_ms_N, seconds, limit_ms=limit_ms), predicted))
    return sorted(found, key=lambda pair: pair[0].rmse_ms)


def noise_ceiling(first_ms: Floats, second_ms: Floats) -> Score:
    """The score of a perfect predictor: latencies (N,) in ms from one campaign against those from another."""
    return score("noise ceiling", first_ms, second_ms)
