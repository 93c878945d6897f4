"""Which networks to measure: the greedy choice against the whole covariance, and against chance."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from surgenas.core import moves
from surgenas.core.space import Floats
from surgenas.predictors.active import choose, graph_features
from surgenas.spaces.macro import Macro
from surgenas.spaces.nasbench201 import NASBench201

COSTS = NASBench201().costs()
TRAIN = np.eye(5)[np.random.default_rng(0).integers(5, size=(200, 6))]


def by_whole_covariance(features: Floats, count: int, noise: float) -> list[int]:
    """The same, written out: of C = X X', the row whose measurement lowers the trace the most, and C without it."""
    covariance, picked = features @ features.T, []
    for _ in range(count):
        gain = np.square(covariance).sum(0) / (covariance.diagonal() + noise)
        gain[picked] = -1
        picked.append(int(gain.argmax()))
        column = covariance[:, picked[-1]]
        covariance = covariance - np.outer(column, column / (column[picked[-1]] + noise))
    return picked


@given(st.integers(0, 2**32), st.integers(2, 60), st.integers(1, 12), st.sampled_from([0.005, 0.02, 0.5]))
@settings(max_examples=30, deadline=None)
def test_what_is_picked_is_what_the_whole_covariance_says(seed, rows, columns, noise):
    features = np.random.default_rng(seed).normal(size=(rows, columns)) / 4
    count = min(rows, columns)
    assert choose(features, count, noise=noise) == by_whole_covariance(features, count, noise)


def test_active_choices_differ_and_leave_less_uncertain_than_chance():
    features = graph_features(COSTS, TRAIN)
    chosen = choose(features, 20)
    assert len(set(chosen)) == 20

    def left(rows):
        K = features[rows] @ features[rows].T + 0.02 * np.eye(len(rows))
        across = features @ features[rows].T
        return (features**2).sum() - (across * np.linalg.solve(K, across.T).T).sum()

    assert left(chosen) < min(left(list(np.random.default_rng(s).permutation(200)[:20])) for s in range(5))


def test_more_choices_go_on_from_fewer():
    features = graph_features(COSTS, TRAIN)
    assert choose(features, 15)[:6] == choose(features, 6)


@pytest.mark.parametrize(("count", "chosen"), [(0, 0), (1, 1), (4, 4), (9, 4)])
def test_every_architecture_is_chosen_at_most_once(count, chosen):
    found = choose(np.eye(4), count)
    assert len(found) == len(set(found)) == chosen
    assert set(found) <= {0, 1, 2, 3}


def test_what_says_nothing_is_chosen_last():
    features = np.vstack([np.zeros(3), np.eye(3), np.zeros(3)])
    assert set(choose(features, 3)) == {1, 2, 3}


def test_features_are_a_constant_and_groups_that_count_alike():
    """Centred, of mean square 1 all together: for a chain the code and its totals."""
    space = Macro()
    archs = moves.sample_many(space, 300, np.random.default_rng(0))
    features = graph_features(space.costs(), moves.encode(space, archs))
    assert (features[:, 0] == 1).all()
    rest = features[:, 1:]
    assert np.allclose(rest.mean(0), 0, atol=1e-12)
    assert np.square(rest).sum(1).mean() == pytest.approx(1.0)
    code = rest[:, : 8 * 3]
    assert np.square(code).sum(1).mean() == pytest.approx(0.5)


def test_features_of_one_network_alone_are_finite():
    assert np.isfinite(graph_features(COSTS, TRAIN[:1])).all()
