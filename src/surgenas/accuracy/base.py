"""What an accuracy predictor is: fit on a few networks that were trained, predict others, and say how surely."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from functools import cached_property
from typing import ClassVar, Self

import numpy as np

from surgenas.accuracy import CATALOG
from surgenas.core.architecture import Architecture
from surgenas.core.catalog import make
from surgenas.core.errors import UsageError
from surgenas.core.space import Floats, Positions, Space
from surgenas.predictors.evaluate import held_out

FOLDS = 5
"""Parts of the samples for cross-validation: 25 samples are learned from by 20, as nearly as many as there are."""


class AccuracyPredictor(ABC):
    """A predictor of the score of a space's networks, in the unit of the scores that it learned from.

    It follows scikit-learn: the constructor takes the settings, `fit` returns the predictor itself.
    """

    relaxes: ClassVar[bool] = False
    """Whether what `predict_at` says of sizes between the options of a `Boxed` space has slopes that lead anywhere."""
    refusal: str = ""
    """Why it does not explain the samples that it learned from; empty if it does. It then predicts their mean."""

    def __init__(self, space: Space, *, seed: int = 0) -> None:
        self.space, self.seed = space, seed

    def fit(self, archs: Sequence[Architecture], scores_N: Floats) -> Self:
        """Learn from N >= 1 networks and their scores (N,), the larger the better, and return the predictor itself."""
        scores_N = np.asarray(scores_N, dtype=np.float64)
        if not len(archs) or len(archs) != len(scores_N) or not np.isfinite(scores_N).all():
            raise UsageError(
                f"{len(archs)} networks, {len(scores_N)} scores: expected a finite score for each, one or more"
            )
        self.__dict__.pop("held_out_error", None)
        self._samples = (list(archs), scores_N)
        self.refusal = ""
        self.learn(archs, scores_N)
        return self

    @abstractmethod
    def learn(self, archs: Sequence[Architecture], scores_N: Floats) -> None:
        """Do the learning of `fit`, which alone calls this method."""

    @abstractmethod
    def predict(self, archs: Sequence[Architecture]) -> Floats:
        """The predicted scores (N,) of N networks."""

    def predict_at(self, values_NC: Floats) -> Floats:
        """The predicted scores (N,) at numbers (N, C) of a `Boxed` space: at options those of `predict`, in between
        of use only if the class `relaxes`."""
        raise NotImplementedError

    def uncertainty(self, archs: Sequence[Architecture]) -> Floats:
        """One standard deviation (N,) of what each prediction may be off by; by default the same for all."""
        return np.full(len(archs), self.held_out_error)

    @cached_property
    def held_out_error(self) -> float:
        """The root mean square error on samples that were left out of a fit, in cross-validation; infinite for fewer
        than three samples."""
        archs, scores_N = self._samples
        predicted_N = predict_held_out(self, archs, scores_N)
        return float(np.sqrt(np.mean((predicted_N - scores_N) ** 2))) if len(predicted_N) else float("inf")

    def make_unfitted(self) -> Self:
        """A new predictor with the same settings that has learned nothing yet."""
        return type(self)(self.space, seed=self.seed)


def predict_held_out(predictor: AccuracyPredictor, archs: Sequence[Architecture], scores_N: Floats) -> Floats:
    """What a predictor says of each of N networks after learning from the others' folds, (N,); empty for fewer than
    three samples. Folds depend on the predictor's seed and N alone, so that all predictors are judged on the same."""
    if len(archs) < 3:
        return np.empty(0)

    def predict(train: Positions, aside: Positions) -> Floats:
        learned = predictor.make_unfitted().fit([archs[i] for i in train], scores_N[train])
        return learned.predict([archs[i] for i in aside])

    return held_out(predict, len(archs), min(FOLDS, len(archs)), predictor.seed)


def make_accuracy_predictor(name: str, space: Space, seed: int = 0) -> AccuracyPredictor:
    """The accuracy predictor of that name or path ("package.module:Class"), not fitted yet.

    Raises UsageError if none is, or if the space lacks what it predicts from.
    """
    made: AccuracyPredictor = make("accuracy predictor", name, CATALOG, space, seed=seed)
    return made


def usable(names: Sequence[str], space: Space) -> list[str]:
    """Those of these predictors that have in the space what they predict from."""
    found = []
    for name in names:
        try:
            make_accuracy_predictor(name, space)
        except UsageError:
            continue
        found.append(name)
    return found
