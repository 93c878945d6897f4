"""Blocks of mobile networks: their shapes, their costs by formula, and what passes through them untouched."""

from __future__ import annotations

from functools import partial
from itertools import product

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from timm.models._efficientnet_blocks import InvertedResidual, SqueezeExcite
from torch import nn

from surgenas.nn.blocks import classifier, conv_bn_act, mbconv, shortcut, skip
from surgenas.nn.cost import count
from surgenas.nn.depthwise import DepthwiseConv2d

channels = st.integers(1, 4).map(lambda n: 8 * n)
few = settings(max_examples=25, deadline=None)


def halved(size: int, stride: int) -> int:
    return -(-size // stride)


@given(channels, channels, st.sampled_from([3, 5, 7]), st.sampled_from([1, 3, 6]), st.sampled_from([1, 2]),
       st.integers(1, 9))  # fmt: skip
@few
def test_an_mbconv_costs_what_its_formula_says(cin, cout, kernel, expand, stride, size):
    """Expand (unless by 1), depthwise, project; each with a scale and a shift a channel."""
    with torch.device("meta"):
        block = mbconv(cin, cout, kernel=kernel, expand=expand, stride=stride, affine=True)
    inner, out = cin * expand, halved(size, stride)
    wide = cin * inner if expand > 1 else 0
    macs = wide * size**2 + inner * (kernel**2 + cout) * out**2
    params = wide + inner * (kernel**2 + cout) + 2 * ((inner if expand > 1 else 0) + inner + cout)
    assert count(block, (cin, size, size)) == (macs, params)
    assert block(torch.empty(2, cin, size, size, device="meta")).shape == (2, cout, out, out)


@pytest.mark.parametrize(("kernel", "stride", "squeeze"), list(product([3, 7], [1, 2], [0, 2])))
def test_an_mbconv_computes_what_timms_block_does(kernel, stride, squeeze):
    """The depthwise convolution is ours; weights go from one to the other by name."""
    ours = mbconv(8, 8, kernel=kernel, expand=3, stride=stride, affine=True, squeeze=squeeze).eval()
    how = {"se_layer": partial(SqueezeExcite, rd_channels=squeeze)} if squeeze else {}
    theirs = InvertedResidual(
        8, 8, dw_kernel_size=kernel, stride=stride, exp_ratio=3, act_layer=nn.ReLU6, **how
    ).eval()  # fmt: skip
    theirs.load_state_dict(ours.state_dict())
    x = torch.randn(2, 8, 6, 6)
    assert isinstance(ours.conv_dw, DepthwiseConv2d)
    assert torch.allclose(ours(x), theirs(x), atol=1e-6)


@pytest.mark.parametrize(
    ("cout", "stride", "residual", "passes"),
    [(8, 1, True, True), (8, 1, False, False), (8, 2, True, False), (12, 1, True, False)],
)
@pytest.mark.parametrize("expand", [1, 6])
def test_the_input_is_added_where_shapes_allow_it_and_it_was_not_forbidden(cout, stride, residual, passes, expand):
    block = mbconv(8, cout, kernel=3, expand=expand, stride=stride, affine=True, residual=residual).eval()
    *_, last = (m for m in block.modules() if isinstance(m, nn.BatchNorm2d))
    nn.init.zeros_(last.weight)  # whatever the block computes comes to nothing
    x = torch.randn(2, 8, 5, 5)
    assert torch.equal(block(x), x if passes else torch.zeros_like(block(x)))


@pytest.mark.parametrize("squeeze", [1, 2, 8])
def test_squeeze_and_excitation_is_that_many_channels_wide(squeeze):
    """Two 1x1 convolutions with bias between the expanded and the squeezed channels."""
    params = [count(mbconv(8, 8, kernel=3, expand=3, stride=1, affine=True, squeeze=s), (8, 4, 4))[1]
              for s in (0, squeeze)]  # fmt: skip
    assert params[1] - params[0] == 2 * 24 * squeeze + squeeze + 24


def test_without_affine_no_normalisation_scales_or_shifts():
    block = nn.Sequential(
        mbconv(8, 8, kernel=3, expand=3, stride=1, affine=False),
        skip(8, 4, stride=2, affine=False),
        classifier(4, 8, 6, 3, dropout=0.0, affine=False),
    )
    norms = [m for m in block.modules() if isinstance(m, nn.BatchNorm2d)]
    assert len(norms) == 5
    assert not any(norm.affine for norm in norms)


@pytest.mark.parametrize(("act", "most"), [(nn.ReLU6, 6.0), (nn.ReLU, 60.0)])
def test_a_convolution_ends_in_its_activation(act, most):
    block = conv_bn_act(2, 3, kernel=3, stride=2, affine=True, act=act).eval()
    y = block(1000 * torch.randn(2, 2, 7, 7))
    assert y.shape == (2, 3, 4, 4)
    assert y.min() == 0
    assert (y.max() == 6) if most == 6 else (y.max() > most)


def test_a_skip_is_nothing_where_shapes_allow_it():
    x = torch.randn(2, 8, 7, 7)
    assert skip(8, 8, stride=1, affine=True)(x) is x
    for cout, stride, size in ((8, 2, 4), (12, 1, 7), (12, 2, 4)):
        block = skip(8, cout, stride=stride, affine=True)
        assert block(x).shape == (2, cout, size, size)
        assert count(block, (8, 7, 7)) == (8 * cout * size**2, 8 * cout + 2 * cout)


@pytest.mark.parametrize("stride", [1, 2])
def test_gradient_of_the_projected_shortcut(stride):
    """Written by hand, so held against finite differences; odd sizes, where pooling rounds up."""
    net, x = shortcut(3, 4, stride=stride).double(), torch.randn(2, 3, 5, 5, dtype=torch.double, requires_grad=True)
    ((name, weight),) = net.named_parameters()
    run = lambda x, weight: torch.func.functional_call(net, {name: weight}, (x,))  # noqa: E731
    assert torch.autograd.gradcheck(run, (x, weight))


@pytest.mark.parametrize("stride", [1, 2])
def test_a_projected_shortcut_is_pooling_a_convolution_and_a_normalisation(stride):
    """Two implementations of one idea."""
    net = shortcut(4, 6, stride=stride).double()
    ((_, weight_OC),) = net.named_parameters()
    x = torch.randn(3, 4, 5, 7, dtype=torch.double)
    pooled = nn.functional.max_pool2d(x, 2, ceil_mode=True) if stride == 2 else x
    plain = nn.functional.batch_norm(
        nn.functional.conv2d(pooled, weight_OC[:, :, None, None]), None, None, training=True
    )
    assert torch.allclose(net(x), plain, atol=1e-9)


def test_a_projected_shortcut_remembers_nothing_of_a_batch():
    net = shortcut(4, 6, stride=1)
    x = torch.randn(3, 4, 5, 5)
    first = net(x)
    net(100 + torch.randn(3, 4, 5, 5))
    assert torch.equal(net(x), first)
    assert not list(net.buffers())


def test_shortcut_follows_the_shapes():
    x = torch.randn(2, 8, 7, 7)
    assert shortcut(8, 8, stride=1)(x) is x
    assert shortcut(8, 8, stride=2)(x).shape == (2, 8, 4, 4)
    assert shortcut(8, 12, stride=1)(x).shape == (2, 12, 7, 7)
    assert shortcut(8, 12, stride=2)(x).shape == (2, 12, 4, 4)


@given(channels, channels, st.sampled_from([0, 5]), st.integers(2, 7), st.integers(1, 5))
@few
def test_a_classifier_costs_its_convolution_and_its_linear_layers(cin, width, hidden, classes, size):
    with torch.device("meta"):
        head = classifier(cin, width, hidden, classes, dropout=0.2, affine=True)
    linear = width * hidden + hidden * classes if hidden else width * classes
    biases = hidden + classes
    assert count(head, (cin, size, size)) == (cin * width * size**2 + linear, cin * width + 2 * width + linear + biases)
    assert head(torch.empty(2, cin, size, size, device="meta")).shape == (2, classes)


def test_dropout_is_only_for_training():
    head = classifier(4, 8, 0, 3, dropout=0.9, affine=True)
    x = torch.randn(4, 4, 2, 2)
    head.eval()
    assert torch.equal(head(x), head(x))
    head.train()
    assert not torch.equal(head(x), head(x))
