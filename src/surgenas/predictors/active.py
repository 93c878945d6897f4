"""Which networks to measure next? Those after which the least is left uncertain (greedy A-optimal design)."""

from __future__ import annotations

import numpy as np
import torch

from surgenas.core.space import CostTable, Floats
from surgenas.predictors.messages import describe

NOISE = 0.02
"""The variance of a measurement's noise, relative to that of latency."""


def choose(features_NF: Floats, count: int, *, noise: float = NOISE) -> list[int]:
    """Choose `count` different rows of (N, F) features to measure, greedily, and return their positions.

    Latency is taken for a Gaussian process whose kernel is the inner product; each next row is the one that lowers the
    variance summed over all rows the most. No latency is looked at. noise: variance of a measurement's noise.

    The covariance of what is left uncertain is C = X X' - U U', U having a column for each row chosen; it is never
    written out. power: the sums of its squared columns, which say how much measuring a row would tell.
    """
    x_NF, count = features_NF, min(count, len(features_NF))
    variance_N = np.square(x_NF).sum(1)
    power_N = ((x_NF @ (x_NF.T @ x_NF)) * x_NF).sum(1)
    told_NK = np.empty((len(x_NF), count))
    left = np.ones(len(x_NF), dtype=bool)
    chosen: list[int] = []
    for k in range(count):
        best = int(np.where(left, power_N / (variance_N + noise), -1.0).argmax())
        chosen.append(best)
        left[best] = False
        seen_NK, scale = told_NK[:, :k], variance_N[best] + noise
        c_N = x_NF @ x_NF[best] - seen_NK @ seen_NK[best]
        told_N = x_NF @ (x_NF.T @ c_N) - seen_NK @ (seen_NK.T @ c_N)
        power_N = power_N - 2 * c_N * told_N / scale + np.square(c_N / scale) * (c_N @ c_N)
        variance_N = np.maximum(variance_N - np.square(c_N) / scale, 0)
        told_NK[:, k] = c_N / scale**0.5
    return chosen


def graph_features(costs: CostTable, code_NLK: Floats) -> Floats:
    """Features (N, F) for `choose` from codes (N, L, K): a constant and what the graph tells, groups equally large."""
    groups = describe(costs, torch.from_numpy(np.asarray(code_NLK, dtype=np.float64))).values()
    centred = [group - group.mean(0) for group in groups]
    scaled = [group / group.square().sum(1).mean().sqrt().clamp(min=1e-9) for group in centred]
    ones = torch.ones(len(code_NLK), 1, dtype=torch.float64)
    return torch.cat([ones, *(group / len(scaled) ** 0.5 for group in scaled)], 1).numpy()
