"""The DARTS space: counts by hand, genotypes both ways, and codes that obey the rule of two edges a node."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from surgenas.core import moves
from surgenas.core.capabilities import Counted, SharesWeights, ThinsOut
from surgenas.core.errors import UsageError
from surgenas.spaces import space_of
from surgenas.spaces.darts import Darts
from surgenas.spaces.darts_operators import SETS
from surgenas.testing import check_space
from tests.spaces.test_genotypes import FLAT

SMALL = Darts(channels=4, layers=4, resolution=8, classes=3)
BIG = Darts(channels=36, layers=20)
V2 = (
    "Genotype(normal=[('sep_conv_3x3', 0), ('sep_conv_3x3', 1), ('sep_conv_3x3', 0), ('sep_conv_3x3', 1), "
    "('sep_conv_3x3', 1), ('skip_connect', 0), ('skip_connect', 0), ('dil_conv_3x3', 2)], "
    "normal_concat=[2, 3, 4, 5], reduce=[('max_pool_3x3', 0), ('max_pool_3x3', 1), ('skip_connect', 2), "
    "('max_pool_3x3', 1), ('max_pool_3x3', 0), ('skip_connect', 2), ('skip_connect', 2), ('max_pool_3x3', 1)], "
    "reduce_concat=[2, 3, 4, 5])"
)
seeds = st.integers(0, 2**32)


def everywhere(operator: str) -> tuple[str, ...]:
    return ("01", operator, operator) * 8


def parameters(network: torch.nn.Module) -> int:
    return sum(p.numel() for p in network.parameters())


@pytest.mark.parametrize("operators", SETS)
def test_laws(operators):
    if operators != "s4":  # noise is another each time
        check_space(Darts(channels=4, layers=3, resolution=8, classes=3, operators=operators), trials=2)


@pytest.mark.parametrize(
    ("space", "genes", "count"),
    [(BIG, everywhere("sep_conv_3x3"), 4_701_718), (BIG, FLAT, 3_812_230), (BIG, V2, 3_349_342),
     (BIG, everywhere("skip_connect"), 1_580_950), (Darts(), everywhere("sep_conv_3x3"), 411_002),
     (Darts(), everywhere("skip_connect"), 143_226)],
)  # fmt: skip
def test_networks_have_the_parameters_that_were_counted_by_hand(space, genes, count):
    """The first two also agree with what the authors of DARTS-PT print beside these genotypes (4.7 and 3.81 M)."""
    arch = space.parse(genes) if isinstance(genes, str) else space.architecture(genes)
    with torch.device("meta"):
        assert parameters(space.build(arch)) == count


@pytest.mark.parametrize(("space", "count"), [(Darts(), 1_930_618), (Darts(channels=4, layers=4), 118_742)])
def test_the_supernet_has_the_parameters_that_were_counted_by_hand(space, count):
    with torch.device("meta"):
        assert parameters(space.supernet()) == count


def test_it_has_as_many_architectures_as_the_genes_say():
    assert moves.size(Darts()) == (180 * 7**8) ** 2


def test_a_genotype_is_read_and_written():
    assert BIG.genotype(BIG.parse(FLAT)) == FLAT
    assert BIG.parse(BIG.genotype(BIG.parse(V2))) == BIG.parse(V2)


@given(seeds, st.sampled_from(list(SETS)))
@settings(max_examples=20, deadline=None)
def test_every_architecture_is_its_genotype_and_its_code(seed, operators):
    space = Darts(operators=operators)
    arch = moves.sample(space, np.random.default_rng(seed))
    assert space.parse(space.genotype(arch)) == space.parse(str(arch)) == arch
    code_LK = moves.encode(space, [arch])[0]
    assert moves.decode(space, code_LK) == arch
    assert code_LK.shape == (28, len(space.rows[0].options))
    assert (code_LK.sum(1) == 1).all()
    for kind in space.kinds():
        for node in kind:
            assert code_LK[list(node), :-1].sum() == 2, "each node reads two nodes"


def test_each_node_keeps_the_two_edges_whose_best_operators_score_most_whatever_none_scores():
    scores_LK = np.zeros((28, 8))
    scores_LK[:, -1] = 9  # none
    scores_LK[2, 3], scores_LK[4, 0] = 2, 1  # node 3 reads nodes 0, 1 and 2 by rows 2, 3 and 4
    (normal, _) = Darts().pairs(moves.decode(Darts(), scores_LK))
    assert normal[2:4] == [("sep_conv_3x3", 0), ("max_pool_3x3", 2)]
    assert normal[4:6] == [("max_pool_3x3", 0), ("max_pool_3x3", 1)], "of equal ones the first"


def test_the_dearest_and_the_cheapest_architecture_are_known_by_costs():
    macs_LK = SMALL.costs().macs
    drawn = moves.sample_many(SMALL, 300, np.random.default_rng(0))
    macs_N = SMALL.costs().macs_of(moves.encode(SMALL, drawn))
    ends = [moves.decode(SMALL, scores) for scores in (-macs_LK, macs_LK)]
    least, most = SMALL.costs().macs_of(moves.encode(SMALL, ends))
    assert least <= macs_N.min()
    assert macs_N.max() <= most


def test_the_smallest_network_by_macs_and_bytes_skips_where_it_can():
    costs = SMALL.costs()
    normal, _ = SMALL.pairs(moves.decode(SMALL, -(costs.macs + 1e-6 * costs.moved_bytes)))
    assert {operator for operator, _ in normal} == {"skip_connect"}


@pytest.mark.parametrize("resolution", [8, 16])
@pytest.mark.parametrize("stem", [1, 2])
def test_stems_halve_images(stem, resolution):
    space = Darts(channels=4, layers=3, stem=stem, resolution=resolution, classes=3)
    seen = []
    network = space.build(moves.sample(space, np.random.default_rng(0)))
    network.cells[0].register_forward_pre_hook(lambda _, inputs: seen.append(inputs[1].shape))
    assert network(torch.zeros(2, 3, resolution, resolution)).shape == (2, 3)
    assert seen[0] == (2, 12, resolution // stem, resolution // stem)


@pytest.mark.parametrize(("words", "said"), [
    ({"operators": "s5"}, "expected one of all, s1, s2, s3, s4"),
    ({"channels": 6}, "channels 6: expected a multiple of 4"),
    ({"layers": 2}, "layers 2: expected a whole number from 3"),
    ({"stem": 3}, "stem 3: expected 1, 2, 4 or 8"),
    ({"resolution": 30}, "resolution 30: expected a multiple of 4"),
])  # fmt: skip
def test_settings_that_cannot_be_are_refused_in_one_line(words, said):
    with pytest.raises(UsageError) as caught:
        Darts(**words)
    assert said in str(caught.value)


def test_a_genotype_of_another_space_is_refused_with_the_edge_that_does_not_fit():
    with pytest.raises(UsageError, match=r"its edge from node 2 to 5 of normal offers .*, not 'dil_conv_3x3'"):
        Darts(operators="s2").parse(V2)
    with pytest.raises(UsageError, match="not 'sep_conv_7x7'"):
        Darts().parse(V2.replace("dil_conv_3x3", "sep_conv_7x7"))


def test_it_is_catalogued_with_what_it_can():
    assert space_of(moves.sample(SMALL, np.random.default_rng(0))).spec == SMALL.spec
    assert all(isinstance(SMALL, ability) for ability in (Counted, SharesWeights, ThinsOut))
