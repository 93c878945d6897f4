"""Joining whole arrays gives the sets that joining one pair after another gives."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from surgenas.nn.elastic.joined import NONE, Joined

number = st.integers(NONE, 11)
pairs = st.lists(st.tuples(number, number), min_size=1, max_size=8)


def one_by_one(joins: list[list[tuple[int, int]]]) -> list[int]:
    sets = [{n} for n in range(12)]
    for left, right in (pair for some in joins for pair in some):
        if NONE not in (left, right):
            both = sets[left] | sets[right]
            for n in both:
                sets[n] = both
    return [min(each) for each in sets]


@given(st.lists(pairs, max_size=4))
@settings(max_examples=60, deadline=None)
def test_sets_are_those_of_joining_one_pair_after_another(joins):
    joined = Joined()
    joined.more(12)
    for some in joins:
        left, right = np.array(some).T
        joined.join(left, right)
    assert joined.roots(np.arange(12)).tolist() == one_by_one(joins)


def test_none_stays_and_shapes_are_kept():
    joined = Joined()
    first, second = joined.more(2), joined.more(2)
    assert second.tolist() == [2, 3]
    joined.join(first[None], second[None])
    assert joined.roots(np.array([[3, NONE], [1, 2]])).tolist() == [[1, NONE], [1, 0]]
