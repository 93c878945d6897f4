"""NAS-Bench-Macro's space: MACs and parameters of its table, its lines, its size."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from surgenas.core import moves
from surgenas.core.errors import UsageError
from surgenas.nn.cost import count
from surgenas.spaces.macro import Macro

SPACE = Macro()


@pytest.mark.parametrize(
    ("line", "macs", "params"),
    [
        ("00000000", 7_713_280, 387_882),
        ("11111111", 53_246_464, 1_588_874),
        ("22222222", 105_660_928, 2_932_586),
        ("02012100", 47_327_744, 890_666),
        ("10210021", 47_768_064, 1_811_722),
        ("21000012", 44_188_160, 1_672_234),
        ("12121212", 80_617_984, 2_330_186),
    ],
)
def test_a_network_costs_what_the_published_table_says(line, macs, params):
    with torch.device("meta"):
        assert count(SPACE.build(SPACE.parse(line)), SPACE.input_shape) == (macs, params)


def test_6561_gene_strings_of_fewer_networks():
    everything = list(moves.enumerate_all(SPACE))
    assert len(everything) == moves.size(SPACE) == 6561
    # layers 2; 4 and 5; 7 and 8 may be skipped: of each pair 9 strings are 7 networks
    assert len({SPACE.canonical(arch) for arch in everything}) == 3**4 * 7 * 7


@given(st.integers(0, 2**32))
@settings(max_examples=30, deadline=None)
def test_a_line_is_the_positions_of_the_operators(seed):
    arch = moves.sample(SPACE, np.random.default_rng(seed))
    assert SPACE.parse("".join(map(str, moves.indices(SPACE, arch)))) == arch


@pytest.mark.parametrize("text", ["", "0120", "012012012", "01201203", "0120120x", "0120 120", "-1012012"])
def test_a_line_that_is_no_architecture_says_what_is_expected(text):
    with pytest.raises(UsageError, match=f"not an architecture of macro: '{text}'; expected eight digits from 0 to 2"):
        SPACE.parse(text)


def test_a_skip_that_must_change_the_shape_is_a_convolution():
    with torch.device("meta"):
        layers = SPACE.build(moves.uniform_architecture(SPACE, "skip")).layers
    computes = [any(True for _ in layer.parameters()) for layer in layers]
    assert computes == [True, False, True, False, False, True, False, False]
