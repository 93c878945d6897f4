"""WeakNAS: weak predictors that lead near the best, and whom they favour."""

from __future__ import annotations

import numpy as np
import pytest

from surgenas.core import moves
from surgenas.core.errors import UsageError
from surgenas.core.trial import Trial
from surgenas.methods import make_method, weaknas
from surgenas.methods.blackbox import draw_new_at_random, list_networks
from surgenas.methods.random_search import RandomSearch
from surgenas.methods.weaknas import WEAK, WeakNAS
from surgenas.spaces.operators import Shuffle

HUGE = Shuffle(layout="small", resolution=16, classes=10)


class Weak:
    """A predictor that says what it is given, and keeps the labels that it learned from."""

    def __init__(self, says=lambda x: np.zeros(len(x))):
        self.says, self.labels = says, []

    def fit(self, x, y):
        self.labels.append(y)
        return self

    def predict(self, x):
        return self.says(x)


@pytest.mark.parametrize("predictor", WEAK)
def test_weak_predictors_lead_near_the_best(go, predictor):
    history = go(WeakNAS(predictor=predictor, first=20), 60)
    first = max(trial.score for trial in history[:20])
    assert max(trial.score for trial in history) > first
    assert np.mean([t.score for t in history[20:]]) > np.mean([t.score for t in history[:20]]) + 2


def test_a_round_is_drawn_from_the_favourites_and_goes_down_the_ranking_where_they_are_known(macro, score, monkeypatch):
    """With a predictor that knows the truth."""

    def truth_of(x):
        places = x.reshape(len(x), 8, 3).argmax(2)
        return (places.sum(1) + places[:, -1]).astype(float)

    monkeypatch.setitem(weaknas.WEAK, "mlp", lambda seed, known: Weak(truth_of))
    method = WeakNAS(first=3, top=10)
    pool = list_networks(macro)
    truth = np.array([score(arch) for arch in pool.archs])
    order = np.argsort(-truth, kind="stable")
    known = [Trial.of(macro, pool.archs[i], truth[i]) for i in order[:7]]
    asked = method.ask(macro, known, 3, np.random.default_rng(0))
    assert {arch.key for arch in asked} == {pool.keys[i] for i in order[7:10]}
    asked = method.ask(macro, known, 5, np.random.default_rng(0))
    assert {arch.key for arch in asked} == {pool.keys[i] for i in order[7:12]}


@pytest.mark.parametrize(
    "settings", [{"predictor": "ridge"}, {"predictor": "process", "ei": True}, {"predictor": "macs"}]
)
def test_accuracy_predictors_serve_as_well(go, score, settings):
    """The scores grow with the operators, so even MACs lead the right way."""
    history = go(WeakNAS(first=15, **settings), 45, judge=lambda arch: 1 + score(arch))
    assert np.mean([t.score for t in history[15:]]) > np.mean([t.score for t in history[:15]]) + 2


def test_one_that_explains_nothing_leaves_it_to_chance(go, score, macro):
    history = go(WeakNAS(first=15, predictor="macs"), 35, judge=lambda arch: 99 - score(arch))
    assert len({trial.key for trial in history}) == len(history)
    asked = [WeakNAS(predictor="macs").ask(macro, history, 5, np.random.default_rng(seed)) for seed in (0, 1)]
    assert asked[0] != asked[1]


def test_an_accuracy_predictor_that_the_space_does_not_allow_is_refused_at_once(macro):
    with pytest.raises(UsageError, match="'macro': its networks have no topology numbers"):
        WeakNAS(predictor="degree").needs(macro)
    assert WeakNAS(predictor="ridge").needs(macro).trained == 32


def test_labels_are_ranks_so_that_an_outlier_changes_nothing(macro, monkeypatch):
    weak = Weak()
    monkeypatch.setitem(weaknas.WEAK, "mlp", lambda seed, known: weak)
    archs = draw_new_at_random(macro, 12, set(), np.random.default_rng(0))
    for worst in (0.0, -1e9):
        history = [Trial.of(macro, arch, i or worst) for i, arch in enumerate(archs)]
        WeakNAS().ask(macro, history, 1, np.random.default_rng(0))
    assert (weak.labels[0] == weak.labels[1]).all()


def test_a_space_too_large_to_enumerate_is_searched_by_pools(go):
    target = moves.indices(HUGE, moves.sample(HUGE, np.random.default_rng(9)))

    def judge(arch):
        return sum(a == b for a, b in zip(moves.indices(HUGE, arch), target, strict=True))

    weak = go(WeakNAS(pool=500, top=50), 80, judge=judge, space=HUGE)
    assert max(t.score for t in weak[10:]) > max(t.score for t in go(RandomSearch(), 80, judge=judge, space=HUGE))


@pytest.mark.parametrize(
    ("settings", "says"), [({"predictor": "oracle"}, "predictor=oracle.*'mlp', 'forest'"), ({"top": 0}, "1 or more")]
)
def test_bad_settings_are_refused(settings, says):
    with pytest.raises(UsageError, match=says):
        make_method("weaknas", settings)
