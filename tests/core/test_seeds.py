"""Streams of random numbers: the same for one seed and place on every machine, different for any other."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.random import default_rng

from surgenas.core.seeds import derive, generator

seeds = st.integers(-(2**70), 2**70)
parts = st.one_of(st.integers(0, 10**6), st.text("abcdefgh-_ ", min_size=1, max_size=8))
places = st.lists(parts, max_size=4).map(tuple)
fast = settings(max_examples=40, deadline=None)


@given(seeds, places)
@fast
def test_a_seed_fits_torch_and_numpy(seed, place):
    assert 0 <= derive(seed, *place) < 2**63


@given(seeds, places, seeds, places)
@fast
def test_seeds_agree_exactly_where_run_and_place_do(seed, place, other_seed, other_place):
    same = (seed, *map(str, place)) == (other_seed, *map(str, other_place))
    assert (derive(seed, *place) == derive(other_seed, *other_place)) == same


def test_numbers_are_those_of_every_run_before():
    """Fixed: a resumed run must draw what the interrupted one would have drawn, also after an update."""
    assert derive(0) == 3456079177858693020
    assert derive(7, "train-epoch", 3, 0) == 4939881350974518536
    assert derive(0, "a", 1) != derive(0, "a1") != derive(0, 1, "a")


@given(seeds, places)
@fast
def test_a_generator_is_that_of_its_seed(seed, place):
    assert generator(seed, *place).random(3).tolist() == default_rng(derive(seed, *place)).random(3).tolist()


def test_asking_does_not_change_what_is_drawn_elsewhere():
    alone = generator(1, "a").random(4).tolist()
    generator(1, "b").random(100)
    assert generator(1, "a").random(4).tolist() == alone
    assert generator(1, "b").random(4).tolist() != alone
