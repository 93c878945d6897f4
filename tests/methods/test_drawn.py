"""Nothing is searched: networks of the wanted latency, drawn alike each time they are asked for."""

from __future__ import annotations

import numpy as np
import pytest

from surgenas.core import moves
from surgenas.core.errors import UsageError
from surgenas.core.work import Judge
from surgenas.methods.base import Problem
from surgenas.methods.drawn import Drawn


def slowness(space):
    return lambda archs: np.array([float(sum(moves.indices(space, arch))) for arch in archs])


def test_it_asks_for_nothing_and_proposes_random_networks_inside_the_window(macro):
    search = Drawn().begin(Problem(macro, 1.0, 0))
    assert (search.ask(), search.most_events) == ([], 0)
    assert not Drawn().needs(macro).searches
    found = search.propose(slowness(macro), (5.0, 6.0), 10, np.random.default_rng(0))
    assert len({moves.canonical_key(macro, arch) for arch in found}) == 10
    assert set(slowness(macro)(found)) == {5.0, 6.0}
    assert found == search.propose(slowness(macro), (5.0, 6.0), 10, np.random.default_rng(0))
    assert found != search.propose(slowness(macro), (5.0, 6.0), 10, np.random.default_rng(1))


def test_the_largest_has_the_most_macs(macro):
    largest = Drawn().begin(Problem(macro, 1.0, 0)).largest()
    macs = macro.costs().macs_of(
        moves.encode(macro, [largest, *moves.sample_many(macro, 50, np.random.default_rng(0))])
    )
    assert macs[0] == macs.max()


def test_what_it_did_not_ask_for_it_is_not_told(macro):
    search = Drawn().begin(Problem(macro, 1.0, 0))
    with pytest.raises(UsageError, match="asks for no work"):
        search.tell(Judge(search.largest()), 1.0)
