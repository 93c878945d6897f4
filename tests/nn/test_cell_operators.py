"""Operators of cells: their shapes, nothing and noise, and what a factorized reduction reads."""

from __future__ import annotations

import pytest
import torch

from surgenas.nn.cell_operators import FactorizedReduction, Noise, Nothing, dilated, relu_conv_bn, separable


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("make", [
    Nothing, Noise, lambda stride: separable(4, 5, stride, affine=False),
    lambda stride: dilated(4, 5, stride, affine=True), lambda stride: relu_conv_bn(4, 4, 3, stride),
])  # fmt: skip
def test_shapes_follow_the_stride(make, stride):
    x = torch.randn(2, 4, 8, 8)
    assert make(stride)(x).shape == (2, 4, 8 // stride, 8 // stride)


def test_nothing_is_zero_and_noise_is_not_its_input():
    x = torch.ones(64, 4, 8, 8)
    assert not Nothing(2)(x).any()
    noise = Noise()(x)
    assert abs(float(noise.mean())) < 0.05
    assert abs(float(noise.std()) - 1) < 0.05


def test_a_factorized_reduction_reads_even_and_odd_pixels():
    reduction = FactorizedReduction(1, 2, affine=False).eval()
    for conv in (reduction.first, reduction.shifted):
        torch.nn.init.ones_(conv.weight)
    x = torch.arange(16.0).reshape(1, 1, 4, 4)
    first, shifted = reduction(x)[0]
    assert torch.allclose(first, torch.tensor([[0.0, 2.0], [8.0, 10.0]]), rtol=1e-4)
    assert torch.allclose(shifted, torch.tensor([[5.0, 7.0], [13.0, 15.0]]), rtol=1e-4)
