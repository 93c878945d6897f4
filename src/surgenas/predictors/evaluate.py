"""Which predictor can be relied on? Errors on architectures that it has not seen, and the choice among several."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass

import numpy as np
from scipy import stats
from sklearn.model_selection import KFold

from surgenas.core.space import Floats
from surgenas.predictors.base import FOLDS, Predictor


@dataclass(frozen=True)
class Score:
    """Errors of one predictor. mape, within_5, within_10: fractions; rmse in ms."""

    name: str
    kendall: float
    spearman: float
    mape: float
    within_5: float
    within_10: float
    rmse_ms: float
    fit_seconds: float

    def to_dict(self) -> dict[str, float | str]:
        return asdict(self)


def score(name: str, predicted_ms: Floats, measured_ms: Floats, fit_seconds: float = 0.0) -> Score:
    """Compare predictions with measurements, both (N,). Relative errors: over the measurements that are not 0. What is
    the same everywhere orders nothing: correlation 0."""
    shown = measured_ms > 0
    orders = np.ptp(predicted_ms) > 0 and np.ptp(measured_ms) > 0
    relative = np.abs(predicted_ms[shown] / measured_ms[shown] - 1)
    return Score(
        name=name,
        kendall=float(stats.kendalltau(predicted_ms, measured_ms).statistic) if orders else 0.0,
        spearman=float(stats.spearmanr(predicted_ms, measured_ms).statistic) if orders else 0.0,
        mape=float(relative.mean()),
        within_5=float((relative <= 0.05).mean()),
        within_10=float((relative <= 0.10).mean()),
        rmse_ms=float(np.sqrt(np.mean((predicted_ms - measured_ms) ** 2))),
        fit_seconds=fit_seconds,
    )


def cross_validate(
    unfitted: Mapping[str, Callable[[], Predictor]],
    code_NLK: Floats,
    latency_ms_N: Floats,
    *,
    folds: int = FOLDS,
    seed: int = 0,
) -> list[tuple[Score, Floats]]:
    """Every predictor's score and held-out predictions (N,), all on the same folds, the best (least RMSE) first."""
    found = []
    for name, make in unfitted.items():
        predicted = np.empty_like(latency_ms_N)
        start = time.perf_counter()
        for train, held_out in KFold(folds, shuffle=True, random_state=seed % 2**32).split(code_NLK):
            predictor = make().fit(code_NLK[train], latency_ms_N[train])
            predicted[held_out] = predictor.predict(code_NLK[held_out])
        found.append((score(name, predicted, latency_ms_N, (time.perf_counter() - start) / folds), predicted))
    return sorted(found, key=lambda pair: pair[0].rmse_ms)


def noise_ceiling(first_ms: Floats, second_ms: Floats) -> Score:
    """What a perfect predictor would score: one campaign against another of the same networks."""
    return score("noise ceiling", first_ms, second_ms)
