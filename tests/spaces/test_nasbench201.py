"""NAS-Bench-201's cells: published counts and costs, which cells are the same, and what nothing does."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from surgenas.core import moves
from surgenas.core.architecture import Architecture
from surgenas.core.errors import UsageError
from surgenas.nn.cells import Cell
from surgenas.nn.cost import count
from surgenas.spaces.nasbench201 import OPERATORS, WIRING, NASBench201
from surgenas.testing import check_space

SPACE = NASBench201()
SMALL = NASBench201(resolution=8, classes=3)
seeds = st.integers(0, 2**32)


def line(arch: Architecture) -> str:
    """As the benchmark writes it."""
    ops = iter(arch.genes)
    return "+".join("|" + "".join(f"{next(ops)}~{source}|" for source in range(node)) for node in (1, 2, 3))


def test_laws():
    check_space(SMALL, trials=2)


def test_it_has_its_published_counts():
    """15,625 cells, 6,466 of them different (Dong & Yang 2020)."""
    everything = list(moves.enumerate_all(SPACE))
    assert len(everything) == moves.size(SPACE) == 15625
    assert len({SPACE.canonical(arch) for arch in everything}) == 6466


@pytest.mark.parametrize(
    ("operator", "mmacs", "params"),
    [("nor_conv_3x3", 220.12, 1_531_546), ("skip_connect", 7.78, 73_306), ("avg_pool_3x3", 7.78, 73_306)],
)
def test_uniform_cells_cost_what_is_published(operator, mmacs, params):
    """On CIFAR-10, a multiply and an add as one (NATS-Bench)."""
    with torch.device("meta"):
        found = count(SPACE.build(moves.uniform_architecture(SPACE, operator)), SPACE.input_shape)
    assert found[0] / 1e6 == pytest.approx(mmacs, abs=0.01)
    assert found[1] == params


@given(seeds)
@settings(max_examples=30, deadline=None)
def test_a_line_of_the_benchmark_is_read_as_it_is_written(seed):
    arch = moves.sample(SPACE, np.random.default_rng(seed))
    assert SPACE.parse(line(arch)) == SPACE.parse(f"  {line(arch)}\n") == arch


@pytest.mark.parametrize("text", ["", "nonsense", "|none~0|+|none~0|none~1|", "none-none-none-none-none-none",
                                  "|none~1|+|none~0|none~1|+|none~0|none~1|none~2|"])  # fmt: skip
def test_a_line_that_is_no_cell_says_what_is_expected(text):
    with pytest.raises(UsageError, match=r"not an architecture of nasbench201: .*expected \|op~0\|\+\|op~0\|op~1\|"):
        SPACE.parse(text)


def test_an_operator_that_there_is_not_is_named_with_its_edge():
    with pytest.raises(UsageError, match="edge0to1: unknown option 'nor_conv_5x5'; one of none, skip_connect"):
        SPACE.parse("|nor_conv_5x5~0|+|none~0|none~1|+|none~0|none~1|none~2|")


@cache
def operator(gene: str) -> nn.Module:
    """One of each kind, the same wherever it stands."""
    torch.manual_seed(OPERATORS.index(gene))
    network = SMALL.build(moves.uniform_architecture(SMALL, gene)).double().eval()
    cell = next(part for part in network.parts if isinstance(part, Cell))
    return cell.edges[0]


def computed(arch: Architecture, x: Tensor) -> Tensor:
    """What a cell makes of x where equal operators have equal weights, so that only the graph tells cells apart."""
    with torch.no_grad():
        return Cell([operator(gene) for gene in arch.genes], WIRING)(x)


IMAGES = torch.randn(2, 16, 5, 5, dtype=torch.double, generator=torch.Generator().manual_seed(0))


@given(seeds)
@settings(max_examples=40, deadline=None)
def test_cells_of_one_canonical_compute_the_same(seed):
    arch = moves.sample(SPACE, np.random.default_rng(seed))
    canonical = SPACE.canonical(arch)
    assert SPACE.canonical(canonical) == canonical
    assert torch.allclose(computed(arch, IMAGES), computed(canonical, IMAGES), atol=1e-12)


def test_the_canonical_cell_is_the_first_of_its_kind():
    rng = np.random.default_rng(0)
    for arch in moves.sample_many(SPACE, 200, rng):
        assert moves.indices(SPACE, SPACE.canonical(arch)) <= moves.indices(SPACE, arch)


def test_equal_cells_that_the_benchmark_counts_twice_are_counted_twice():
    """Nodes 1 and 2 trade places: the same sum of two branches, but one of them is written with a nothing in it."""
    first, second = (
        SPACE.architecture((one, other, "none", "none", "skip_connect", "skip_connect"))
        for one, other in (("nor_conv_3x3", "nor_conv_1x1"), ("nor_conv_1x1", "nor_conv_3x3"))
    )
    assert torch.allclose(computed(first, IMAGES), computed(second, IMAGES))
    assert moves.canonical_key(SPACE, first) != moves.canonical_key(SPACE, second)


def test_a_convolution_of_an_identity_is_one_of_the_input():
    """And what is computed for nobody does not matter."""
    first, second, third = (
        SPACE.architecture(("skip_connect", dead, "none", direct, behind, "none"))
        for dead, direct, behind in (
            ("none", "nor_conv_3x3", "none"),
            ("avg_pool_3x3", "nor_conv_3x3", "none"),
            ("none", "none", "nor_conv_3x3"),
        )
    )
    assert moves.canonical_key(SPACE, first) == moves.canonical_key(SPACE, second) == moves.canonical_key(SPACE, third)


def test_whatever_is_done_to_nothing_is_nothing():
    for gene in OPERATORS:
        dead = SPACE.architecture(("none", "nor_conv_1x1", gene, "none", gene, "nor_conv_3x3"))
        plain = SPACE.architecture(("none", "nor_conv_1x1", "none", "none", "none", "nor_conv_3x3"))
        assert SPACE.canonical(dead) == SPACE.canonical(plain)
        assert torch.equal(computed(dead, IMAGES), computed(plain, IMAGES))


def test_pooling_counts_no_padding_and_nothing_passes_zeros():
    ones = torch.ones(1, 16, 4, 4, dtype=torch.double)
    assert torch.allclose(operator("avg_pool_3x3")(ones), ones)
    assert torch.equal(operator("skip_connect")(ones), ones)
    assert not operator("none")(ones).any()


def test_its_costs_are_those_of_all_fifteen_cells():
    costs = SPACE.costs()
    convs = sum(5 * width * width for width in (16, 32, 64))
    norms = sum(5 * 2 * width for width in (16, 32, 64))
    assert costs.params[0].tolist() == [0, 0, convs + norms, 9 * convs + norms, 0]
    assert (costs.params == costs.params[0]).all()
    assert costs.nothing == (0,)
    assert costs.edges == WIRING
