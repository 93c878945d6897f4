"""Accuracy from the one-hot codes of networks, by models of scikit-learn: they know no graph, but any operator."""

from __future__ import annotations

import warnings
from abc import abstractmethod
from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, ConstantKernel, WhiteKernel
from sklearn.linear_model import RidgeCV
from sklearn.svm import SVR

from surgenas.accuracy.base import AccuracyPredictor
from surgenas.core import moves
from surgenas.core.architecture import Architecture
from surgenas.core.capabilities import Boxed, require
from surgenas.core.space import Floats


class OnCodes(AccuracyPredictor):
    """A regression of the score, in standard deviations, on the code. What it says in between options has a kink at
    each of them, so that is no help to a search along slopes."""

    @abstractmethod
    def make(self) -> Any:
        """The regressor of scikit-learn, not fitted yet."""

    def learn(self, archs: Sequence[Architecture], scores_N: Floats) -> None:
        self.mean, self.std = float(scores_N.mean()), float(scores_N.std())
        if self.std <= 1e-12 * max(1.0, abs(self.mean)):
            self.refusal = (
                f"the {len(archs)} samples all have one score" if len(archs) > 1 else "one sample says nothing"
            )
            return
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # a hyperparameter at its bound
            self.model = self.make().fit(self._flat(archs), (scores_N - self.mean) / self.std)

    def predict(self, archs: Sequence[Architecture]) -> Floats:
        return self._say(self._flat(archs)) if len(archs) else np.empty(0)

    def predict_at(self, values_NC: Floats) -> Floats:
        return self._say(require(self.space, Boxed).gates_at(values_NC).reshape(len(values_NC), -1))

    def _say(self, codes_NF: Floats) -> Floats:
        if self.refusal:
            return np.full(len(codes_NF), self.mean)
        return np.asarray(self.model.predict(codes_NF) * self.std + self.mean)

    def _flat(self, archs: Sequence[Architecture]) -> Floats:
        return moves.encode(self.space, archs).reshape(len(archs), -1)


class Ridge(OnCodes):
    """Ridge regression; leave-one-out chooses the strength of the penalty."""

    def make(self) -> RidgeCV:
        return RidgeCV(alphas=np.logspace(-2, 3, 11))


class SupportVectors(OnCodes):
    """Support vector regression with Gaussian kernels."""

    def make(self) -> SVR:
        return SVR(C=10.0)


class Process(OnCodes):
    """A Gaussian process whose width and noise are what makes the samples most likely."""

    def make(self) -> GaussianProcessRegressor:
        kernel = ConstantKernel(1.0, (1e-2, 1e2)) * RBF(3.0, (0.3, 30.0)) + WhiteKernel(0.1, (1e-4, 1.0))
        return GaussianProcessRegressor(kernel)

    def uncertainty(self, archs: Sequence[Architecture]) -> Floats:
        """The posterior's standard deviation (N,) for one more training, its noise included."""
        if self.refusal or not len(archs):
            return super().uncertainty(archs)
        return np.asarray(self.model.predict(self._flat(archs), return_std=True)[1] * self.std)
