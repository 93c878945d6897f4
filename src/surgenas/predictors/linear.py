"""Additive predictors: latency as a sum over layers. Simple, fast, and blind to what layers do to each other."""

from __future__ import annotations

import numpy as np
import torch
from sklearn.linear_model import LinearRegression, RidgeCV
from torch import Tensor

from surgenas.core.space import Floats
from surgenas.predictors.base import Predictor


class AdditivePredictor(Predictor):
    """latency = bias + sum_{l,k} weight_{l,k} gate_{l,k}, in ms. Subclasses say how the weights are learned."""

    sums = True
    weight_LK: Tensor
    bias: float

    def predict_relaxed(self, gates_NLK: Tensor) -> Tensor:
        return (gates_NLK * self.weight_LK).sum((1, 2)) + self.bias

    def set(self, weight: Floats, bias: float) -> None:
        """Take these weights (L, K) and this bias, in ms."""
        self.weight_LK = torch.from_numpy(np.asarray(weight, dtype=np.float32))
        self.bias = float(bias)


class RidgePredictor(AdditivePredictor):
    """Ridge regression on the one-hot code and three totals: MACs, parameters, and the number of layers that compute.

    Leave-one-out chooses the strength of the penalty. The totals are scaled up, hence hardly penalised: a few samples
    determine them, many samples determine the rest.
    """

    def learn(self, code_NLK: Floats, latency_ms_N: Floats) -> None:
        table = np.stack([self.costs.macs, self.costs.params, self.costs.macs > 0])
        totals_N3 = np.einsum("nlk,dlk->nd", code_NLK, table)
        scale_3 = 10 / (totals_N3.std(0) + 1e-12)
        features = np.hstack([code_NLK.reshape(len(code_NLK), -1), totals_N3 * scale_3])
        model = RidgeCV(alphas=np.logspace(-2, 4, 13)).fit(features, latency_ms_N)
        own, total = model.coef_[:-3], model.coef_[-3:]
        self.set(own.reshape(code_NLK.shape[1:]) + np.einsum("d,dlk->lk", total * scale_3, table), model.intercept_)


class LookupPredictor(AdditivePredictor):
    """A look-up table: a latency of at least zero for each operator in each layer, and one for the rest.

    The entries are solved from whole-network measurements (non-negative least squares), since an operator timed
    alone is not what it costs inside a network.
    """

    def learn(self, code_NLK: Floats, latency_ms_N: Floats) -> None:
        model = LinearRegression(positive=True).fit(code_NLK.reshape(len(code_NLK), -1), latency_ms_N)
        self.set(model.coef_.reshape(code_NLK.shape[1:]), model.intercept_)


class FlopsPredictor(AdditivePredictor):
    """latency = a + b MACs, the proxy of those who cannot measure."""

    def learn(self, code_NLK: Floats, latency_ms_N: Floats) -> None:
        macs_N = self.costs.macs_of(code_NLK)
        model = LinearRegression().fit(macs_N[:, None], latency_ms_N)
        slope = float(model.coef_[0])
        self.set(slope * self.costs.macs, model.intercept_ + slope * self.costs.fixed_macs)


class LayerSumPredictor(AdditivePredictor):
    """A sum over layers, each a straight line in its MACs, parameters and bytes, with coefficients of its operator.

    Layer-wise predictors are built so; here the coefficients are solved from the latencies of whole networks.
    """

    def learn(self, code_NLK: Floats, latency_ms_N: Floats) -> None:
        costs = self.costs
        table = np.stack([costs.macs, costs.params, costs.moved_bytes, costs.moved_bytes > 0])
        scale_D = table.reshape(4, -1).max(1) + 1e-12
        table_DLK = table / scale_D[:, None, None]
        features = np.einsum("nlk,dlk->ndk", code_NLK, table_DLK).reshape(len(code_NLK), -1)
        model = RidgeCV(alphas=np.logspace(-4, 4, 17)).fit(features, latency_ms_N)
        self.set(np.einsum("dk,dlk->lk", model.coef_.reshape(4, -1), table_DLK), model.intercept_)
