"""SPOS: one path a step, and evolution in the window."""

from __future__ import annotations

import copy
from dataclasses import replace

import numpy as np
import pytest
import torch

from surgenas.core import moves
from surgenas.core.errors import UsageError
from surgenas.methods import make_method
from surgenas.methods.base import Problem
from surgenas.methods.spos import SPOS, SPOSSearch
from surgenas.predictors.linear import FlopsPredictor
from surgenas.spaces.elastic import Elastic
from surgenas.spaces.nasbench201 import NASBench201
from surgenas.testing import Planted, ZeroPredictor
from surgenas.training.augment import steps_per_epoch, train_batches

BATCH = 64
FAST = {"population": 12, "generations": 2, "mutations": 6, "crossovers": 6}
FEW = {"population": 6, "generations": 2, "mutations": 3, "crossovers": 3}


ELASTIC = Elastic(network="test_resnet", resolution=16, classes=10)


def make(halves, space=None, **settings) -> SPOSSearch:
    data, held_out = halves
    space = space or Planted()
    problem = Problem(
        space, 2.0, 0, predictor=ZeroPredictor(space.costs()), steps_per_epoch=steps_per_epoch(data, BATCH),
        held_out=held_out,
    )  # fmt: skip
    return SPOS(**{**FAST, **settings}).begin(problem)


def batch(halves):
    return next(train_batches(halves[0], 8, 0, 0))


def test_only_the_path_that_ran_is_changed(halves):
    search, ran = make(halves, epochs=2), set()
    search.step(*batch(halves), 0)  # momentum of these operators is there now
    before = copy.deepcopy(search.supernet.state_dict())
    for layer, block in enumerate(search.supernet.layers):
        for k, operator in enumerate(block.ops):
            operator.register_forward_hook(lambda *_, at=(layer, k): ran.add(at))
    search.step(*batch(halves), 1)
    changed = {name for name, value in search.supernet.state_dict().items() if not torch.equal(value, before[name])}
    touched = {(int(n.split(".")[1]), int(n.split(".")[3])) for n in changed if n.startswith("layers")}
    assert [layer for layer, _ in sorted(ran)] == list(range(6)), "one operator of each layer"
    assert touched == ran


def test_fair_orderings_train_every_operator_once_a_step(halves, paths_of):
    paths = paths_of(make(halves, epochs=2, sampler="fair"), [0])
    assert len(paths) == 4
    assert all(sorted(column) == [0, 1, 2, 3] for column in zip(*paths, strict=True))


def test_paths_are_uniform(halves, paths_of):
    paths = paths_of(make(halves, epochs=2), range(400))
    counts = np.bincount([k for path in paths for k in path], minlength=4)
    assert (np.abs(counts / counts.sum() - 0.25) < 0.03).all()


def test_a_step_draws_the_same_paths_whatever_was_before(halves, paths_of):
    assert paths_of(make(halves), [3, 4]) == paths_of(make(halves), [0, 3, 4])[1:]


@pytest.mark.slow
def test_evolution_avoids_the_planted_operator_and_stays_in_the_window(halves, run):
    space = Planted()
    predictor = FlopsPredictor(space.costs())
    code = moves.encode(space, [moves.uniform_architecture(space, op) for op in space.choices[0].options])
    predictor.fit(code, (code * space.costs().macs).sum((1, 2)) / 1e6)

    def latency(archs):
        return predictor.predict(moves.encode(space, archs))

    larger = {"population": 30, "generations": 5, "mutations": 15, "crossovers": 10}
    search = make(halves, epochs=10, sampler="fair", **larger)
    run(search, 0, 10)
    window = (0.0, float(latency([moves.uniform_architecture(space, "k5e3")])[0]) * 1.05)
    found = search.propose(latency, window, 5, np.random.default_rng(0))
    assert len(found) == len(set(found)) == 5
    assert all(latency([arch])[0] <= window[1] for arch in found)
    assert found[0].genes.count("bad") == 0, "a random architecture has one and a half"
    assert search.propose(latency, window, 5, np.random.default_rng(0)) == found


