"""A strided 1x1 convolution computes and learns what torch's does, and is exported as that."""

from __future__ import annotations

import onnx
import pytest
import torch
from torch import nn

from surgenas.hardware.onnx_file import to_onnx
from surgenas.nn.pointwise import PointwiseConv2d, is_strided_pointwise


def pair(cin, cout, *, groups=1, bias=False):
    torch.manual_seed(0)
    plain = nn.Conv2d(cin, cout, 1, 2, groups=groups, bias=bias).double()
    return plain, PointwiseConv2d.from_conv(plain)


@pytest.mark.parametrize("side", [7, 8, 48])
@pytest.mark.parametrize(("cin", "cout", "groups", "bias"), [(4, 6, 1, False), (8, 8, 2, True)])
def test_it_computes_and_learns_the_same(side, cin, cout, groups, bias):
    """Of torch's own in contiguous memory, where its backward pass is sound."""
    plain, ours = pair(cin, cout, groups=groups, bias=bias)
    assert ours.weight is plain.weight
    assert ours.state_dict().keys() == plain.state_dict().keys()
    x = torch.randn(2, cin, side, side, dtype=torch.double, requires_grad=True)
    gradients = [torch.autograd.grad(conv(x).square().sum(), [x, *plain.parameters()]) for conv in (plain, ours)]
    for one, other in zip(*gradients, strict=True):
        assert torch.allclose(one, other)
    with torch.no_grad():
        assert torch.equal(ours(x), plain(x))


def test_with_few_channels_in_channels_last_it_learns():
    """torch's own ends the process there."""
    ours = pair(8, 8)[1].float().to(memory_format=torch.channels_last)
    x = torch.randn(4, 8, 48, 48).to(memory_format=torch.channels_last).requires_grad_()
    ours(x).square().sum().backward()
    assert x.grad is not None
    assert bool(x.grad.isfinite().all())


def test_it_leaves_pytorch_as_one_strided_convolution():
    nodes = onnx.load_from_string(to_onnx(nn.Sequential(pair(4, 6)[1].float()), (4, 8, 8))).graph.node
    assert [node.op_type for node in nodes] == ["Conv"]


def test_whoever_exports_it_gets_the_convolution_as_it_is():
    """Also where gradients are on, as some exporters leave them."""
    ours, x = pair(4, 6)[1].float().eval(), torch.randn(1, 4, 8, 8)
    exported = torch.export.export(nn.Sequential(ours), (x,)).graph
    assert [node.name for node in exported.nodes if node.op == "call_function"] == ["conv2d"]
    traced = str(torch.jit.trace(nn.Sequential(ours), x).inlined_graph)
    assert "aten::slice" not in traced


def test_what_has_no_stride_or_a_larger_kernel_is_another():
    kinds = {(1, 2): True, (1, 1): False, (3, 2): False}
    assert {(k, s): is_strided_pointwise(nn.Conv2d(4, 4, k, s, padding=k // 2)) for k, s in kinds} == kinds
