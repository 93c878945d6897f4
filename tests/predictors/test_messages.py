"""What the graph tells: checked against a walk through the cell, on one-hot gates; a polynomial in between."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from surgenas.core import moves
from surgenas.core.products import FACTORS, Products
from surgenas.core.space import CostTable
from surgenas.predictors.messages import describe, flow
from surgenas.spaces.fbnet import FBNet
from surgenas.spaces.nasbench201 import WIRING, NASBench201

SPACE = NASBench201()


def walk(genes, start, forward):
    """Nodes that data from `start` gets to (or comes from), one edge at a time."""
    seen, front = {start}, [start]
    while front:
        node = front.pop()
        for gene, (source, target) in zip(genes, WIRING, strict=True):
            here, there = (source, target) if forward else (target, source)
            if here == node and gene != "none" and there not in seen:
                seen.add(there)
                front.append(there)
    return seen


def test_flow_is_what_a_walk_finds():
    archs = list(moves.enumerate_all(SPACE))[::37]
    code = torch.from_numpy(moves.encode(SPACE, archs))
    passes, fed, used = flow(SPACE.costs(), code)
    for n, arch in enumerate(archs):
        reached, needed = walk(arch.genes, 0, True), walk(arch.genes, 3, False)
        assert fed[n].tolist() == [float(source in reached) for source, _ in WIRING]
        assert used[n].tolist() == [float(target in needed) for _, target in WIRING]
        assert passes[n].tolist() == [float(gene != "none") for gene in arch.genes]


def test_counts_are_of_layers_that_add_up():
    arch = SPACE.parse("|nor_conv_1x1~0|+|none~0|skip_connect~1|+|nor_conv_3x3~0|none~1|skip_connect~2|")
    groups = describe(SPACE.costs(), torch.from_numpy(moves.encode(SPACE, [arch])))
    #  by node: 0, 1 | 0, 1, 2 | 0, 1, 2, 3 layers
    assert groups["inputs"][0].tolist() == [0, 1, 0, 1, 0, 0, 0, 1, 0]


def test_dead_layers_are_not_live_but_built():
    arch = SPACE.parse("|nor_conv_3x3~0|+|none~0|none~1|+|nor_conv_1x1~0|none~1|none~2|")
    groups = describe(SPACE.costs(), torch.from_numpy(moves.encode(SPACE, [arch])))
    conv = 3  # the 3x3 convolution on the first edge, whose result nobody uses
    assert [float(groups[name][0, conv]) for name in ("built", "fed", "used", "live", "kept")] == [1, 1, 0, 0, 1]


def test_a_chain_without_a_nothing_has_no_dead_layers():
    space = FBNet()
    code = torch.from_numpy(moves.encode(space, [moves.sample(space, np.random.default_rng(0))]))
    assert set(describe(space.costs(), code)) == {"built", "totals"}


def test_it_is_differentiable_in_between():
    gates = torch.rand(1, 6, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(0)).requires_grad_()
    gates_sum = torch.autograd.gradcheck(lambda g: torch.cat(list(describe(SPACE.costs(), g).values()), 1), gates)
    assert gates_sum
    with torch.no_grad():
        chances = describe(SPACE.costs(), torch.softmax(gates, 2))["inputs"]
    assert chances[:, :2].sum(1) == pytest.approx(1.0)


def products() -> CostTable:
    """Two layers of two widths each, and between them a width that both share; the second computes most."""
    slope = np.zeros((2, len(FACTORS), 3, 2))
    for layer, (writes, reads) in enumerate([(1, 0), (2, 1)]):
        slope[layer, 0, writes, 0] = slope[layer, 1, reads, 0] = -0.5
    largest = np.array([[100.0, 10, 20, 30], [400.0, 40, 30, 10]])
    made = Products(largest, np.ones((2, len(FACTORS))), slope, np.zeros(2, dtype=bool))
    zeros = np.zeros((3, 2))
    return CostTable(zeros, zeros, np.zeros((3, 4)), 0.0, 0.0, np.zeros((0, 4)), 0, zeros, coupled=made)


def test_where_costs_multiply_every_layer_is_told_relative_to_the_largest():
    code = torch.eye(2, dtype=torch.float64)[torch.tensor([[1, 1, 1], [1, 0, 1], [0, 0, 0]])]
    groups = describe(products(), code)
    assert set(groups) == {"built", "macs", "params", "moved", "totals"}
    assert torch.equal(groups["built"], code.flatten(1))
    assert groups["macs"].tolist() == [[0.25, 1.0], [0.125, 0.5], [0.0625, 0.25]]
    assert groups["params"].tolist() == [[0.25, 1.0], [0.125, 0.5], [0.0625, 0.25]]
    assert groups["moved"][0].tolist() == [60 / 80, 1.0]
    assert groups["totals"][0].tolist() == [1.25, 1.25, 1.75]


def test_where_costs_multiply_it_is_differentiable_too():
    gates = torch.rand(2, 3, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0)).requires_grad_()
    assert torch.autograd.gradcheck(lambda g: torch.cat(list(describe(products(), g).values()), 1), gates)
