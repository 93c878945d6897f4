"""Gradient boosted trees (scikit-learn) on what the graph tells: the strongest simple baseline where operators
interact, and no part of a gradient search."""

from __future__ import annotations

import numpy as np
import torch
from sklearn.ensemble import HistGradientBoostingRegressor
from torch import Tensor

from surgenas.core.space import Floats
from surgenas.predictors.base import Predictor
from surgenas.predictors.messages import describe


class BoostingPredictor(Predictor):
    """300 boosted trees, whose leaves hold at least 5 samples where there are enough."""

    differentiable = False

    def learn(self, code_NLK: Floats, latency_ms_N: Floats) -> None:
        least = max(1, min(5, len(code_NLK) // 10))
        self.model = HistGradientBoostingRegressor(max_iter=300, min_samples_leaf=least, random_state=self.seed % 2**32)
        self.model.fit(self._features(torch.from_numpy(np.asarray(code_NLK, dtype=np.float32))), latency_ms_N)

    def predict_relaxed(self, gates_NLK: Tensor) -> Tensor:
        return torch.from_numpy(self.model.predict(self._features(gates_NLK.detach()))).to(gates_NLK.dtype)

    def _features(self, gates_NLK: Tensor) -> Floats:
        return torch.cat(list(describe(self.costs, gates_NLK).values()), 1).numpy().astype(np.float64)
