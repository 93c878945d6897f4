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
from surgenas.core.errors import UsageError
from surgenas.core.space import CostTable, Floats
from surgenas.predictors import CATALOG

FOLDS = 3


class Predictor(ABC):
    """A latency predictor for the architectures of one space, given by their one-hot codes (N, L, K).

    It follows scikit-learn: the constructor takes the settings, `fit` returns the predictor itself.
    """

    differentiable: ClassVar[bool] = True
    """Whether it can be part of a gradient search."""
    sums: ClassVar[bool] = False
    """Whether it holds only where costs add up (`CostTable.adds_up`)."""
    chunk: ClassVar[int] = 4096
    """How many codes are predicted at once, so that what is computed for them stays in a processor's cache."""

    def __init__(self, costs: CostTable, *, seed: int = 0) -> None:
        self.costs = costs
        self.seed = seed

    def fit(self, code_NLK: Floats, latency_ms_N: Floats) -> Self:
        """Learn from codes (N, L, K) and their latencies (N,) in ms, and return the predictor itself.

        The global random states of torch and numpy stay as they were.
        """
        self.__dict__.pop("held_out_error_ms", None)
        self._samples = (code_NLK, latency_ms_N)
        self.learn(code_NLK, latency_ms_N)
        return self

    @abstractmethod
    def learn(self, code_NLK: Floats, latency_ms_N: Floats) -> None:
        """Do the learning of `fit`, which alone calls this method."""

    @abstractmethod
    def predict_relaxed(self, gates_NLK: Tensor) -> Tensor:
        """The latency (N,) in ms that gates (N, L, K) stand for, which need not be one-hot.

        It is differentiable in the gates if the class says so, and equal to `predict` on one-hot gates.
        """

    def predict(self, code_NLK: Floats) -> Floats:
        """The predicted latencies (N,) in ms of one-hot codes (N, L, K)."""
        with torch.no_grad(), torch.autocast("cpu", enabled=False):  # it may be asked in the middle of a training step
            parts = torch.from_numpy(np.asarray(code_NLK, dtype=np.float32)).split(self.chunk)
            return torch.cat([self.predict_relaxed(part) for part in parts]).double().numpy()

    def uncertainty(self, code_NLK: Floats) -> Floats:
        """One standard deviation (N,) in ms of what each prediction may be off by; by default the same for all."""
        return np.full(len(code_NLK), self.held_out_error_ms)

    @cached_property
    def held_out_error_ms(self) -> float:
        """The root mean square error in ms on samples that were left out of a fit, in cross-validation.

        It is infinite if there are too few samples to leave any out.
        """
        code_NLK, latency_ms_N = self._samples
        if len(code_NLK) < 2 * FOLDS:
            return float("inf")
        squares = []
        for train, held_out in KFold(FOLDS, shuffle=True, random_state=self.seed % 2**32).split(code_NLK):
            other = self.make_unfitted().fit(code_NLK[train], latency_ms_N[train])
            squares.append((other.predict(code_NLK[held_out]) - latency_ms_N[held_out]) ** 2)
        return float(np.sqrt(np.concatenate(squares).mean()))

    def make_unfitted(self) -> Self:
        """A new predictor with the same settings that has learned nothing yet."""
        return type(self)(self.costs, seed=self.seed)


def make_predictor(name: str, costs: CostTable, seed: int) -> Predictor:
    """The predictor of that name or path ("package.module:Class"), not fitted yet.

    Raises UsageError if none is, or if it holds only where costs add up and they do not.
    """
    kind = look_up("predictor", name, CATALOG)
    if not costs.adds_up and getattr(kind, "sums", False):
        raise UsageError(
            f"predictor {name!r} holds only where each choice is a layer by itself; use process, mlp or boosting"
        )
    made: Predictor = kind(costs, seed=seed)
    return made
