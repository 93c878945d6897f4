"""How is latency on a new device learned from a handful of measurements? It is what known devices have in common, plus
what they differ in, plus what only the graph tells.

    y = u_0 + u_1 m(x) + sum_d v_d (f_d(x) - m(x)) + w . phi(x) + noise       f_d: known devices, standardised; m: mean

All of u, v, w are Gaussian; how much each part and the noise count is averaged over a grid, weighted by how likely they
make the measurements. So ten samples of a device like a known one fix u and v, hundreds of a strange one fix w.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import Self

import numpy as np
import torch
from torch import Tensor

from surgenas.core.space import CostTable, Floats
from surgenas.predictors.base import Predictor
from surgenas.predictors.kernel import Groups
from surgenas.predictors.messages import describe
from surgenas.predictors.process import GraphProcess

DIFFERENCES, GRAPH, NOISE = (0.03, 0.3, 3.0), (0.0, 0.003, 0.03, 0.2), (0.003, 0.02, 0.1)
"""The grid of variances of v, of w and of the noise; the variance of u_1 is 1."""
OFFSET = 9.0
"""The variance of u_0."""


class KnownDevices:
    """Gaussian processes of D devices, fitted on the codes (N, L, K) and latencies (N, D) in ms of networks there."""

    def __init__(self, costs: CostTable, code_NLK: Floats, latency_ms_ND: Floats, *, seed: int = 0) -> None:
        self.costs = costs
        self.devices = [GraphProcess(costs, seed=seed).fit(code_NLK, ms_N) for ms_N in latency_ms_ND.T]
        code = torch.from_numpy(np.asarray(code_NLK, dtype=np.float32))
        with torch.no_grad():
            predicted = torch.stack([device.predict_relaxed(code) for device in self.devices], 1)
            self.mean, self.std = predicted.mean(0), predicted.std(0, correction=0).clamp(min=1e-9)
            self.common = float(self._standardise(code).mean(1).std(correction=0).clamp(min=1e-9))
            self.groups = Groups.of(describe(costs, code))

    def features(self, gates_NLK: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """(m (N, 1), differences (N, D), phi (N, F)) of the formula above, each with a mean square of about 1."""
        f_ND = self._standardise(gates_NLK)
        m_N1 = f_ND.mean(1, keepdim=True)
        phi_NF = torch.cat(self.groups.normalise(describe(self.costs, gates_NLK)), 1)
        return m_N1 / self.common, (f_ND - m_N1) / f_ND.shape[1] ** 0.5, phi_NF / len(self.groups.names) ** 0.5

    def design(self, code_NLK: Floats) -> Floats:
        """Features (N, F) for `active.choose`, scaled by the variances in the middle of the grid."""
        m, differences, phi = self.features(torch.from_numpy(np.asarray(code_NLK, dtype=np.float32)))
        one = torch.full_like(m, OFFSET**0.5)
        return torch.cat([one, m, differences, 0.05**0.5 * phi], 1).double().numpy()

    def _standardise(self, gates_NLK: Tensor) -> Tensor:
        return (torch.stack([d.predict_relaxed(gates_NLK) for d in self.devices], 1) - self.mean) / self.std


@dataclass(frozen=True, eq=False)
class _Member:
    """One point of the grid: posterior mean, prior variances, what samples explain of them, the noise's variance."""

    weight: Floats
    prior: Floats
    explained: Floats
    noise: float


class TransferPredictor(Predictor):
    """A predictor for a new device of the same space as the known ones."""

    def __init__(self, costs: CostTable, known: KnownDevices, *, seed: int = 0) -> None:
        super().__init__(costs, seed=seed)
        self.known = known

    def learn(self, code_NLK: Floats, latency_ms_N: Floats) -> None:
        y = np.asarray(latency_ms_N, dtype=np.float64)
        self.middle, self.scale = float(np.median(y)), max(float(y.std()), 1e-9)
        y = (y - self.middle) / self.scale
        parts = [part.double().numpy() for part in self.known.features(_gates(code_NLK))]
        self.each, evidence = [], []
        for differences, graph, noise in product(DIFFERENCES, GRAPH, NOISE):
            prior_F = self._prior(parts, differences, graph)
            X = np.hstack([np.ones((len(y), 1)), *parts])
            K = (X * prior_F) @ X.T + noise * np.eye(len(y))
            solved = np.linalg.solve(K, np.column_stack([y, X * prior_F]))
            self.each.append(_Member((X * prior_F).T @ solved[:, 0], prior_F, (X * prior_F).T @ solved[:, 1:], noise))
            evidence.append(-0.5 * y @ solved[:, 0] - 0.5 * np.linalg.slogdet(K)[1])
        chance = np.exp(np.array(evidence) - max(evidence))
        self.chance = chance / chance.sum()
        self.weight = torch.from_numpy(self.chance @ np.array([member.weight for member in self.each])).float()

    def predict_relaxed(self, gates_NLK: Tensor) -> Tensor:
        features = torch.cat(self.known.features(gates_NLK), 1)
        return (features @ self.weight[1:] + self.weight[0]) * self.scale + self.middle

    def uncertainty(self, code_NLK: Floats) -> Floats:
        """The standard deviation (N,) in ms of the mixture for one more measurement.

        Its variance is the mean of the members' variances plus the variance of their means.
        """
        parts = [part.double().numpy() for part in self.known.features(_gates(code_NLK))]
        X = np.hstack([np.ones((len(code_NLK), 1)), *parts])
        mean, square = np.zeros(len(X)), np.zeros(len(X))
        for chance, member in zip(self.chance, self.each, strict=True):
            if chance > 1e-3:
                explained = np.einsum("nf,nf->n", X @ member.explained, X)
                variance = np.maximum((X**2) @ member.prior - explained, 0) + member.noise
                mean += chance * (X @ member.weight)
                square += chance * ((X @ member.weight) ** 2 + variance)
        return np.sqrt(np.maximum(square - mean**2, 0)) * self.scale

    def make_unfitted(self) -> Self:
        return type(self)(self.costs, self.known, seed=self.seed)

    def _prior(self, parts: Sequence[Floats], differences: float, graph: float) -> Floats:
        pairs = zip(parts, (1.0, differences, graph), strict=True)
        return np.concatenate([[OFFSET], *(np.full(part.shape[1], variance) for part, variance in pairs)])


def _gates(code_NLK: Floats) -> Tensor:
    return torch.from_numpy(np.asarray(code_NLK, dtype=np.float32))
