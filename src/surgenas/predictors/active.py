"""Which networks to measure next? Those after which the least is left uncertain (greedy A-optimal design)."""

from __future__ import annotations

import numpy as np
import torch

from surgenas.core.space import CostTable, Floats
from surgenas.predictors.messages import describe

NOISE = 0.02
"""Variance of a measurement, relative to that of latency."""


def choose(features_NF: Floats, count: int, *, noise: float = NOISE) -> list[int]:
    """Positions of `count` different rows. Latency is taken for a Gaussian process whose kernel is the inner product;
    each next row lowers the summed variance over all rows the most. No latency is looked at."""
    covariance = features_NF @ features_NF.T
    left = np.ones(len(covariance), dtype=bool)
    chosen: list[int] = []
    for _ in range(min(count, len(covariance))):
        variance = covariance.diagonal()
        gain = np.where(left, np.square(covariance).sum(0) / (variance + noise), -1.0)
        best = int(gain.argmax())
        chosen.append(best)
        left[best] = False
        column = covariance[:, best].copy()
        covariance -= np.outer(column, column / (variance[best] + noise))
    return chosen


def graph_features(costs: CostTable, code_NLK: Floats) -> Floats:
    """(N, F): what the graph tells, each group as important as the others, and a constant."""
    groups = describe(costs, torch.from_numpy(np.asarray(code_NLK, dtype=np.float64))).values()
    centred = [group - group.mean(0) for group in groups]
    scaled = [group / group.square().sum(1).mean().sqrt().clamp(min=1e-9) for group in centred]
    ones = torch.ones(len(code_NLK), 1, dtype=torch.float64)
    return torch.cat([ones, *(group / len(scaled) ** 0.5 for group in scaled)], 1).numpy()
