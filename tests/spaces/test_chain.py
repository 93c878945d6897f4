"""Chains: which layers can trade places, and that trading them changes no cost."""

from __future__ import annotations

from collections import Counter
from itertools import permutations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from surgenas.core import moves
from surgenas.nn.cost import count
from surgenas.spaces.chain import SKIP, ChainSpace, move_skips_last
from surgenas.spaces.macro import Macro
from surgenas.testing import Planted

layers = st.lists(st.tuples(st.sampled_from([SKIP, "a", "b"]), st.booleans()), max_size=12)
few = settings(max_examples=40, deadline=None)
SPACE = Macro(resolution=8, classes=3)


def parted(pairs: list[tuple[str, bool]]) -> tuple[list[str], list[bool]]:
    return [gene for gene, _ in pairs], [keeps for _, keeps in pairs]


@pytest.mark.parametrize(
    ("genes", "keeps_shape", "found"),
    [
        ("sab", (True, True, True), "abs"),
        ("sab", (False, True, True), "sab"),
        ("asb", (True, True, False), "asb"),
        ("sasb", (True, True, False, True), "assb"),
        ("sassb", (True, True, False, True, True), "assbs"),
        ("sss", (True, False, True), "sss"),
        ("", (), ""),
    ],
)
def test_skipped_layers_move_behind_others_as_far_as_the_shape_is_kept(genes, keeps_shape, found):
    spelt = {"s": SKIP, "a": "a", "b": "b"}
    assert move_skips_last([spelt[g] for g in genes], keeps_shape) == tuple(spelt[g] for g in found)


@given(layers)
@few
def test_nothing_is_lost_and_doing_it_twice_is_doing_it_once(pairs):
    genes, keeps = parted(pairs)
    found = move_skips_last(genes, keeps)
    assert Counter(found) == Counter(genes)
    assert move_skips_last(found, keeps) == found
    assert all(a == b for a, b, movable in zip(genes, found, keeps, strict=True) if not movable)
    assert [g for g in found if g != SKIP] == [g for g in genes if g != SKIP], "what computes keeps its order"


@given(st.lists(st.sampled_from([SKIP, "a", "b"]), min_size=1, max_size=5))
@few
def test_two_stretches_agree_exactly_where_what_computes_does(genes):
    keeps = [True] * len(genes)
    for other in set(permutations(genes)):
        same = [g for g in genes if g != SKIP] == [g for g in other if g != SKIP]
        assert (move_skips_last(genes, keeps) == move_skips_last(other, keeps)) == same


@given(st.integers(0, 2**32))
@settings(max_examples=5, deadline=None)
def test_a_canonical_architecture_costs_and_is_shaped_the_same(seed):
    arch = moves.sample(SPACE, np.random.default_rng(seed))
    with torch.device("meta"):
        one, other = SPACE.build(arch), SPACE.build(SPACE.canonical(arch))
    assert count(one, SPACE.input_shape) == count(other, SPACE.input_shape)
    computing = [[layer for layer in network.layers if not isinstance(layer, nn.Identity)] for network in (one, other)]
    assert [type(layer) for layer in computing[0]] == [type(layer) for layer in computing[1]]


def test_architectures_of_one_canonical_compute_the_same():
    """With the weights of one put into the other, layer by layer of those that compute."""
    torch.manual_seed(0)
    arch = SPACE.parse("12102001")
    one, other = SPACE.build(arch).eval(), SPACE.build(SPACE.canonical(arch)).eval()
    assert arch != SPACE.canonical(arch)
    computing = [[layer for layer in n.layers if not isinstance(layer, nn.Identity)] for n in (one, other)]
    for mine, theirs in zip(*computing, strict=True):
        theirs.load_state_dict(mine.state_dict())
    other.stem.load_state_dict(one.stem.state_dict())
    other.head.load_state_dict(one.head.state_dict())
    x = torch.randn(2, *SPACE.input_shape)
    with torch.no_grad():
        assert torch.equal(one(x), other(x))


def test_the_layers_of_a_chain_are_numbered_from_one():
    assert [choice.name for choice in Planted().choices] == [f"layer{i}" for i in range(1, 7)]


def test_a_supernet_does_not_scale_or_shift_and_a_network_does():
    def affine(network: nn.Module) -> set[bool]:
        return {m.affine for m in network.modules() if isinstance(m, nn.BatchNorm2d)}

    space: ChainSpace = Planted()
    assert affine(space.supernet()) == {False}
    assert affine(space.build(moves.uniform_architecture(space, "k3e3"))) == {True}
