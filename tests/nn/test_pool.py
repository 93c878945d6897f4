"""The blocks of the operator pool: what passes, what they cost by formula, and what stands in a row."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from timm.models._efficientnet_blocks import SqueezeExcite
from torch import nn

from surgenas.nn.cost import count
from surgenas.nn.depthwise import DepthwiseConv2d
from surgenas.nn.pool import Residual, ShuffleBlock, separable_block, shuffle_block, stack_with_se

evens = st.integers(1, 6).map(lambda n: 4 * n)
kernels = st.sampled_from([3, 5, 7])
strides = st.sampled_from([1, 2])
few = settings(max_examples=25, deadline=None)


def half(size: int, stride: int) -> int:
    return -(-size // stride)


@given(evens, evens, kernels, strides, st.integers(1, 8))
@few
def test_a_separable_convolution_costs_its_formula(cin, cout, kernel, stride, size):
    with torch.device("meta"):
        block = separable_block(cin, cout, kernel=kernel, stride=stride, affine=True)
    weights = cin * kernel**2 + cin * cout
    assert count(block, (cin, size, size)) == (weights * half(size, stride) ** 2, weights + 2 * cin + 2 * cout)


@given(evens, evens, st.sampled_from([0, 3, 5, 7]), strides, st.booleans(), st.integers(1, 8))
@few
def test_a_shuffle_block_has_the_shape_it_was_asked_for(cin, more, kernel, stride, squeeze, size):
    cout = cin + more
    with torch.device("meta"):
        block = shuffle_block(cin, cout, kernel=kernel, stride=stride, affine=False, squeeze=squeeze)
    out = half(size, stride)
    assert block(torch.empty(2, cin, size, size, device="meta")).shape == (2, cout, out, out)


@given(evens, kernels, st.integers(1, 8))
@few
def test_a_shuffle_block_that_keeps_shapes_works_on_half_of_the_channels(channels, kernel, size):
    """1x1, depthwise, 1x1, all of half the channels (docs/methods/hurricane.md, 1)."""
    with torch.device("meta"):
        block = shuffle_block(channels, channels, kernel=kernel, stride=1, affine=False)
    c = channels // 2
    weights = 2 * c * c + c * kernel**2
    assert count(block, (channels, size, size)) == (weights * size**2, weights)


@pytest.mark.parametrize("kernel", [0, 3, 7])
def test_half_of_the_channels_pass_untouched_and_the_other_half_is_all_that_is_seen(kernel):
    block = shuffle_block(8, 8, kernel=kernel, stride=1, affine=True).eval()
    x = torch.randn(2, 8, 5, 5)
    y = block(x)
    assert torch.equal(y[:, :4], x[:, 0::2])
    other = x.clone()
    other[:, 0::2] += 1
    assert torch.equal(block(other)[:, 4:], y[:, 4:])


@pytest.mark.parametrize(("cin", "cout", "stride"), [(8, 16, 2), (8, 12, 1), (8, 12, 2)])
def test_where_shapes_change_nothing_passes_untouched(cin, cout, stride):
    block = shuffle_block(cin, cout, kernel=3, stride=stride, affine=True).eval()
    assert isinstance(block, ShuffleBlock)
    x = torch.randn(2, cin, 6, 6)
    assert torch.equal(block(x), torch.cat([block.beside(x), block.main(x)], 1))
    assert block.beside(x).shape[1] == cin


def test_xceptions_chain_has_three_depthwise_convolutions_the_first_with_the_stride():
    block = shuffle_block(8, 12, kernel=0, stride=2, affine=True)
    depthwise = [m for m in block.main.modules() if isinstance(m, DepthwiseConv2d)]
    assert [conv.kernel_size for conv in depthwise] == [(3, 3)] * 3
    assert [conv.stride for conv in depthwise] == [(2, 2), (1, 1), (1, 1)]
    assert [m.kernel_size for m in block.beside.modules() if isinstance(m, DepthwiseConv2d)] == [(3, 3)]


def test_all_channels_but_the_first_are_worked_on_by_one_of_three_blocks():
    """What passes one block untouched is not what passes the next."""
    blocks = [ShuffleBlock(nn.Identity(), None) for _ in range(3)]
    order = nn.Sequential(*blocks)(torch.arange(8.0).view(1, 8, 1, 1)).flatten().int().tolist()
    assert sorted(order) == list(range(8))
    untouched = set(range(0, 8, 2))
    for turn in (1, 2):
        seen = nn.Sequential(*blocks[:turn])(torch.arange(8.0).view(1, 8, 1, 1)).flatten().int().tolist()
        untouched &= set(seen[0::2])
    assert untouched == {0}


def test_a_residual_adds_its_input():
    main = nn.Conv2d(4, 4, 1)
    x = torch.randn(2, 4, 3, 3)
    assert torch.equal(Residual(main)(x), x + main(x))


@pytest.mark.parametrize(("channels", "reduced"), [(16, 4), (6, 1), (2, 1)])
def test_squeeze_and_excitation_stands_last_and_reduces_to_a_quarter(channels, reduced):
    plain, squeezed = (stack_with_se([nn.Conv2d(3, channels, 1)], channels, on) for on in (False, True))
    assert len(plain) == 1
    assert isinstance(squeezed[-1], SqueezeExcite)
    extra = count(squeezed, (3, 4, 4))[1] - count(plain, (3, 4, 4))[1]
    assert extra == 2 * channels * reduced + channels + reduced


@pytest.mark.parametrize("make", [separable_block, shuffle_block])
def test_without_affine_there_are_only_convolutions(make):
    block = make(8, 12, kernel=3, stride=1, affine=False)
    assert {type(m) for m in block.modules() if list(m.parameters(recurse=False))} <= {nn.Conv2d, DepthwiseConv2d}
