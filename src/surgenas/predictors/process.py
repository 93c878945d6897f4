"""A Gaussian process over the graph: latency as a sum over operators, plus what operators do to each other.

    k(x, x') = sum_g a_g <x_g, x'_g> + r exp(-1/2 sum_g b_g |x_g - x'_g|^2),    x_g: groups of `messages.describe`

How much each group matters (a_g, b_g, r, and the noise) is what makes the measurements most likely (Rasmussen &
Williams 2006, chapter 5), so a device that deletes dead layers and one that does not get different kernels. Single
measurements gone wrong count less (iteratively reweighted least squares on leave-one-out residuals).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from surgenas.core.space import CostTable, Floats
from surgenas.predictors.base import Predictor
from surgenas.predictors.messages import describe

Describe = Callable[[CostTable, Tensor], dict[str, Tensor]]
LEARNED_FROM = 400
"""How many samples the kernel is learned from, since the work grows with their cube; the fit itself uses all."""
AT_MOST = 4000
"""How many samples are used at most; of more, a random part."""
OUTLIER = 2.0
"""Beyond this many standard deviations a leave-one-out residual is taken for a measurement gone wrong: the larger it
is, the less its sample counts."""
PASSES = 3
"""How often the kernel is learned and the samples are weighed, in turns."""
JITTER = 1e-6
"""What is added to the diagonal, relative to it, so that rounding leaves the matrix positive definite."""
FARTHEST = 12.0
"""Bound on the |log| of hyperparameters, since a line search may try anything."""


@dataclass(frozen=True, eq=False)
class Groups:
    """How groups of features are normalised: centred, and scaled so that each group's mean squared norm is 1.

    Groups that are constant, or a copy of another one, are left out.
    """

    names: tuple[str, ...]
    centre: dict[str, Tensor]
    scale: dict[str, float]

    @classmethod
    def of(cls, features: dict[str, Tensor]) -> Groups:
        """The normalisation of these groups, each (N, F)."""
        centre, scale = {}, {}
        seen: list[Tensor] = []
        for name, x_NF in features.items():
            middle = x_NF.mean(0)
            size = float((x_NF - middle).square().sum(1).mean().sqrt())
            if size > 1e-6 and not any(x_NF.shape == other.shape and torch.equal(x_NF, other) for other in seen):
                centre[name], scale[name] = middle, 1 / size
                seen.append(x_NF)
        if not centre:  # all samples are the same network: one group that is 0 everywhere
            name, x_NF = next(iter(features.items()))
            centre[name], scale[name] = x_NF.mean(0), 0.0
        return cls(tuple(centre), centre, scale)

    def normalise(self, features: dict[str, Tensor]) -> list[Tensor]:
        """The groups (N, F) that are not left out, normalised."""
        return [((features[n] - self.centre[n].to(features[n].dtype)) * self.scale[n]) for n in self.names]


@dataclass(frozen=True, eq=False)
class _Kernel:
    """The hyperparameters of the kernel above: a and b (G,) for G groups, r, and the variance of a good measurement."""

    a: Tensor
    b: Tensor
    r: Tensor
    noise: Tensor

    @classmethod
    def at(cls, log_values: Tensor) -> _Kernel:
        G = (len(log_values) - 2) // 2
        values = log_values.clamp(-FARTHEST, FARTHEST).exp()
        return cls(values[:G], values[G : 2 * G], values[-2], values[-1])

    def linear_features(self, groups: list[Tensor]) -> Tensor:
        """Features (N, F) whose inner product is the kernel's first part."""
        return torch.cat([a.sqrt().to(x.dtype) * x for a, x in zip(self.a, groups, strict=True)], 1)

    def smooth_features(self, groups: list[Tensor]) -> Tensor:
        """Features (N, F) whose squared distance is the one in the kernel's second part."""
        return torch.cat([b.sqrt().to(x.dtype) * x for b, x in zip(self.b, groups, strict=True)], 1)

    def __call__(self, products_GNM: Tensor, distances_GNM: Tensor) -> Tensor:
        straight = torch.einsum("g,gnm->nm", self.a, products_GNM)
        return straight + self.r * torch.exp(-0.5 * torch.einsum("g,gnm->nm", self.b, distances_GNM))


