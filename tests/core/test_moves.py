"""Laws of what is derived from declared choices, on random inputs."""

from __future__ import annotations

import json
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from surgenas.core import moves
from surgenas.core.architecture import Architecture, SpaceSpec
from surgenas.core.errors import UsageError
from surgenas.spaces.mobile import Mobile
from surgenas.testing import Planted

SPACES = [Planted(), Mobile(layout="small", resolution=32, classes=10)]
spaces = st.sampled_from(SPACES)
seeds = st.integers(0, 2**32)


@given(spaces, seeds)
def test_json_and_codes_round_trip(space, seed):
    arch = moves.sample(space, np.random.default_rng(seed))
    assert Architecture.from_json(arch.to_json()) == arch
    assert hash(Architecture.from_json(arch.to_json())) == hash(arch)
    assert moves.decode(space, moves.encode(space, [arch])[0]) == arch
    assert moves.from_indices(space, moves.indices(space, arch)) == arch


@given(spaces, seeds)
def test_a_mutation_changes_exactly_one_choice(space, seed):
    rng = np.random.default_rng(seed)
    arch = moves.sample(space, rng)
    child = moves.mutate(space, arch, rng)
    assert sum(a != b for a, b in zip(arch.genes, child.genes, strict=True)) == 1
    assert child in moves.neighbours(space, arch)


@given(spaces, seeds)
def test_crossover_takes_every_gene_from_a_parent(space, seed):
    rng = np.random.default_rng(seed)
    left, right = moves.sample(space, rng), moves.sample(space, rng)
    child = moves.crossover(space, left, right, rng)
    assert all(c in (a, b) for a, b, c in zip(left.genes, right.genes, child.genes, strict=True))


def test_neighbours_are_all_different_and_counted():
    space = Planted()
    arch = moves.uniform_architecture(space, "k3e3")
    found = moves.neighbours(space, arch)
    assert len(set(found)) == len(found) == sum(len(c.options) - 1 for c in space.choices)


def test_size_is_what_enumeration_counts():
    space = Planted()
    assert sum(1 for _ in moves.enumerate_all(space)) == moves.size(space) == 4**6


def test_sampling_is_uniform():
    space, rng = Planted(), np.random.default_rng(0)
    genes = Counter(gene for _ in range(4000) for gene in moves.sample(space, rng).genes)
    assert stats.chisquare(list(genes.values())).pvalue > 1e-3


def test_skewed_samples_spread_wider_in_cost():
    space, rng = SPACES[1], np.random.default_rng(0)
    macs = space.costs().macs

    def spread(draw):
        return np.std([(moves.encode(space, [draw(space, rng)])[0] * macs).sum() for _ in range(200)])

    assert spread(moves.sample_skewed) > 1.3 * spread(moves.sample)


@given(seeds)
@settings(max_examples=50)
def test_canonical_moves_skips_only_where_layers_are_alike(seed):
    space = SPACES[1]
    arch = moves.sample(space, np.random.default_rng(seed))
    canonical = space.canonical(arch)
    assert space.canonical(canonical) == canonical
    assert Counter(canonical.genes) == Counter(arch.genes)
    for slot, before, after in zip(space.slots, arch.genes, canonical.genes, strict=True):
        assert slot.is_identity or before == after


def test_equal_networks_share_a_key_and_different_ones_do_not():
    space = SPACES[1]
    genes = ["k3e3"] * 11
    one, two, three = list(genes), list(genes), list(genes)
    one[3], two[4], three[3] = "skip", "skip", "k5e3"  # layers 2 and 3 of stage 2
    keys = [moves.canonical_key(space, space.architecture(tuple(g))) for g in (one, two, three)]
    assert keys[0] == keys[1] != keys[2]


@pytest.mark.parametrize(
    ("record", "named"),
    [
        ({}, "format"),
        ([], "the file"),
        ({"format": "other/1", "space": {"name": "mobile"}, "genes": ["a"]}, "format"),
        ({"format": "surgenas.architecture/1", "space": {"name": "mobile"}, "genes": []}, "genes"),
        ({"format": "surgenas.architecture/1", "space": {}, "genes": ["a"]}, "space.name"),
        ({"format": "surgenas.architecture/1", "space": {"name": "mobile"}, "genes": [1]}, "genes"),
        ({"format": "surgenas.architecture/1", "space": {"name": "m"}, "genes": ["a"], "x": 1}, "x"),
    ],
)
def test_a_bad_record_is_refused_by_field(record, named):
    with pytest.raises(UsageError, match=named):
        Architecture.from_dict(record)


def test_text_that_is_not_json_is_refused():
    with pytest.raises(UsageError, match="not JSON"):
        Architecture.from_json("{")


def test_another_space_is_refused():
    arch = moves.sample(Planted(), np.random.default_rng(0))
    with pytest.raises(UsageError, match="another space"):
        SPACES[1].check(arch)
    with pytest.raises(UsageError, match="unknown option"):
        Planted().architecture(("k9e9",) * 6)
    assert json.loads(arch.to_json())["space"] == {"name": "planted"}
    assert str(SpaceSpec.of("a", {"b": 1})) == "a(b=1)"
