"""What explains the accuracy of a few trained networks? Every model on the same split; held-out error chooses."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from surgenas.accuracy.analytical import Analytical
from surgenas.accuracy.base import AccuracyPredictor, predict_held_out
from surgenas.core.architecture import Architecture
from surgenas.core.record import Record
from surgenas.core.space import Floats
from surgenas.predictors.evaluate import rank_correlations


@dataclass(frozen=True)
class ModelScore(Record):
    """How well one model explains the samples.

    error: root mean square error on held-out samples, in the unit of the scores. spearman, kendall: rank correlations
    of the same predictions; all three None where there are too few samples. a, b: of a formula of one number; None for
    other models. refusal: why the model explains nothing; empty if it may be used.
    """

    name: str
    error: float | None
    spearman: float | None
    kendall: float | None
    a: float | None = None
    b: float | None = None
    refusal: str = ""


@dataclass(frozen=True)
class Explained(Record):
    """What explains the accuracy of so many samples. models: those that may be used first, the least held-out error
    first. chosen: the name of the first; empty if none may be used. spread: standard deviation of the scores, which is
    the error of predicting their mean."""

    samples: int
    spread: float
    models: tuple[ModelScore, ...]
    chosen: str

    @property
    def beats_mean(self) -> bool:
        """Whether the chosen model is less wrong about samples that it has not learned from than their mean is."""
        error = self.models[0].error if self.chosen else None
        return error is not None and error < self.spread

    @property
    def refused(self) -> tuple[ModelScore, ...]:
        """The models that do not explain the samples."""
        return tuple(model for model in self.models if model.refusal)


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
