"""Searches that see scores alone: the draws that they share, and that they are worth their while."""

from __future__ import annotations

import numpy as np
import pytest

from surgenas.core import moves
from surgenas.methods import make_method
from surgenas.methods.blackbox import draw_new, draw_new_at_random, list_networks, sort_by_score
from surgenas.methods.random_search import RandomSearch


@pytest.mark.parametrize(
    ("name", "settings", "package"),
    [
        ("regularized", {"population": 20, "tournament": 5}, "numpy"),
        ("local", {}, "numpy"),
        ("weaknas", {}, "numpy"),
        ("mcts", {}, "numpy"),
        ("optuna-tpe", {}, "optuna"),
        ("nevergrad", {}, "nevergrad"),
    ],
)
def test_it_is_better_than_random(go, name, settings, package):
    pytest.importorskip(package)

    def ends(kind):
        return np.mean([max(trial.score for trial in go(kind, 70, seed)) for seed in range(3)])

    assert ends(make_method(name, {"trials": 200, **settings})) > ends(RandomSearch())


def test_few_feasible_networks_are_found_in_a_space_that_is_known_as_a_whole(macro):
    wanted = {moves.uniform_architecture(macro, "skip"), moves.uniform_architecture(macro, "k3e3")}
    found = draw_new_at_random(
        macro, 5, set(), np.random.default_rng(0), lambda archs: np.array([arch in wanted for arch in archs])
    )
    assert set(found) == wanted


def test_where_nothing_is_new_drawing_ends(macro):
    drawn = []

    def draw(count):
        drawn.append(count)
        return [moves.uniform_architecture(macro, "skip")] * count

    assert len(draw_new(macro, draw, 3, set())) == 1
    assert sum(drawn) <= 2000


def test_what_is_found_becomes_known(macro):
    known = set()
    found = draw_new_at_random(macro, 20, known, np.random.default_rng(0))
    assert known == {moves.canonical_key(macro, arch) for arch in found}
    assert len(known) == 20


def test_the_whole_space_holds_each_network_once_with_its_code(macro):
    pool = list_networks(macro)
    assert len(set(pool.keys)) == len(pool.archs) == len(pool.code)
    assert all(macro.canonical(arch) == arch for arch in pool.archs[::100])
    assert moves.decode(macro, pool.code[7]) == pool.archs[7]


def test_of_equal_scores_the_earlier_comes_first(go):
    history = go(RandomSearch(), 5, judge=lambda arch: 1.0)
    assert sort_by_score(history) == history
