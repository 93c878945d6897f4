"""Stand-ins are the first of their kind in the benchmark's order; in between they are an average over draws."""

from __future__ import annotations

import random

import numpy as np
import pytest
import torch

from surgenas.core import moves
from surgenas.predictors.messages import describe
from surgenas.predictors.simplify import describe_unfolded, of_stand_in, simplifications, stand_in
from surgenas.spaces.fbnet import FBNet
from surgenas.spaces.nasbench201 import NASBench201

SPACE = NASBench201()
COSTS = SPACE.costs()


def test_the_stand_in_is_the_first_of_its_kind_in_the_benchmarks_order():
    archs = list(moves.enumerate_all(SPACE))
    order = list(archs)
    random.Random(88).shuffle(order)
    assert order[0].genes == (
        "avg_pool_3x3", "nor_conv_1x1", "skip_connect", "nor_conv_1x1", "skip_connect", "skip_connect"
    ), "the benchmark's number 0"  # fmt: skip
    first = {}
    for arch in order:
        first.setdefault(SPACE.canonical(arch), arch)
    some = archs[::101]
    expected = moves.encode(SPACE, [first[SPACE.canonical(arch)] for arch in some])
    assert torch.equal(stand_in(COSTS, torch.from_numpy(moves.encode(SPACE, some))), torch.from_numpy(expected))


def test_looked_up_and_expected_stand_ins_of_one_hot_gates_are_equal():
    code = torch.from_numpy(np.eye(5)[np.random.default_rng(0).integers(5, size=(50, 6))])
    assert torch.equal(stand_in(COSTS, code.clone().requires_grad_()).detach(), stand_in(COSTS, code))


def test_gates_in_between_are_chances_of_a_draw():
    gates = torch.softmax(torch.randn(1, 6, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(0)), 2)
    archs = list(moves.enumerate_all(SPACE))
    code = torch.from_numpy(moves.encode(SPACE, archs)).double()
    chances = (code * gates).sum(2).prod(1)
    expected = torch.einsum("n,nlk->lk", chances, stand_in(COSTS, code))
    assert torch.allclose(stand_in(COSTS, gates)[0], expected)


@pytest.mark.parametrize("way", simplifications(COSTS)[1:])
def test_every_simplification_is_differentiable_in_between(way):
    gates = torch.rand(1, 6, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    gates = (gates / gates.sum(2, keepdim=True)).requires_grad_()
    assert torch.autograd.gradcheck(lambda g: torch.cat(list(way(COSTS, g).values()), 1)[:, ::7], gates)


def test_simplifications_are_those_that_can_differ():
    chain = FBNet().costs()
    assert simplifications(chain) == [describe]
    whole, unfolded, *stands = simplifications(COSTS)
    assert (whole, unfolded, len(stands)) == (describe, describe_unfolded, 2)
    assert all(way.func is of_stand_in for way in stands)
