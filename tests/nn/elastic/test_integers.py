"""Modules say the smaller sizes while a call lasts, and their own again afterwards, whatever happens."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from surgenas.nn.elastic.integers import Changes, Off, copied, integers_of
from surgenas.nn.elastic.structure import Shape, Structure
from surgenas.nn.elastic.tracing import trace

NOTHING = Structure((), (), (), {})


@pytest.mark.parametrize(("module", "weight", "expected"), [
    (nn.Conv2d(6, 8, 3), (4, 2, 3, 3), {"out_channels": 4, "in_channels": 2, "groups": 1}),
    (nn.Conv2d(6, 6, 3, groups=6), (4, 1, 3, 3), {"out_channels": 4, "in_channels": 4, "groups": 4}),
    (nn.Conv2d(8, 16, 1, groups=4), (8, 2, 1, 1), {"out_channels": 8, "in_channels": 4, "groups": 2}),
    (nn.Linear(6, 8), (4, 2), {"out_features": 4, "in_features": 2}),
    (nn.BatchNorm2d(6), (4,), {"num_features": 4}),
    (nn.LayerNorm(6), (4,), {"normalized_shape": (4,)}),
    (nn.RMSNorm(6), (4,), {"normalized_shape": (4,)}),
    (nn.GroupNorm(3, 6), (4,), {"num_channels": 4, "num_groups": 2}),
    (nn.GroupNorm(1, 6), (4,), {"num_channels": 4, "num_groups": 1}),
    (nn.PReLU(6), (4,), {"num_parameters": 4}),
])  # fmt: skip
def test_layers_know_their_sizes(module, weight, expected):
    network = nn.Sequential(module)
    found = integers_of(network, NOTHING, Shape(), {"0.weight": torch.zeros(weight)})
    assert found == {"0": expected}
    assert all(hasattr(module, name) for name in expected)


@pytest.mark.parametrize(("conv", "padding"), [
    (nn.Conv2d(2, 2, 7, padding=3, groups=2), (1, 1)),
    (nn.Conv2d(2, 2, 7, padding=6, dilation=2, groups=2), (2, 2)),
    (nn.Conv2d(2, 2, 7, padding="same", groups=2), None),
])  # fmt: skip
def test_a_smaller_kernel_needs_less_padding(conv, padding):
    found = integers_of(nn.Sequential(conv), NOTHING, Shape(kernels={"0": 3}), {})
    assert found["0"] == {"kernel_size": (3, 3)} | ({"padding": padding} if padding else {})


def test_an_attention_knows_its_heads(make):
    network = make("attention")
    network.attention.attn_dim = 8  # as timm's: channels of all heads
    structure = trace(network, torch.randn(1, 3, 8, 8), 2)
    found = integers_of(network, structure, Shape({"attention.qkv": 3}), {})
    assert found == {"attention": {"attn_dim": 6, "num_heads": 3}}


def test_a_patch_lasts_as_long_as_the_call(make):
    network = make("residual")
    conv, block, x = network[0][0], network[1], torch.randn(1, 8, 4, 4)
    block.attention_bias_cache = copies = {"cpu": x}
    whole = block(x)
    changes = Changes(network, {"0.0": {"out_channels": 2}}, ("1",))
    with changes.made():
        assert conv.out_channels == 2
        assert block(x, "more") is x
        assert block.attention_bias_cache == {}
        block.attention_bias_cache["cpu"] = x
    with changes.made():
        assert block.attention_bias_cache == {}
    assert conv.out_channels == 8
    assert "forward" not in vars(block)
    assert torch.equal(block(x), whole)
    assert block.attention_bias_cache is copies
    assert copied(network)[1].attention_bias_cache == {}
    assert block.attention_bias_cache == {}


def test_a_patch_ends_with_a_call_that_fails(make):
    network = make("chain")
    with pytest.raises(RuntimeError, match="expected input"), Changes(network, {"0.0": {"groups": 1}}).made():
        network(torch.randn(1, 4, 8, 8))
    with pytest.raises(AttributeError):
        Changes(network, {"0.0": {"out_channels": 2}, "none": {"out_channels": 2}})
    assert network[0][0].out_channels == 8


def test_a_block_that_is_off_hands_on_what_it_is_given():
    x = torch.randn(2)
    assert Off()(x, 1, mask=None) is x
    assert not list(Off().parameters())
