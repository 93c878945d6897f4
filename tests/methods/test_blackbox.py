"""Searches that see scores alone: the contract of each, what makes it that method, and other people's loops."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import optuna
import pytest

from surgenas.core import moves
from surgenas.core.catalog import look_up
from surgenas.core.errors import UsageError
from surgenas.core.trial import Trial
from surgenas.methods import BLACK_BOX, weaknas
from surgenas.methods.blackbox import AskTell, anywhere, fresh, fresh_at_random, whole
from surgenas.methods.halving import SuccessiveHalving
from surgenas.methods.local_search import LocalSearch
from surgenas.methods.nevergrad import NevergradLoop, NevergradSearch
from surgenas.methods.nsga2 import NSGA2, survivors
from surgenas.methods.optuna import TPE, SurgenasSampler, architecture
from surgenas.methods.random_search import RandomSearch
from surgenas.methods.regularized import RegularizedEvolution
from surgenas.methods.weaknas import WEAK, WeakNAS
from surgenas.spaces import make_space
from surgenas.spaces.macro import Macro
from surgenas.spaces.operators import Shuffle
from surgenas.testing import check_black_box

SPACE = Macro()
HUGE = Shuffle(layout="small", resolution=16, classes=10)


def score(arch) -> float:
    """The same for everybody: as many of the largest operator as there are, the last layer counting twice."""
    return sum(i for i in moves.indices(SPACE, arch)) + moves.indices(SPACE, arch)[-1]


def go(method, queries, seed=0, judge=score, space=SPACE):
    search = method.start(space, np.random.default_rng(seed))
    while len(search.history) < queries:
        for arch in search.ask(method.batch):
            search.tell(Trial.of(space, arch, judge(arch)))
    return search.history


@pytest.mark.parametrize("name", BLACK_BOX)
def test_contract(name):
    check_black_box(look_up("method", name, BLACK_BOX)())


@pytest.mark.parametrize(
    "method", [RegularizedEvolution(population=20, tournament=5), LocalSearch(), WeakNAS(), TPE(), NevergradSearch()]
)
def test_it_is_better_than_random(method):
    def ends(kind):
        return np.mean([max(trial.score for trial in go(kind, 70, seed)) for seed in range(3)])

    assert ends(method) > ends(RandomSearch())


def test_random_is_uniform_without_repeats():
    history = go(RandomSearch(), 400)
    assert len({trial.key for trial in history}) == 400
    counts = np.array([moves.indices(SPACE, trial.arch) for trial in history])
    assert np.abs([(counts == k).mean() for k in range(3)] - np.full(3, 1 / 3)).max() < 0.03


def test_few_feasible_networks_are_found_in_a_space_that_is_known_as_a_whole():
    wanted = {moves.uniform_architecture(SPACE, "skip"), moves.uniform_architecture(SPACE, "k3e3")}
    found = fresh_at_random(
        SPACE, 5, set(), np.random.default_rng(0), lambda archs: np.array([arch in wanted for arch in archs])
    )
    assert set(found) == wanted


def test_where_nothing_is_new_drawing_ends():
    drawn = []

    def draw(count):
        drawn.append(count)
        return [moves.uniform_architecture(SPACE, "skip")] * count

    assert len(fresh(SPACE, draw, 3, set())) == 1
    assert sum(drawn) <= 2000


def test_the_child_of_regularized_evolution_differs_from_one_that_is_alive_in_one_choice():
    method = RegularizedEvolution(population=5, tournament=5)
    history = go(method, 30)
    for i in range(5, 30):
        alive = history[i - 5 : i]
        winners = [trial.arch for trial in alive if trial.score == max(t.score for t in alive)]
        assert any(history[i].arch in moves.neighbours(SPACE, winner) for winner in winners), "all five compete"


def test_local_search_goes_around_the_best_and_starts_anew_at_a_local_optimum():
    method = LocalSearch(starts=3)
    history = go(method, 60)
    best = max(history[:3], key=lambda trial: trial.score)
    near = moves.neighbours(SPACE, best.arch)
    assert history[3].arch in near
    everything = [Trial.of(SPACE, arch, 0.0) for arch in near]
    stuck = [*[replace(t, score=-1.0) for t in history[:2]], replace(best, score=1.0), *everything]
    stuck = [trial for i, trial in enumerate(stuck) if trial.key not in {t.key for t in stuck[:i]}]
    (new,) = method.ask(SPACE, stuck, 1, np.random.default_rng(0))
    assert new not in near


def test_survivors_are_the_first_front_and_its_ends():
    rng = np.random.default_rng(0)
    archs = fresh_at_random(SPACE, 60, set(), rng)
    points = rng.random((60, 2))
    trials = [replace(Trial.of(SPACE, a, s), latency_ms=ms) for a, (s, ms) in zip(archs, points, strict=True)]

    def dominated(t):
        return any(o.score >= t.score and o.latency_ms <= t.latency_ms and o is not t for o in trials)

    front = [trial for trial in trials if not dominated(trial)]
    kept = survivors(trials, len(front))
    assert {trial.key for trial in kept} == {trial.key for trial in front}
    ends = {max(front, key=lambda t: t.score).key, min(front, key=lambda t: t.latency_ms).key}
    assert {trial.key for trial in survivors(trials, 2)} == ends


def test_halving_sends_the_best_of_each_rung_up_and_no_others():
    method = SuccessiveHalving(rungs=3, eta=3)
    search = AskTell(SPACE, method, np.random.default_rng(0))
    for _ in range(200):
        (arch,) = search.ask()
        rung = sum(trial.arch == arch for trial in search.history)
        search.tell(replace(Trial.of(SPACE, arch, score(arch) + rung), rung=rung))
    counts = [sum(trial.rung == rung for trial in search.history) for rung in range(3)]
    assert counts[1] == pytest.approx(counts[0] / 3, abs=3)
    assert counts[2] == pytest.approx(counts[1] / 3, abs=3)
    for low, high in ((0, 1), (1, 2)):
        risen = {trial.key for trial in search.history if trial.rung == high}
        below = [trial for trial in search.history if trial.rung == low]
        assert min(t.score for t in below if t.key in risen) >= np.median([t.score for t in below])


@pytest.mark.parametrize("predictor", WEAK)
def test_weak_predictors_lead_near_the_best(predictor):
    history = go(WeakNAS(predictor=predictor, first=20), 60)
    first = max(trial.score for trial in history[:20])
    assert max(trial.score for trial in history) > first
    assert np.mean([t.score for t in history[20:]]) > np.mean([t.score for t in history[:20]]) + 2


def test_a_round_is_drawn_from_the_favourites_and_goes_down_the_ranking_where_they_are_known(monkeypatch):
    method = WeakNAS(first=3, top=10)
    pool = whole(SPACE)
    truth = np.array([score(arch) for arch in pool.archs])
    monkeypatch.setattr(WeakNAS, "_preference", lambda *_args: truth)
    order = np.argsort(-truth, kind="stable")
    known = [Trial.of(SPACE, pool.archs[i], truth[i]) for i in order[:7]]
    asked = method.ask(SPACE, known, 3, np.random.default_rng(0))
    assert {arch.key for arch in asked} == {pool.keys[i] for i in order[7:10]}
    asked = method.ask(SPACE, known, 5, np.random.default_rng(0))
    assert {arch.key for arch in asked} == {pool.keys[i] for i in order[7:12]}


def test_labels_are_ranks_so_that_an_outlier_changes_nothing(monkeypatch):
    seen = []

    class Weak:
        def fit(self, x, y):
            seen.append(y)
            return self

        def predict(self, x):
            return np.zeros(len(x))

    monkeypatch.setitem(weaknas.WEAK, "mlp", lambda seed, known: Weak())
    archs = fresh_at_random(SPACE, 12, set(), np.random.default_rng(0))
    for worst in (0.0, -1e9):
        history = [Trial.of(SPACE, arch, i or worst) for i, arch in enumerate(archs)]
        WeakNAS().ask(SPACE, history, 1, np.random.default_rng(0))
    assert (seen[0] == seen[1]).all()


def test_a_space_too_large_to_enumerate_is_searched_by_pools():
    target = moves.indices(HUGE, moves.sample(HUGE, np.random.default_rng(9)))

    def judge(arch):
        return sum(a == b for a, b in zip(moves.indices(HUGE, arch), target, strict=True))

    weak = go(WeakNAS(pool=500, top=50), 80, judge=judge, space=HUGE)
    assert max(t.score for t in weak[10:]) > max(t.score for t in go(RandomSearch(), 80, judge=judge, space=HUGE))


def test_our_method_as_a_sampler_of_an_optuna_study():
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(direction="maximize", sampler=SurgenasSampler(SPACE, LocalSearch(starts=5), seed=1))
    study.optimize(lambda trial: score(architecture(SPACE, trial)), n_trials=40)
    ours = go(LocalSearch(starts=5), 40, seed=1)
    assert len({str(trial.params) for trial in study.trials}) == 40
    assert study.best_value >= np.quantile([trial.score for trial in ours], 0.8)


def test_a_study_that_minimises_is_refused():
    study = optuna.create_study(sampler=SurgenasSampler(SPACE, RandomSearch()))
    with pytest.raises(UsageError, match='direction="maximize"'):
        study.optimize(lambda trial: score(architecture(SPACE, trial)), n_trials=1)


class OneIdea:
    """An optimizer that always proposes the same, and notes what it is told."""

    def __init__(self) -> None:
        self.told = []
        self.parametrization = self

    def ask(self):
        return self.spawn_child(moves.uniform_architecture(SPACE, "skip").genes)

    def spawn_child(self, new_value):
        return type("Candidate", (), {"value": new_value})()

    def tell(self, candidate, loss):
        self.told.append((candidate.value, loss))


def test_what_a_foreign_optimizer_repeats_is_answered_without_a_trial_and_replaced():
    optimizer = OneIdea()
    loop = NevergradLoop(SPACE, np.random.default_rng(0), anywhere, optimizer)
    for value in (3.0, 5.0):
        (arch,) = loop.ask()
        loop.tell(Trial.of(SPACE, arch, value))
    first, second = (trial.arch for trial in loop.history)
    assert first == moves.uniform_architecture(SPACE, "skip") != second
    assert optimizer.told[0] == (first.genes, -3.0)
    assert set(optimizer.told[1:-1]) == {(first.genes, -3.0)}, "the known answer, each time"
    assert optimizer.told[-1] == (second.genes, -5.0)


def test_a_foreign_optimizer_hears_of_every_network_that_it_was_made_to_try():
    space = make_space("nasbench201", {})
    allowed = {key for i, key in enumerate(whole(space).keys) if i % 100 == 0}
    loop = TPE().start(
        space, np.random.default_rng(0), lambda archs: [moves.canonical_key(space, arch) in allowed for arch in archs]
    )
    for _ in range(30):
        (arch,) = loop.ask()
        loop.tell(Trial.of(space, arch, float(len(set(arch.genes)))))
    assert len({trial.key for trial in loop.history}) == 30
    assert {trial.state.name for trial in loop.study.trials} == {"COMPLETE"}, "a cell has many names, one is asked for"


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: RegularizedEvolution(population=5, tournament=6), "tournament 6"),
        (lambda: SuccessiveHalving(rungs=1), "2 or more rungs"),
        (lambda: WeakNAS(predictor="oracle"), "unknown predictor 'oracle'"),
        (lambda: WeakNAS(top=0), "1 or more"),
        (lambda: NSGA2(population=1), "population of 2"),
        (lambda: NevergradSearch(optimizer="none").start(SPACE, np.random.default_rng(0)), "no optimizer 'none'"),
    ],
)
def test_bad_settings_are_refused(make, says):
    with pytest.raises(UsageError, match=says):
        make()
