"""What a latency predictor is: fit on measured architectures, predict others and say how surely, be differentiable."""

from __future__ import annotations

from abc import ABC, abstractmethod
from functools import cached_property
from typing import ClassVar, Self

import numpy as np
import torch
from sklearn.model_selection import KFold
from torch import Tensor

from surgenas.core.catalog import look_up
from surgenas.core.space import CostTable, Floats
from surgenas.predictors import CATALOG

FOLDS = 3


class Predictor(ABC):
    """scikit-learn's conventions: settings in the constructor, `fit` returns self. Codes are one-hot, (N, L, K)."""

    differentiable: ClassVar[bool] = True
    """Can it be part of a gradient search?"""
    chunk: ClassVar[int] = 4096
    """Codes predicted at once: as many as what it computes for them stays in a processor's cache."""

    def __init__(self, costs: CostTable, *, seed: int = 0) -> None:
        self.costs = costs
        self.seed = seed

    def fit(self, code_NLK: Floats, latency_ms_N: Floats) -> Self:
        """Learn from measurements. Leaves torch's and numpy's global random state as it was."""
        self.__dict__.pop("held_out_error_ms", None)
        self._samples = (code_NLK, latency_ms_N)
        self.learn(code_NLK, latency_ms_N)
        return self

    @abstractmethod
    def learn(self, code_NLK: Floats, latency_ms_N: Floats) -> None:
        """What `fit` does; never called twice on the same object but by it."""

    @abstractmethod
    def predict_relaxed(self, gates_NLK: Tensor) -> Tensor:
        """(N,) milliseconds, differentiable in the gates if the class says so; on one-hot gates equal to `predict`."""

    def predict(self, code_NLK: Floats) -> Floats:
        """(N,) milliseconds."""
        with torch.no_grad():
            parts = torch.from_numpy(np.asarray(code_NLK, dtype=np.float32)).split(self.chunk)
            return torch.cat([self.predict_relaxed(part) for part in parts]).double().numpy()

    def uncertainty(self, code_NLK: Floats) -> Floats:
        """One standard deviation of what the prediction may be off by, (N,) ms; by default the same for all."""
        return np.full(len(code_NLK), self.held_out_error_ms)

    @cached_property
    def held_out_error_ms(self) -> float:
        """Root mean square error on samples left out, by refitting without them; infinite with too few to leave out."""
        code_NLK, latency_ms_N = self._samples
        if len(code_NLK) < 2 * FOLDS:
            return float("inf")
        squares = []
        for train, held_out in KFold(FOLDS, shuffle=True, random_state=self.seed % 2**32).split(code_NLK):
            other = self.make_unfitted().fit(code_NLK[train], latency_ms_N[train])
            squares.append((other.predict(code_NLK[held_out]) - latency_ms_N[held_out]) ** 2)
        return float(np.sqrt(np.concatenate(squares).mean()))

    def make_unfitted(self) -> Self:
        """Another one with the same settings."""
        return type(self)(self.costs, seed=self.seed)


def make_predictor(name: str, costs: CostTable, seed: int) -> Predictor:
    """An unfitted predictor."""
    return look_up("predictor", name, CATALOG)(costs, seed=seed)
