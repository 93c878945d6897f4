"""Bits are chosen beside kernel and expansion: the network rounds its weights to them, and moves fewer bytes."""

from __future__ import annotations

import numpy as np

from surgenas.core import moves
from surgenas.nn.rounded import RoundedConv2d, RoundedDepthwiseConv2d
from surgenas.spaces import make_space
from surgenas.spaces.mobile_bits import MobileBits, bits_of

ROUNDED = (RoundedConv2d, RoundedDepthwiseConv2d)
SPACE = MobileBits(resolution=16, classes=10)


def test_every_operator_of_mobile_is_offered_in_4_and_8_bits():
    assert SPACE.choices[0].options[:4] == ("k3e3w4", "k3e3w8", "k3e6w4", "k3e6w8")
    assert len(SPACE.choices[0].options) == 13
    assert make_space("mobile_bits", dict(SPACE.settings)).spec == SPACE.spec


def test_layers_have_the_bits_of_their_operators_and_stem_and_head_none():
    arch = SPACE.architecture(("k3e3w4", "k5e6w8", *["skip"] * (len(SPACE.choices) - 2)))
    network = SPACE.build(arch)
    bits = [[m.bits for m in layer.modules() if isinstance(m, ROUNDED)] for layer in network.layers]
    assert bits[:3] == [[4] * 3, [8] * 3, []]
    rounded = [name for name, m in network.named_modules() if isinstance(m, ROUNDED)]
    assert all(name.startswith("layers.") for name in rounded)


def test_fewer_bits_move_fewer_bytes_and_multiply_as_often():
    costs = SPACE.costs()
    four, eight = (moves.encode(SPACE, [moves.uniform_architecture(SPACE, f"k3e6w{bits}")]) for bits in (4, 8))
    assert costs.macs_of(four) == costs.macs_of(eight)
    assert ((four - eight) * costs.moved_bytes).sum() < 0
    assert np.isfinite(costs.moved_bytes).all()


def test_bits_are_the_end_of_a_name():
    assert [bits_of(gene) for gene in ("k3e6w4", "k7e3w8")] == [4, 8]
