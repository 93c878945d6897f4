"""The kernel of the Gaussian process over the graph, and how its hyperparameters are learned.

k(x, x') = sum_g a_g <x_g, x'_g> + r exp(-1/2 sum_g b_g |x_g - x'_g|^2),    x_g: groups of features
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

JITTER = 1e-6
"""What is added to the diagonal, relative to it, so that rounding leaves the matrix positive definite."""
FARTHEST = 12.0
"""Bound on the |log| of hyperparameters, since a line search may try anything."""
WIDTH = 2.0
"""Of the prior of each log, in standard deviations."""


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
class Kernel:
    """The hyperparameters of the kernel above: a and b (G,) for G groups, r, and the variance of a good measurement."""

    a: Tensor
    b: Tensor
    r: Tensor
    noise: Tensor

    @classmethod
    def at(cls, logs: Tensor) -> Kernel:
        """The kernel with these logs (2 G + 2,) of its hyperparameters."""
        G = (len(logs) - 2) // 2
        values = logs.clamp(-FARTHEST, FARTHEST).exp()
        return cls(values[:G], values[G : 2 * G], values[-2], values[-1])

    def linear_features(self, groups: list[Tensor]) -> Tensor:
        """Features (N, F) whose inner product is the kernel's first part."""
        return torch.cat([a.sqrt().to(x.dtype) * x for a, x in zip(self.a, groups, strict=True)], 1)

    def smooth_features(self, groups: list[Tensor]) -> Tensor:
        """Features (N, F) whose squared distance is the one in the kernel's second part."""
        return torch.cat([b.sqrt().to(x.dtype) * x for b, x in zip(self.b, groups, strict=True)], 1)


@dataclass(frozen=True, eq=False)
class Gram:
    """Inner products and squared distances (G, N, N) of N samples in each of G groups."""

    products: Tensor
    distances: Tensor

    @classmethod
    def of(cls, groups: list[Tensor]) -> Gram:
        return cls(torch.stack([x @ x.T for x in groups]), torch.stack([squared_distances(x, x) for x in groups]))

    def most_likely(self, y: Tensor, weight: Tensor, start: Tensor, steps: int) -> Tensor:
        """The logs of the hyperparameters that maximise the evidence times a wide prior.

        y, weight: (N,). start: logs to begin at. steps: of the line search, at most.
        """
        logs = start.clone().requires_grad_()
        optimizer = torch.optim.LBFGS([logs], max_iter=steps, history_size=10, line_search_fn="strong_wolfe")

        @torch.no_grad()
        def loss() -> Tensor:
            value, logs.grad = self.unlikeliness(logs, y, weight)
            return value

        optimizer.step(loss)
        found = logs.detach()
        return found if found.isfinite().all() else start

    @torch.no_grad()
    def unlikeliness(self, logs: Tensor, y: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
        """(minus the log of the evidence times the prior, but for a constant; its gradient (2 G + 2,) for the logs).

        The gradient of the evidence is that of Rasmussen & Williams 2006, equation 5.9: autograd takes three times as
        long for it.
        """
        G, N = len(self.products), len(y)
        kernel, products, distances = Kernel.at(logs), self.products.view(G, -1), self.distances.view(G, -1)
        near = torch.exp(-0.5 * (kernel.b @ distances))
        plain = (kernel.a @ products + kernel.r * near).view(N, N)
        factor = torch.linalg.cholesky(_add_noise(plain, kernel, weight))
        solution = torch.cholesky_solve(y[:, None], factor)[:, 0]
        off = logs - start_values(G)
        value = 0.5 * y @ solution + factor.diagonal().log().sum() + off.square().sum() / (2 * WIDTH**2)
        slope = 0.5 * (torch.cholesky_inverse(factor) - solution[:, None] * solution)  # for the matrix
        of_noise = (slope.diagonal() / weight).sum()
        slope.diagonal().add_(JITTER * slope.trace() / N)
        flat = slope.flatten()
        bent = kernel.r * near * flat
        gradient = torch.cat(
            [
                kernel.a * (products @ flat),
                -0.5 * kernel.b * (distances @ bent),
                torch.stack([bent.sum(), kernel.noise * of_noise]),
            ]
        )
        return value, gradient * (logs.abs() <= FARTHEST) + off / WIDTH**2


@dataclass(frozen=True, eq=False)
class Solution:
    """The process given its samples. weight (N,): how much each counts, by its leave-one-out residual.

    of_samples: K^-1 y, (N,). factor: the Cholesky factor of K, noise included. left_out: each sample as all others
    predict it, (N,).
    """

    weight: Tensor
    of_samples: Tensor
    factor: Tensor
    left_out: Tensor

    @classmethod
    def of(cls, kernel: Kernel, x: list[Tensor], y: Tensor, weight: Tensor, outlier: float) -> Solution:
        """Solve twice, with the weights given and with those that follow from the residuals. outlier: from how many
        deviations on a sample counts less."""
        straight, bent = kernel.linear_features(x), kernel.smooth_features(x)
        plain = straight @ straight.T + kernel.r * torch.exp(-0.5 * squared_distances(bent, bent))
        for last in (False, True):
            factor = torch.linalg.cholesky(_add_noise(plain, kernel, weight))
            solution = torch.cholesky_solve(y[:, None], factor)[:, 0]
            precision = torch.cholesky_inverse(factor).diagonal()
            if not last:
                outlying = (solution / precision.sqrt()).abs() / outlier
                weight = 1 / outlying.clamp(min=1).square()
        return cls(weight, solution, factor, y - solution / precision)


def start_values(groups: int) -> Tensor:
    """The logs (2 G + 2,) of the hyperparameters of G groups that a search begins at, and expects them around."""
    return torch.tensor([-3.0] * groups + [-4.0] * groups + [-1.0, -3.0], dtype=torch.float64)


def _add_noise(plain: Tensor, kernel: Kernel, weight: Tensor) -> Tensor:
    return plain + torch.diag(kernel.noise / weight + JITTER * plain.diagonal().mean())


def squared_distances(one_NF: Tensor, other_MF: Tensor) -> Tensor:
    """|x - x'|^2 for all pairs, (N, M), by the binomial formula: a CPU is fast at matrix products."""
    norms = one_NF.square().sum(1)[:, None] + other_MF.square().sum(1)
    return (norms - 2 * one_NF @ other_MF.T).clamp(min=0)
