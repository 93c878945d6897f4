"""A part of a space: given genes stay, moves go on, and its architectures are the whole space's."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from surgenas.core import moves
from surgenas.core.architecture import Architecture
from surgenas.core.capabilities import Counted, Named, Scalable, Selectable, SharesWeights, require
from surgenas.core.errors import UsageError
from surgenas.spaces import space_of
from surgenas.spaces.elastic import Elastic
from surgenas.spaces.macro import Macro
from surgenas.spaces.restricted import Restricted

WHOLE = Macro(resolution=8)
givens = st.dictionaries(st.integers(0, 7), st.sampled_from(Macro.OPTIONS), max_size=7)
seeds = st.integers(0, 2**32)
fast = settings(max_examples=30, deadline=None)


@given(givens, seeds)
@fast
def test_every_move_leaves_given_genes_alone(given_genes, seed):
    part, rng = Restricted(WHOLE, given_genes), np.random.default_rng(seed)
    one, other = moves.sample(part, rng), moves.sample_skewed(part, rng)
    found = [
        one, other, moves.mutate(part, one, rng), moves.mutate_each(part, one, 1.0, rng),
        moves.crossover(part, one, other, rng), *moves.neighbours(part, one), *moves.sample_many(part, 3, rng),
    ]  # fmt: skip
    assert all(arch.genes[i] == gene for arch in found for i, gene in given_genes.items())


@pytest.mark.parametrize("position", [-1, 8])
def test_a_position_that_is_not_there_is_named(position):
    with pytest.raises(UsageError, match=f"macro: no choice at position {position}; it has 8"):
        Restricted(WHOLE, {position: "skip"})


@given(givens)
@fast
def test_its_size_is_what_is_left_to_choose(given_genes):
    assert moves.size(Restricted(WHOLE, given_genes)) == 3 ** (8 - len(given_genes))


@given(givens, seeds)
@fast
def test_its_architectures_are_those_of_the_whole_space(given_genes, seed):
    part = Restricted(WHOLE, given_genes)
    arch = moves.sample(part, np.random.default_rng(seed))
    assert WHOLE.check(arch) == arch
    assert part.spec == WHOLE.spec
    assert part.canonical(arch) == WHOLE.canonical(arch)
    assert Architecture.from_json(arch.to_json()) == arch
    assert space_of(arch).settings == WHOLE.settings


def test_a_gene_that_was_not_given_is_refused_by_name():
    with pytest.raises(UsageError, match="layer3: unknown option 'skip'; one of k5e6"):
        Restricted(WHOLE, {2: "k5e6"}).parse("00000000".replace("0", "skip-").rstrip("-"))


@pytest.mark.parametrize("gene", ["k7e3", "", "SKIP"])
def test_a_gene_that_the_whole_space_has_not_cannot_be_given(gene):
    with pytest.raises(UsageError, match=f"layer3: unknown option '{gene}'"):
        Restricted(WHOLE, {0: "skip", 2: gene})


def test_nothing_given_is_the_whole_space():
    part = Restricted(WHOLE, {})
    assert part.choices == WHOLE.choices
    assert (part.name, part.settings, part.whole) == (WHOLE.name, WHOLE.settings, WHOLE)


def test_with_everything_given_there_is_one_and_it_cannot_be_mutated():
    part = Restricted(WHOLE, dict.fromkeys(range(8), "k3e3"))
    (only,) = moves.enumerate_all(part)
    assert only == moves.uniform_architecture(WHOLE, "k3e3")
    assert moves.neighbours(part, only) == []
    with pytest.raises(UsageError, match="single architecture; nothing can be mutated"):
        moves.mutate(part, only, np.random.default_rng(0))


def test_it_builds_what_the_whole_space_does():
    part, arch = Restricted(WHOLE, {0: "k3e3"}), moves.uniform_architecture(WHOLE, "k3e3")
    assert part.input_shape == WHOLE.input_shape
    assert part.build(arch).eval()(torch.zeros(2, *part.input_shape)).shape == (2, 10)
    skipping = (*arch.genes[:1], "skip", "skip", *arch.genes[3:])
    assert part.canonical(part.architecture(skipping)) == WHOLE.canonical(WHOLE.architecture(skipping))


def test_its_networks_take_the_images_that_they_take_in_the_whole_space():
    whole = Elastic(network="test_resnet", resolution=32, classes=3, inputs=2)
    part = Restricted(whole, {0: "16"})
    (arch,) = moves.sample_many(part, 1, np.random.default_rng(0))
    assert part.input_of(arch) == whole.input_of(arch) == (3, 16, 16)
    assert part.input_shape == (3, 32, 32)


@pytest.mark.parametrize("capability", [Counted, Named, Scalable, Selectable, SharesWeights])
def test_it_can_nothing_that_counts_options_as_the_whole_does(capability):
    """A fixed choice has one option here: a table or a supernet of the whole would not fit its codes."""
    with pytest.raises(UsageError, match="space 'macro': "):
        require(Restricted(WHOLE, {0: "k3e3"}), capability)
