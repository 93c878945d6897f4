"""Two implementations of one idea: our weight gradient on small maps is the plain one."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from surgenas.nn import depthwise
from surgenas.nn.depthwise import DepthwiseConv2d


@pytest.mark.parametrize("size", [1, 2, 3, 4, (2, 4)])
@pytest.mark.parametrize("kernel", [3, 5, 7])
@pytest.mark.parametrize("stride", [1, 2])
def test_gradients_are_those_of_the_plain_convolution(size, kernel, stride):
    height, width = (size, size) if isinstance(size, int) else size
    plain = nn.Conv2d(6, 6, kernel, stride, kernel // 2, groups=6, bias=False).double()
    ours = DepthwiseConv2d.from_conv(plain)
    x = torch.randn(3, 6, height, width, dtype=torch.double, requires_grad=True)
    y = ours(x)
    assert torch.equal(y, plain(x))
    assert "_SmallMap" in type(y.grad_fn).__name__
    g = torch.randn_like(y)
    got = torch.autograd.grad(y, (x, ours.weight), g)
    expected = torch.autograd.grad(plain(x), (x, plain.weight), g)
    for one, other in zip(got, expected, strict=True):
        assert torch.allclose(one, other, rtol=1e-10, atol=1e-10)


def test_large_maps_and_evaluation_are_left_to_torch():
    conv = DepthwiseConv2d.from_conv(nn.Conv2d(6, 6, 3, 1, 1, groups=6, bias=False))
    large = torch.randn(1, 6, depthwise.SMALL + 1, 2)
    assert "Convolution" in type(conv(large).grad_fn).__name__
    assert "Convolution" in type(conv.eval()(large[:, :, :2]).grad_fn).__name__
