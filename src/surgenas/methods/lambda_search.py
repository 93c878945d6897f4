"""Which lambda makes a penalised search land on a wanted runtime? One search a question, over log10 lambda.

That the lambda of Single-Path NAS was searched automatically is known (arXiv 1907.00959), how is not: both ways here
are ours.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from scipy.stats import norm
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, ConstantKernel, WhiteKernel

TOLERANCE = 0.03
"""The search for lambda ends when |runtime / wanted - 1| is at most this."""
Tries = Sequence[tuple[float, float]]
"""(log10 lambda, runtime / wanted) of each search so far."""


def has_landed(tries: Tries) -> bool:
    """Is the runtime of the last search near enough to the wanted one?"""
    return bool(tries) and abs(tries[-1][1] - 1) <= TOLERANCE


def propose(way: str, tries: Tries, low: float, high: float) -> float:
    """The log10 lambda to try next, between low and high. way: "bisection" or "bayes". A larger lambda gives a smaller
    runtime."""
    return bisect(tries, low, high) if way == "bisection" else propose_by_process(tries, low, high)


def bisect(tries: Tries, low: float, high: float) -> float:
    """The middle between the largest log10 lambda that was too slow and the smallest that was too fast; of the whole
    range if these contradict each other."""
    too_slow = [x for x, ratio in tries if ratio > 1]
    too_fast = [x for x, ratio in tries if ratio <= 1]
    least, most = max(too_slow, default=low), min(too_fast, default=high)
    return (least + most) / 2 if least < most else (low + high) / 2


def propose_by_process(tries: Tries, low: float, high: float) -> float:
    """The log10 lambda that most probably lands, by a Gaussian process over log runtime (Bayesian optimisation in one
    dimension).

    The first two tries are fixed points of the range.
    """
    if len(tries) < 2:
        return low + (high - low) * (0.5, 0.25 if tries and tries[0][1] < 1 else 0.75)[len(tries)]
    x, log_ratio = np.array([t[0] for t in tries])[:, None], np.log([t[1] for t in tries])
    kernel = ConstantKernel(1.0, "fixed") * RBF((high - low) / 3, "fixed") + WhiteKernel(1e-3, "fixed")
    grid = np.linspace(low, high, 201)
    mean, std = GaussianProcessRegressor(kernel).fit(x, log_ratio).predict(grid[:, None], return_std=True)
    inside = math.log(1 + TOLERANCE)
    return float(grid[np.argmax(norm.cdf((inside - mean) / std) - norm.cdf((-inside - mean) / std))])
