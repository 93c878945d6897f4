"""Networks that are as different as can be."""

from __future__ import annotations

import numpy as np

from surgenas.core import moves
from surgenas.methods.spread import spread
from surgenas.spaces.compound import Compound
from surgenas.spaces.macro import Macro
from tests.accuracy.toys import Links, drawn

MACRO, SPACE = Macro(), Links()


def test_the_first_are_farther_from_each_other_than_random_ones():
    def nearest(archs):
        places = np.array([moves.indices(MACRO, arch) for arch in archs])
        apart = (places[:, None] != places[None]).sum(2) + 9 * np.eye(len(archs))
        return apart.min(1).mean()

    pool = drawn(MACRO, 500)
    chosen = spread(MACRO, pool, [], 25)
    assert len(set(chosen)) == 25
    assert nearest(chosen) > nearest(pool[:25]) + 1
    assert spread(MACRO, pool, chosen[:10], 15) == spread(MACRO, pool, chosen[:10], 20)[:15]
    assert chosen[10:] == spread(MACRO, pool, chosen[:10], 15), "in whatever portions they are asked for"
    corners = spread(SPACE, list(moves.enumerate_all(SPACE)), [], 2)
    assert all(abs(a - b) == 3 for a, b in zip(*(moves.indices(SPACE, arch) for arch in corners), strict=True))
    assert spread(MACRO, [], [], 3) == []


def test_whole_networks_differ_in_what_was_chosen_for_them():
    """All networks of this space are operators of one layer, as different from each other as any two."""
    space = Compound(resolution=32)
    chosen = spread(space, drawn(space, 300), [], 3)
    for places in zip(*(moves.indices(space, arch) for arch in chosen), strict=True):
        assert len(set(places)) == 3