class GraphProcess(Predictor):
    """A Gaussian process on groups of features; by default those of `messages.describe`. outlier: as OUTLIER."""

    def __init__(
        self, costs: CostTable, *, seed: int = 0, features: Describe = describe, outlier: float = OUTLIER
    ) -> None:
        super().__init__(costs, seed=seed)
        self.features, self.outlier = features, outlier

    def learn(self, code_NLK: Floats, latency_ms_N: Floats) -> None:
        rng = np.random.default_rng(self.seed)
        order = rng.permutation(len(code_NLK))[:AT_MOST]
        code = torch.from_numpy(np.asarray(code_NLK, dtype=np.float64)[order])
        target = torch.from_numpy(np.asarray(latency_ms_N, dtype=np.float64)[order])
        self.mean, self.std = float(target.median()), max(float(target.std(correction=0)), 1e-9)
        y = (target - self.mean) / self.std
        features = self.features(self.costs, code)
        self.groups = Groups.of(features)
        x = self.groups.normalise(features)
        weight = torch.ones_like(y)
        part = slice(LEARNED_FROM)
        log_values = _start_values(len(x))
        for _ in range(PASSES):
            log_values = _fit_hyperparameters([g[part] for g in x], y[part], weight[part], log_values)
            weight, solution, factor = _solve(_Kernel.at(log_values), x, y, weight, self.outlier)
        self._keep(_Kernel.at(log_values), x, solution, factor)

    def _keep(self, kernel: _Kernel, x: list[Tensor], solution: Tensor, factor: Tensor) -> None:
        self.kernel = kernel
        self.straight = kernel.linear_features(x).float()
        self.bent = kernel.smooth_features(x).float()
        self.slope = (kernel.linear_features(x).T @ solution).float()
        self.solution = (kernel.r * solution).float()
        self.factor = factor.float()

    def predict_relaxed(self, gates_NLK: Tensor) -> Tensor:
        x = self.groups.normalise(self.features(self.costs, gates_NLK))
        smooth = torch.exp(-0.5 * _squared_distances(self.kernel.smooth_features(x), self.bent)) @ self.solution
        return (self.kernel.linear_features(x) @ self.slope + smooth) * self.std + self.mean

    def uncertainty(self, code_NLK: Floats) -> Floats:
        """The posterior's standard deviation (N,) in ms for one more measurement, its noise included."""
        parts = torch.from_numpy(np.asarray(code_NLK, dtype=np.float32)).split(4096)
        return torch.cat([self._deviation(part) for part in parts]).double().numpy()

    def _deviation(self, code_NLK: Tensor) -> Tensor:
        x = self.groups.normalise(self.features(self.costs, code_NLK))
        straight, r = self.kernel.linear_features(x), self.kernel.r.float()
        across = straight @ self.straight.T + r * torch.exp(
            -0.5 * _squared_distances(self.kernel.smooth_features(x), self.bent)
        )
        explained = torch.linalg.solve_triangular(self.factor, across.T, upper=False).square().sum(0)
        unknown = (straight.square().sum(1) + r - explained).clamp(min=0)
        return (unknown + self.kernel.noise.float()).sqrt() * self.std


def _start_values(groups: int) -> Tensor:
    return torch.tensor([-3.0] * groups + [-4.0] * groups + [-1.0, -3.0], dtype=torch.float64)


def _fit_hyperparameters(x: list[Tensor], y: Tensor, weight: Tensor, start: Tensor) -> Tensor:
    """The logs of the hyperparameters that maximise the evidence times a wide prior around their start values."""
    products = torch.stack([g @ g.T for g in x])
    distances = torch.stack([_squared_distances(g, g) for g in x])
    middle = _start_values(len(x))
    log_values = start.clone().requires_grad_()
    optimizer = torch.optim.LBFGS([log_values], max_iter=40, history_size=10, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        optimizer.zero_grad()
        kernel = _Kernel.at(log_values)
        factor = torch.linalg.cholesky(_add_noise(kernel(products, distances), kernel, weight))
        solution = torch.cholesky_solve(y[:, None], factor)[:, 0]
        value = 0.5 * y @ solution + factor.diagonal().log().sum() + (log_values - middle).square().sum() / (2 * 2.0**2)
        value.backward()
        return value

    optimizer.step(loss)
    found = log_values.detach()
    return found if found.isfinite().all() else start


def _solve(
    kernel: _Kernel, x: list[Tensor], y: Tensor, weight: Tensor, outlier: float
) -> tuple[Tensor, Tensor, Tensor]:
    """(weights (N,) of the samples by their leave-one-out residuals, K^-1 y, the Cholesky factor of K)."""
    straight, bent = kernel.linear_features(x), kernel.smooth_features(x)
    plain = straight @ straight.T + kernel.r * torch.exp(-0.5 * _squared_distances(bent, bent))
    for last in (False, True):
        factor = torch.linalg.cholesky(_add_noise(plain, kernel, weight))
        solution = torch.cholesky_solve(y[:, None], factor)[:, 0]
        if not last:
            precision = torch.cholesky_inverse(factor).diagonal()
            outlying = (solution / precision.sqrt()).abs() / outlier  # leave-one-out residual / its deviation
            weight = 1 / outlying.clamp(min=1).square()
    return weight, solution, factor


def _add_noise(plain: Tensor, kernel: _Kernel, weight: Tensor) -> Tensor:
    return plain + torch.diag(kernel.noise / weight + JITTER * plain.diagonal().mean())


def _squared_distances(one_NF: Tensor, other_MF: Tensor) -> Tensor:
    """|x - x'|^2 for all pairs, (N, M), by the binomial formula: a CPU is fast at matrix products."""
    norms = one_NF.square().sum(1)[:, None] + other_MF.square().sum(1)
    return (norms - 2 * one_NF @ other_MF.T).clamp(min=0)
