"""Two implementations of one idea: our gradients are the plain ones."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from surgenas.nn.depthwise import DepthwiseConv2d


@pytest.mark.parametrize("size", [1, 2, 3, 4, 9, (2, 4), (5, 8)])
@pytest.mark.parametrize("kernel", [3, 5, 7])
@pytest.mark.parametrize("stride", [1, 2])
def test_gradients_are_those_of_the_plain_convolution(size, kernel, stride):
    height, width = (size, size) if isinstance(size, int) else size
    plain = nn.Conv2d(6, 6, kernel, stride, kernel // 2, groups=6, bias=False).double()
    ours = DepthwiseConv2d.from_conv(plain)
    x = torch.randn(3, 6, height, width, dtype=torch.double, requires_grad=True)
    y = ours(x)
    assert torch.equal(y, plain(x))
    assert "_Depthwise" in type(y.grad_fn).__name__
    g = torch.randn_like(y)
    got = torch.autograd.grad(y, (x, ours.weight), g)
    expected = torch.autograd.grad(plain(x), (x, plain.weight), g)
    for one, other in zip(got, expected, strict=True):
        assert torch.allclose(one, other, rtol=1e-10, atol=1e-10)


def test_second_derivatives_are_those_of_the_plain_convolution():
    plain = nn.Conv2d(4, 4, 5, 1, 2, groups=4, bias=False).double()
    ours, x = DepthwiseConv2d.from_conv(plain), torch.randn(2, 4, 6, 6, dtype=torch.double, requires_grad=True)
    found = []
    for conv in (ours, plain):
        (dx,) = torch.autograd.grad(conv(x).square().sum(), x, create_graph=True)
        found.append(torch.autograd.grad(dx.square().sum(), conv.weight)[0])
    assert torch.allclose(*found, rtol=1e-10)


def test_evaluation_is_left_to_torch():
    conv = DepthwiseConv2d.from_conv(nn.Conv2d(6, 6, 3, 1, 1, groups=6, bias=False))
    assert "Convolution" in type(conv.eval()(torch.randn(1, 6, 4, 4)).grad_fn).__name__
