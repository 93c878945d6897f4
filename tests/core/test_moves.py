"""Laws of what is derived from declared choices, on random inputs."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from surgenas.core import moves
from surgenas.core.architecture import Architecture
from surgenas.core.errors import UsageError
from surgenas.spaces.concat import Concat
from surgenas.spaces.mobile import Mobile
from surgenas.spaces.restricted import Restricted
from surgenas.spaces.single_path import SinglePath
from surgenas.testing import Planted

SPACES = [Planted(), Mobile(layout="small", resolution=32, classes=10)]
spaces = st.sampled_from(SPACES)
seeds = st.integers(0, 2**32)
few = settings(max_examples=25, deadline=None)


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


@given(spaces, seeds)
def test_what_is_taken_in_a_part_is_said_by_its_choice(space, seed):
    arch = moves.sample(space, np.random.default_rng(seed))
    assert tuple(moves.taken_in(space, arch, choice.name) for choice in space.choices) == arch.genes
    assert moves.taken_in(space, arch, "head") == "fixed"


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


@pytest.mark.parametrize("space", [SPACES[1], Restricted(SPACES[1], {0: "skip"})], ids=["whole", "restricted"])
def test_a_skewed_sample_is_what_choices_by_its_preferences_draw(space):
    """By numpy's own choice, one option after the other."""
    for seed in range(50):
        one, other = np.random.default_rng(seed), np.random.default_rng(seed)
        taste = {n: one.dirichlet([0.7] * n) for n in {len(choice.options) for choice in space.choices}}
        genes = tuple(str(one.choice(c.options, p=taste[len(c.options)])) for c in space.choices)
        assert moves.sample_skewed(space, other).genes == genes
        assert one.random() == other.random(), "as many draws"


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


@given(spaces, seeds, st.integers(0, 40))
@few
def test_samples_are_of_the_space_and_as_many_as_asked(space, seed, count):
    found = moves.sample_many(space, count, np.random.default_rng(seed))
    assert [space.check(arch) for arch in found] == found
    assert len(found) == count


def test_many_samples_at_once_are_spread_as_single_ones_are():
    """Two implementations of one idea, compared by how often each option comes up."""
    space = Planted()
    at_once = Counter(gene for arch in moves.sample_many(space, 4000, np.random.default_rng(0)) for gene in arch.genes)
    rng = np.random.default_rng(1)
    singly = Counter(gene for _ in range(4000) for gene in moves.sample(space, rng).genes)
    both = [[counts[name] for name in Planted.OPTIONS] for counts in (at_once, singly)]
    assert stats.chisquare(both[0]).pvalue > 1e-3
    assert stats.chi2_contingency(both).pvalue > 1e-3


def test_a_mutation_reaches_every_neighbour_and_no_one_else():
    space, rng = Restricted(Planted(), {1: "k3e3", 4: "bad"}), np.random.default_rng(0)
    arch = moves.sample(space, rng)
    found = Counter(moves.mutate(space, arch, rng) for _ in range(1200))
    assert set(found) == set(moves.neighbours(space, arch))
    assert stats.chisquare(list(found.values())).pvalue > 1e-3


@given(spaces, seeds, st.sampled_from([0.0, 1.0]))
@few
def test_mutating_each_choice_never_or_always(space, seed, rate):
    """At rate 1 it is a fresh sample; at rate 0 it is what it was."""
    rng = np.random.default_rng(seed)
    arch = moves.sample(space, rng)
    child = moves.mutate_each(space, arch, rate, rng)
    assert space.check(child) == child
    assert rate == 1.0 or child == arch


def test_mutating_each_choice_changes_as_many_as_the_rate_says():
    space, rng = Planted(), np.random.default_rng(0)
    arch = moves.uniform_architecture(space, "bad")
    children = [moves.mutate_each(space, arch, 0.4, rng) for _ in range(2000)]
    changed = np.mean([[gene != "bad" for gene in child.genes] for child in children])
    assert changed == pytest.approx(0.4 * 3 / 4, abs=0.02), "one of four draws what it was"


@given(spaces, seeds)
@few
def test_crossover_of_an_architecture_with_itself_is_itself(space, seed):
    rng = np.random.default_rng(seed)
    arch = moves.sample(space, rng)
    assert moves.crossover(space, arch, arch, rng) == arch


@given(spaces, seeds, st.integers(0, 12))
@few
def test_codes_of_many_are_those_of_each(space, seed, count):
    archs = moves.sample_many(space, count, np.random.default_rng(seed))
    code_NLK = moves.encode(space, archs)
    assert code_NLK.shape == (count, len(space.choices), max(len(c.options) for c in space.choices))
    assert (code_NLK.sum(2) == 1).all()
    assert [moves.decode(space, code_LK) for code_LK in code_NLK] == moves.decode_many(space, code_NLK) == archs
    assert [tuple(code_LK.argmax(1)) for code_LK in code_NLK] == [moves.indices(space, arch) for arch in archs]


def test_decoding_takes_the_largest_score_among_the_options_that_there_are():
    """A score in a column that is no option of a layer counts for nothing."""
    space = SinglePath(layout="small", resolution=16, classes=10)
    scores_LK = np.tile([0.1, 0.4, 0.2, 0.3, 9.0], (11, 1))
    found = moves.decode(space, scores_LK).genes
    assert [arch.genes for arch in moves.decode_many(space, scores_LK[None])] == [found]
    assert found == tuple("skip" if slot.is_identity else "k3e6" for slot in space.slots)
    assert set(found) == {"skip", "k3e6"}


def test_enumeration_is_in_the_order_of_the_options():
    part = Restricted(Planted(), dict.fromkeys(range(4), "bad"))
    tails = [moves.indices(part, arch)[4:] for arch in moves.enumerate_all(part)]
    assert tails == [(i, j) for i in range(4) for j in range(4)]


def test_the_same_stream_draws_the_same_architectures():
    draws = (moves.sample, moves.sample_skewed, lambda space, rng: moves.sample_many(space, 2, rng))
    for draw in draws:
        one, other = (draw(Planted(), np.random.default_rng(5)) for _ in range(2))
        assert one == other


def test_an_option_that_a_layer_does_not_have_cannot_be_uniform():
    with pytest.raises(UsageError, match="layer1: unknown option 'k9e9'; one of k3e3, bad, k5e3, k3e6"):
        moves.uniform_architecture(Planted(), "k9e9")


def test_a_key_is_asked_of_the_space_that_the_architecture_names():
    with pytest.raises(UsageError, match="another space"):
        moves.canonical_key(SPACES[1], moves.uniform_architecture(Planted(), "bad"))


def test_what_a_choice_offers_is_what_its_codes_can_say():
    """Also where choices have unequally many options."""
    space = SinglePath(layout="small", resolution=16, classes=10)
    there_LK = space.offered
    assert there_LK.sum(1).tolist() == [len(choice.options) for choice in space.choices]
    assert there_LK.shape[1] == max(len(choice.options) for choice in space.choices)
    code_NLK = moves.encode(space, moves.sample_many(space, 300, np.random.default_rng(0)))
    assert (code_NLK.any(0) == there_LK).all()
    assert len({len(choice.options) for choice in space.choices}) > 1


def test_what_is_taken_goes_by_the_names_of_the_rows_where_those_are_no_choices():
    space = Concat(cells=2, widths="4,8", depths="3,4", links="0,9")
    arch = space.parse("4-3-9-8-4-0")
    assert [moves.taken_in(space, arch, part) for part in ("stem", "cell1", "cell2")] == ["fixed", "w4d3t9", "w8d4t0"]
