"""A scale is a line below c and a logarithm above it, there and back; what comes back is above zero."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from surgenas.predictors.scale import Scale

MS = np.array([3e-3, 0.5, 1.0, 2.0, 13.0])


@pytest.mark.parametrize("share", [math.inf, 1.0, 0.01])
def test_there_and_back_is_the_same_latency(share):
    scale = Scale.at(share, MS)
    y = scale.of(torch.from_numpy(MS))
    assert float(y.median()) == pytest.approx(0)
    assert float(y.std(correction=0)) == pytest.approx(1)
    assert scale.ms(y).numpy() == pytest.approx(MS, rel=2e-4)


def test_above_c_equal_ratios_are_equal_steps_and_below_it_equal_differences():
    shares, plain = Scale.at(1e-4, MS), Scale.at(1e4, MS)
    ratios, differences = torch.tensor([1.0, 2.0, 4.0]), torch.tensor([1.0, 2.0, 3.0])
    for scale, ms in ((shares, ratios), (plain, differences)):
        one, other = scale.of(ms.double()).diff().tolist()
        assert one == pytest.approx(other, rel=1e-3)


def test_latencies_are_above_zero_whatever_is_predicted():
    for dtype in (torch.float32, torch.float64):
        for share in (math.inf, 0.3):
            assert Scale.at(share, MS).ms(torch.linspace(-1e3, 3, 50, dtype=dtype)).min() > 0


@pytest.mark.parametrize("share", [math.inf, 0.5])
def test_it_is_differentiable_below_the_floor_too(share):
    y = torch.tensor([-2.0, -0.6, 0.0, 1.0], dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(Scale.at(share, MS).ms, y)


@pytest.mark.parametrize("share", [math.inf, 0.5])
def test_the_deviation_is_that_of_many_draws(share):
    scale = Scale.at(share, MS)
    draws = 1 + 0.2 * torch.randn(200_000, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    said = scale.deviation_ms(torch.tensor(1.0, dtype=torch.float64), torch.tensor(0.2, dtype=torch.float64))
    assert float(said) == pytest.approx(float(scale.ms(draws).std()), rel=0.02)


def test_latencies_that_are_all_zero_have_a_scale():
    scale = Scale.at(0.3, np.zeros(3))
    assert torch.isfinite(scale.of(torch.zeros(3, dtype=torch.float64))).all()
