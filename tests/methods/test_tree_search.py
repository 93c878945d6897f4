"""Tree search: bounds by hand, what it asks for next, and branches that hold nothing inside the limit."""

from __future__ import annotations

import math

import numpy as np
import pytest

from surgenas.core import moves
from surgenas.core.errors import UsageError
from surgenas.core.trial import Trial
from surgenas.methods.base import allow_all
from surgenas.methods.blackbox import list_networks
from surgenas.methods.inside import Inside
from surgenas.methods.tree_search import Below, Tree, TreeSearch
from surgenas.predictors.base import Predictor


def trials(space, *placed):
    """Trials at places, each of as many choices as are said, the others the first option."""
    rest = len(space.choices)
    return [
        Trial.of(space, moves.from_indices(space, (*place, *[0] * (rest - len(place)))), score)
        for place, score in placed
    ]


def test_bounds_are_mean_and_what_is_rare_with_scores_from_0_to_1(macro):
    tree = Tree(macro, trials(macro, ((1, 0), 10.0), ((1, 1), 20.0), ((2,), 15.0)))
    assert tree.bound((1,), 2.0) == pytest.approx(0.5 + 2 * math.sqrt(math.log(3) / 2))
    assert tree.bound((2,), 2.0) == pytest.approx(0.5 + 2 * math.sqrt(math.log(3)))
    assert tree.bound((1, 1), 2.0) == pytest.approx(1.0 + 2 * math.sqrt(math.log(2)))
    assert tree.bound((0,), 2.0) == math.inf


def test_scores_that_are_all_alike_are_neither_good_nor_bad(macro):
    assert Tree(macro, trials(macro, ((1,), 7.0), ((2,), 7.0))).bound((1,), 0.0) == 0.5


def test_what_nothing_was_judged_below_comes_first_then_the_best(macro):
    without = TreeSearch(first=2, exploration=0.0, predictor="")
    history = trials(macro, ((1,), 10.0), ((2,), 20.0))
    (arch,) = without.ask(macro, history, 1, np.random.default_rng(0))
    assert moves.indices(macro, arch)[0] == 0, "the only first choice that was not tried"
    history += trials(macro, ((0,), 5.0))
    (arch,) = without.ask(macro, history, 1, np.random.default_rng(0))
    assert moves.indices(macro, arch)[0] == 2


def test_asked_again_with_the_same_history_it_says_the_same(macro, go):
    history, method = go(TreeSearch(first=5), 20), TreeSearch(first=5)
    first, again = (method.ask(macro, history, 4, np.random.default_rng(3)) for _ in range(2))
    assert first == again
    assert len({moves.canonical_key(macro, arch) for arch in first}) == 4
    assert not {arch.key for arch in first} & {trial.key for trial in history}


@pytest.mark.parametrize("large", [False, True])
def test_a_branch_without_a_network_inside_the_limit_is_never_entered(macro, small, large):
    space = small if large else macro

    def first_is_0(archs):
        return np.array([moves.indices(space, arch)[0] == 0 for arch in archs], dtype=bool)

    method = TreeSearch(first=3, rollouts=20)
    search = method.start(space, np.random.default_rng(0), first_is_0)
    for _ in range(15):
        (arch,) = search.ask()
        assert first_is_0([arch]).all()
        search.tell(Trial.of(space, arch, float(sum(moves.indices(space, arch)))))


def test_in_a_large_space_a_branch_that_only_its_fastest_network_saves_is_entered(small):
    """Of two thousand million networks a handful is inside the limit, too few to be drawn."""
    last = len(small.choices) - 1

    class Changed(Predictor):
        """Milliseconds: how many choices but the last take another option than their second."""

        def learn(self, code_NLK, latency_ms_N): ...

        def predict_relaxed(self, gates_NLK):
            return last - gates_NLK[:, :last, 1].sum(1)

    below = Below(small, set(), 10, np.random.default_rng(0), Inside(small, Changed(small.costs()), lambda: 0.0))
    for prefix in ((), (1,), (1,) * last):
        found = below(prefix)
        assert found
        assert {moves.indices(small, arch)[:last] for arch in found} == {(1,) * last}
    assert not below((0,))
    assert not below((1, 2))


def test_of_a_space_that_is_known_as_a_whole_every_network_is_found_once(macro):
    """Nine networks are left inside the limit: all are asked for, then nothing."""
    pool = list_networks(macro).archs
    wanted = {arch for arch in pool if set(moves.indices(macro, arch)[2:]) == {1}}

    def inside(archs):
        return np.array([arch in wanted for arch in archs], dtype=bool)

    search = TreeSearch(first=2).start(macro, np.random.default_rng(0), inside)
    asked = []
    while found := search.ask(2):
        for arch in found:
            asked.append(arch)
            search.tell(Trial.of(macro, arch, 1.0))
    assert len(asked) == len(wanted)
    assert set(asked) == wanted


def test_below_a_node_all_networks_decide_as_it_says(macro, small):
    for space in (macro, small):
        below = Below(space, set(), 10, np.random.default_rng(0), allow_all)
        for prefix in ((), (1,), (1, 2)):
            found = below(prefix)
            assert len(found) == 10
            assert {moves.indices(space, arch)[: len(prefix)] for arch in found} == {prefix}


def test_a_predictor_that_the_space_does_not_allow_is_refused_at_once(macro):
    with pytest.raises(UsageError, match="no topology numbers"):
        TreeSearch(predictor="degree").needs(macro)
