"""FBNet's space for small images: its shapes, its blocks by formula, and how its table writes an architecture."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from surgenas.core import moves
from surgenas.core.errors import UsageError
from surgenas.hardware.onnx_file import run_unoptimised, to_onnx
from surgenas.nn.cost import count, layer_costs
from surgenas.spaces.fbnet import OPERATORS, FBNet

SPACE = FBNet(resolution=32)
seeds = st.integers(0, 2**32)


def test_22_layers_of_9_operators_the_last_of_which_skips():
    assert [len(choice.options) for choice in SPACE.choices] == [9] * 22
    assert SPACE.choices[0].options == (*OPERATORS, "skip")
    assert moves.size(SPACE) == 9**22


def test_the_layers_follow_each_other_and_make_an_eighth_of_the_image():
    """Stem and second stage of stride 1 on CIFAR-100."""
    assert SPACE.SHAPES[0][0] == 16
    assert SPACE.SHAPES[-1][1] == 352
    for (_, cout, _), (cin, _, _) in pairwise(SPACE.SHAPES):
        assert cout == cin
    assert [i for i, (_, _, stride) in enumerate(SPACE.SHAPES) if stride == 2] == [5, 9, 17]


@given(st.integers(0, 21), st.sampled_from(list(OPERATORS)))
@settings(max_examples=25, deadline=None)
def test_an_operator_costs_what_its_formula_says(layer, gene):
    cin, cout, stride = SPACE.SHAPES[layer]
    kernel, expand, groups = OPERATORS[gene]
    inner = cin * expand
    with torch.device("meta"):
        block = SPACE.operator(gene, cin, cout, stride, affine=False)
    one, out = 8 * 8, (8 // stride) ** 2
    wide, narrow = cin * inner // groups, inner * cout // groups
    assert count(block, (cin, 8, 8)) == (
        wide * one + (inner * kernel**2 + narrow) * out,
        wide + inner * kernel**2 + narrow,
    )


@pytest.mark.parametrize("gene", OPERATORS)
def test_the_input_is_added_where_shapes_allow_it(gene):
    x = torch.randn(2, 16, 6, 6)
    same, wider = (SPACE.operator(gene, 16, cout, 1, affine=True).eval() for cout in (16, 24))
    for block in (same, wider):
        *_, last = (m for m in block.modules() if isinstance(m, nn.BatchNorm2d))
        nn.init.zeros_(last.weight)
    assert torch.equal(same(x), x)
    assert not wider(x).any()


def test_groups_exchange_channels():
    """Two groups: without the shuffle the first half of the result could not know of the second half of the input."""
    block = SPACE.operator("k3_e1_g2", 16, 24, 1, affine=True).eval()
    x = torch.randn(1, 16, 6, 6, requires_grad=True)
    block(x)[:, :12].sum().backward()
    assert (x.grad[:, 8:] != 0).any()
    assert (x.grad[:, :8] != 0).any()


def test_a_skip_computes_nothing_but_where_it_must():
    kept = [isinstance(SPACE.operator("skip", *shape, affine=True), nn.Identity) for shape in SPACE.SHAPES]
    assert kept == [(cin, stride) == (cout, 1) for cin, cout, stride in SPACE.SHAPES]
    assert sum(kept) == 16


def test_stem_and_head_are_as_published():
    with torch.device("meta"):
        network = SPACE.build(moves.uniform_architecture(SPACE, "skip"))
    rows = layer_costs([("stem", network.stem), ("layers", network.layers), ("head", network.head)], SPACE.input_shape)
    assert [row.out_shape for row in rows] == [(16, 32, 32), (352, 4, 4), (100,)]
    assert rows[0].params == 3 * 16 * 9 + 2 * 16
    assert rows[2].params == 352 * 1504 + 2 * 1504 + 1504 * 100 + 100


@given(seeds)
@settings(max_examples=30, deadline=None)
def test_a_line_of_its_table_is_the_positions_of_the_operators(seed):
    arch = moves.sample(SPACE, np.random.default_rng(seed))
    assert SPACE.parse("_".join(map(str, moves.indices(SPACE, arch)))) == arch


def test_a_published_line_is_read():
    arch = SPACE.parse("7_8_1_8_4_8_8_8_7_4_1_4_7_3_2_7_3_2_4_2_4_5")
    assert arch.genes[:4] == ("k5_e6", "skip", "k3_e1_g2", "skip")
    assert arch.genes[-1] == "k5_e1_g2"


@pytest.mark.parametrize("text", ["", "a_b", "_".join(["9"] * 22), "_".join(["-1"] * 22), "1.0_2"])
def test_a_line_that_is_no_architecture_says_what_is_expected(text):
    with pytest.raises(UsageError, match=r"architecture of fbnet: .*expected 22 numbers from 0 to 8 joined by _"):
        SPACE.parse(text)


def test_a_line_of_too_few_layers_says_how_many_there_are():
    with pytest.raises(UsageError, match="has 22 choices, the architecture 3"):
        SPACE.parse("1_2_3")


@pytest.mark.parametrize("gene", ["k3_e1_g2", "k5_e6"])
def test_a_network_leaves_pytorch_as_onnx_with_an_open_batch(gene):
    """torch's own channel shuffle cannot."""
    network = SPACE.build(moves.uniform_architecture(SPACE, gene)).eval()
    images = torch.randn(2, *SPACE.input_shape)
    for batch in (2, None):
        found = run_unoptimised(to_onnx(network, SPACE.input_shape, batch=batch), images.numpy())
        with torch.no_grad():
            assert np.allclose(found, network(images).numpy(), atol=1e-4)


def test_groups_are_shuffled_as_by_torch():
    x = torch.randn(2, 16, 4, 4)
    block = SPACE.operator("k3_e1_g2", 16, 24, 1, affine=True).eval()
    one, _, *rest = block.layers
    with torch.no_grad():
        assert torch.equal(block(x), nn.Sequential(one, nn.ChannelShuffle(2), *rest)(x))
