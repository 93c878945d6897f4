"""What a space says of itself: which architectures are its own, and why another one is not."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from surgenas.core import moves
from surgenas.core.architecture import Architecture, Setting, SpaceSpec
from surgenas.core.errors import UsageError
from surgenas.core.pairs import Pairs
from surgenas.core.products import FACTORS, Products
from surgenas.core.space import Choice, CostTable, Space


class Tiny(Space):
    """Two choices, of two and of three options; it builds nothing."""

    name = "tiny"

    @property
    def choices(self) -> tuple[Choice, ...]:
        return (Choice("colour", ("red", "blue")), Choice("size", ("s", "m", "l")))

    @property
    def settings(self) -> dict[str, Setting]:
        return {"b": 2, "a": 0.5}

    @property
    def input_shape(self) -> tuple[int, int, int]:
        return (3, 8, 8)

    def build(self, arch: Architecture) -> nn.Module:
        raise NotImplementedError

    def supernet(self) -> nn.Module:
        raise NotImplementedError

    def costs(self) -> CostTable:
        return table(L=2, K=3)


def table(
    L: int,
    K: int,
    wiring: tuple[tuple[int, int], ...] = (),
    coupled: Products | Pairs | None = None,
    fixed: float = 0.0,
) -> CostTable:
    costs = np.arange(1.0, L * K + 1).reshape(L, K)
    return CostTable(
        costs, 2 * costs, np.zeros((L, 4)), fixed, 0.0, np.zeros((0, 4)), 0, 3 * costs, wiring, coupled=coupled
    )


SPACE = Tiny()


def test_a_space_cannot_leave_out_what_it_must_declare():
    class Half(Space):
        name = "half"

    with pytest.raises(TypeError, match="abstract"):
        Half()


def test_its_spec_is_its_name_and_its_sorted_settings():
    assert SPACE.spec == SpaceSpec("tiny", (("a", 0.5), ("b", 2)))


def test_an_architecture_of_its_options_is_given_back_as_it_is():
    arch = SPACE.architecture(("blue", "l"))
    assert SPACE.check(arch) is arch
    assert SPACE.parse("blue-l") == arch
    assert SPACE.parse(str(arch)) == arch


def test_by_default_no_two_architectures_are_the_same_network():
    everything = list(moves.enumerate_all(SPACE))
    assert len({SPACE.canonical(arch).key for arch in everything}) == len(everything) == 6


@pytest.mark.parametrize(
    ("genes", "said"),
    [
        (("green", "l"), "colour: unknown option 'green'; one of red, blue"),
        (("l", "blue"), "colour: unknown option 'l'"),
        (("blue", "xl"), "size: unknown option 'xl'; one of s, m, l"),
        (("blue",), r"tiny\(a=0.5, b=2\) has 2 choices, the architecture 1"),
        (("blue", "l", "l"), "has 2 choices, the architecture 3"),
        ((), "has 2 choices, the architecture 0"),
    ],
)
def test_genes_that_are_not_its_own_are_named(genes, said):
    with pytest.raises(UsageError, match=said):
        SPACE.architecture(genes)


@pytest.mark.parametrize("spec", [SpaceSpec("tiny"), SpaceSpec.of("huge", {"a": 0.5, "b": 2})])
def test_an_architecture_of_another_space_or_setting_is_refused(spec):
    with pytest.raises(UsageError, match=r"of another space: expected tiny\(a=0.5, b=2\), got "):
        SPACE.check(Architecture(spec, ("blue", "l")))


def test_a_chain_is_wired_one_after_the_other_and_a_graph_as_it_says():
    assert table(L=3, K=2).edges == ((0, 1), (1, 2), (2, 3))
    assert table(L=2, K=2, wiring=((0, 1), (0, 1))).edges == ((0, 1), (0, 1))


def test_every_network_takes_the_images_of_its_space_unless_that_says_otherwise():
    assert SPACE.input_of(SPACE.parse("blue-l")) == SPACE.input_shape


def test_costs_that_add_up_are_the_entries_of_the_options_taken():
    found, code = table(L=2, K=3, fixed=10.0), np.eye(3)[[[0, 2], [1, 1]]]
    assert found.adds_up
    counts_NMD = found.counts(torch.from_numpy(code))
    assert counts_NMD[:, :, 0].tolist() == [[1, 6], [2, 5]]
    assert torch.equal(counts_NMD[:, :, 1], 2 * counts_NMD[:, :, 0])
    assert torch.equal(counts_NMD[:, :, 2], 3 * counts_NMD[:, :, 0])
    assert found.macs_of(code).tolist() == [17.0, 17.0], "with what no choice touches"


def test_costs_that_multiply_are_those_of_the_products():
    """One layer of 2 x 3 channels, each halved by the first option of a choice."""
    slope = np.zeros((1, len(FACTORS), 2, 2))
    slope[0, 0, 0, 0] = slope[0, 1, 1, 0] = -0.5
    products = Products(np.array([[8.0, 4, 1, 1]]), np.ones((1, len(FACTORS))), slope, np.array([False]))
    found, code = table(L=2, K=2, coupled=products, fixed=10.0), np.eye(2)[[[0, 0], [0, 1], [1, 1]]]
    assert not found.adds_up
    assert found.counts(torch.from_numpy(code))[:, 0, 0].tolist() == [2, 4, 8]
    assert found.macs_of(code).tolist() == [12, 14, 18]


def test_costs_of_pairs_are_those_of_the_pairs():
    """Rows of 1 or 2 channels, whose convolutions cost the product of their own and the width before."""
    own, behind = np.zeros((2, 2, 3)), np.zeros((2, 2, 2, 3))
    own[0] = [[1.0] * 3, [2.0] * 3]
    behind[1] = np.array([[1, 2], [2, 4]])[..., None]
    pairs = Pairs(own, np.array([[0, 1], [0, 1]]), behind)
    found, code = table(L=2, K=2, coupled=pairs, fixed=10.0), np.eye(2)[[[0, 0], [0, 1], [1, 1]]]
    assert not found.adds_up
    assert found.macs_of(code).tolist() == [12, 13, 16]
    assert found.counts(torch.from_numpy(code))[:, :, 1].tolist() == [[1, 1], [1, 2], [2, 4]]
