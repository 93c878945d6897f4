"""The kernel, and what is left out of it: checked against the formula, and against fits without each sample."""

from __future__ import annotations

import pytest
import torch

from surgenas.predictors.kernel import Gram, Groups, Kernel, Solution, squared_distances, start_values

X = [torch.randn(30, size, dtype=torch.float64, generator=torch.Generator().manual_seed(size)) for size in (2, 3)]
Y = X[0][:, 0] + 0.3 * X[1][:, 1].sin()


def covariance(kernel: Kernel) -> torch.Tensor:
    """The formula for all pairs of samples, without noise."""
    straight = sum(a * (x @ x.T) for a, x in zip(kernel.a, X, strict=True))
    far = sum(b * torch.cdist(x, x).square() for b, x in zip(kernel.b, X, strict=True))
    return straight + kernel.r * torch.exp(-0.5 * far)


def test_features_and_gram_are_those_of_the_formula():
    kernel = Kernel.at(torch.tensor([0.0, 1.0, -1.0, -2.0, 0.5, -3.0], dtype=torch.float64))
    straight, bent = kernel.linear_features(X), kernel.smooth_features(X)
    found = straight @ straight.T + kernel.r * torch.exp(-0.5 * squared_distances(bent, bent))
    assert torch.allclose(found, covariance(kernel))
    gram = Gram.of(X)
    assert torch.allclose(gram.products[1], X[1] @ X[1].T)
    assert torch.allclose(gram.distances[1], torch.cdist(X[1], X[1]).square(), atol=1e-9)


def test_unlikeliness_has_its_own_gradient():
    """Against differences, of samples that count unlike, within the bounds of the logs and beyond."""
    gram, weight = Gram.of(X), torch.linspace(0.2, 1.0, 30, dtype=torch.float64)
    logs = torch.tensor([-2.0, -3.5, -1.0, -4.0, 0.5, 13.0], dtype=torch.float64)
    _, gradient = gram.unlikeliness(logs, Y, weight)
    for i, step in enumerate(1e-5 * torch.eye(6).double()):
        ahead, behind = (float(gram.unlikeliness(logs + side * step, Y, weight)[0]) for side in (1, -1))
        assert float(gradient[i]) == pytest.approx((ahead - behind) / 2e-5, rel=1e-5, abs=1e-6)


def test_distances_are_those_of_all_pairs():
    assert torch.allclose(squared_distances(X[0], X[0]), torch.cdist(X[0], X[0]).square(), atol=1e-9)


def test_groups_that_say_nothing_new_are_left_out():
    same = torch.ones(30, 2, dtype=torch.float64)
    groups = Groups.of({"one": X[0], "again": X[0].clone(), "constant": same, "two": X[1]})
    assert groups.names == ("one", "two")
    for x in groups.normalise({"one": X[0], "two": X[1]}):
        assert float(x.square().sum(1).mean()) == pytest.approx(1)


def test_what_is_left_out_is_predicted_by_all_others():
    kernel, ones = Kernel.at(start_values(2)), torch.ones(30, dtype=torch.float64)
    found = Solution.of(kernel, X, Y, ones, outlier=1e9)
    plain, noise = covariance(kernel), kernel.noise * torch.eye(30, dtype=torch.float64)
    others = torch.arange(30) != 5
    weights = torch.linalg.solve((plain + noise)[others][:, others], Y[others])
    assert float(found.left_out[5]) == pytest.approx(float(plain[5, others] @ weights), abs=1e-4)


def test_what_is_most_likely_is_more_likely_than_the_start():
    """The evidence of the textbook, times the prior."""
    gram, weight = Gram.of(X), torch.ones(30, dtype=torch.float64)
    start = start_values(2)

    def log_density(logs):
        kernel = Kernel.at(logs)
        noisy = covariance(kernel) + kernel.noise * torch.eye(30, dtype=torch.float64)
        evidence = torch.distributions.MultivariateNormal(torch.zeros_like(Y), noisy).log_prob(Y)
        return float(evidence - (logs - start).square().sum() / 8)

    found = gram.most_likely(Y, weight, start, 20)
    assert log_density(found) > log_density(start) + 5
    assert all(log_density(found) > log_density(found + 0.3 * step) - 1e-3 for step in torch.eye(6).double())
