"""What a latency predictor is: fit on measured architectures, predict others, and be differentiable in the gates."""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np
import torch
from torch import Tensor

from surgenas.core.catalog import look_up
from surgenas.core.space import CostTable, Floats
from surgenas.predictors import CATALOG


class Predictor(ABC):
    """scikit-learn's conventions: settings in the constructor, `fit` returns self. Codes are one-hot, (N, L, K)."""

    def __init__(self, costs: CostTable, *, seed: int = 0) -> None:
        self.costs = costs
        self.seed = seed

    @abstractmethod
    def fit(self, code_NLK: Floats, latency_ms_N: Floats) -> Predictor:
        """Learn from measurements. Leaves torch's and numpy's global random state as it was."""

    @abstractmethod
    def predict_relaxed(self, gates_NLK: Tensor) -> Tensor:
        """(N,) milliseconds, differentiable in the gates; on one-hot gates equal to `predict`."""

    def predict(self, code_NLK: Floats) -> Floats:
        """(N,) milliseconds."""
        with torch.no_grad():
            parts = torch.from_numpy(np.asarray(code_NLK, dtype=np.float32)).split(4096)
            return torch.cat([self.predict_relaxed(part) for part in parts]).double().numpy()


def make_predictor(name: str, costs: CostTable, seed: int) -> Predictor:
    """An unfitted predictor."""
    return look_up("predictor", name, CATALOG)(costs, seed=seed)