def test_a_window_that_nothing_meets_is_an_empty_answer(halves, ones):
    assert make(halves, epochs=1).propose(ones, (2.0, 3.0), 5, np.random.default_rng(0)) == []


def test_what_was_judged_is_not_judged_again_until_the_weights_change(halves):
    search = make(halves, epochs=1)
    arch = moves.uniform_architecture(search.space, "k3e3")
    path = moves.indices(search.space, arch)
    assert search.judge([arch]) == [search.scores[path]]
    search.scores[path] = -1.0
    assert search.judge([arch, arch]) == [-1.0, -1.0]
    search.step(*batch(halves), 0)
    assert search.judge([arch])[0] >= 0


def test_interrupted_between_any_two_epochs_it_proposes_the_same(halves, check_going_on):
    check_going_on(lambda: make(halves, epochs=2, **FEW))


@pytest.mark.parametrize(
    ("settings", "said"),
    [({"sampler": "ods"}, "sampler=ods.*'spos' or 'fair'"), ({"epochs": 0}, "epochs=0.*or equal to 1"),
     ({"population": 0}, "1 or more"), ({"generations": 0}, "generations=0")],
)  # fmt: skip
def test_settings_that_make_no_search(settings, said):
    with pytest.raises(UsageError, match=said):
        make_method("spos", settings)


def test_a_space_of_cells_is_refused():
    space = NASBench201(resolution=16)
    with pytest.raises(UsageError, match=r"shared as choice.*'nasbench201' shares them as cells; use --space shuffle"):
        SPOS().begin(Problem(space, 1.0, 0, predictor=ZeroPredictor(space.costs())))


# --- on sizes of one network, which choices have unequally many of


def test_on_sizes_paths_are_uniform_in_what_each_choice_offers(halves, paths_of):
    paths = paths_of(make(halves, ELASTIC, epochs=2), range(400))
    for choice, ran in zip(ELASTIC.choices, zip(*paths, strict=True), strict=True):
        times = np.bincount(ran, minlength=len(choice.options)) / 400
        assert len(times) == len(choice.options)
        assert (np.abs(times - 1 / len(choice.options)) < 0.12).all()


def test_on_sizes_fair_orderings_run_every_option_equally_often_up_to_one(halves, paths_of):
    search = make(halves, ELASTIC, epochs=2, sampler="fair")
    paths = paths_of(search, [0])
    assert len(paths) == max(len(choice.options) for choice in ELASTIC.choices) == search.method.needs(ELASTIC).passes
    for choice, ran in zip(ELASTIC.choices, zip(*paths, strict=True), strict=True):
        times = np.bincount(ran, minlength=len(choice.options))
        assert times.max() - times.min() <= 1


def test_on_sizes_it_trains_judges_and_stays_in_the_window(halves):
    search = make((halves[0], few(halves[1])), ELASTIC, epochs=1, **FEW)
    loss, _, _ = search.step(*batch(halves), 0)
    assert loss > 0

    def latency(archs):
        return ELASTIC.costs().macs_of(moves.encode(ELASTIC, archs)) / 1e6

    most = float(latency([ELASTIC.uniform(0.75)])[0])
    found = search.propose(latency, (0.0, most), 3, np.random.default_rng(0))
    assert len(found) == 3
    assert latency(found).max() <= most
    assert search.judge(found) == sorted(search.judge(found), reverse=True)
    assert search.largest() == ELASTIC.largest()


def few(held_out):
    return replace(held_out, images=held_out.images[:200], labels=held_out.labels[:200])


@pytest.mark.slow
def test_on_sizes_interrupted_between_any_two_epochs_it_proposes_the_same(halves, check_going_on):
    check_going_on(lambda: make((halves[0], few(halves[1])), ELASTIC, epochs=2, **FEW))
