"""What explains the accuracy of a few trained networks? Every model on the same split; held-out error chooses."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from surgenas.accuracy.analytical import Analytical
from surgenas.accuracy.base import AccuracyPredictor, predict_held_out
from surgenas.accuracy.explained import Explained, ModelScore
from surgenas.core.architecture import Architecture
from surgenas.core.space import Floats
from surgenas.predictors.evaluate import rank_correlations


def choose(
    predictors: dict[str, AccuracyPredictor], archs: Sequence[Architecture], scores_N: Floats
) -> tuple[AccuracyPredictor | None, Explained]:
    """Fit every predictor to N networks and their scores (N,), and choose the one of the least held-out error among
    those that explain the samples: None if none does.

    predictors: not fitted yet, by name, of one seed. Of equal errors the first counts.
    """
    scores_N = np.asarray(scores_N, dtype=np.float64)
    fitted = {name: predictor.fit(archs, scores_N) for name, predictor in predictors.items()}
    rows = [_score(name, predictor, archs, scores_N) for name, predictor in fitted.items()]
    rows.sort(key=lambda row: (bool(row.refusal), math.inf if row.error is None else row.error))
    chosen = rows[0].name if rows and not rows[0].refusal else ""
    return fitted.get(chosen), Explained(len(archs), float(scores_N.std()), tuple(rows), chosen)


def _score(name: str, predictor: AccuracyPredictor, archs: Sequence[Architecture], scores_N: Floats) -> ModelScore:
    a, b = (predictor.a, predictor.b) if isinstance(predictor, Analytical) else (None, None)
    predicted_N = predict_held_out(predictor, archs, scores_N)
    if not len(predicted_N):
        return ModelScore(name, None, None, None, a, b, predictor.refusal)
    kendall, spearman = rank_correlations(predicted_N, scores_N)
    error = float(np.sqrt(np.mean((predicted_N - scores_N) ** 2)))
    return ModelScore(name, error, spearman, kendall, a, b, predictor.refusal)
