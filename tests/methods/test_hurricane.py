"""HURRICANE: two stages that leave each other's layers alone, and what the first one leaves to the second."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch

from surgenas.core import moves
from surgenas.core.errors import UsageError
from surgenas.core.work import Epochs
from surgenas.methods import make_method
from surgenas.methods.base import Problem
from surgenas.methods.hurricane import Hurricane, HurricaneSearch
from surgenas.predictors.linear import FlopsPredictor
from surgenas.spaces.elastic import Elastic
from surgenas.spaces.operators import Shuffle
from surgenas.testing import Planted, ZeroPredictor
from surgenas.training.augment import steps_per_epoch, train_batches

BATCH = 64
FAST = {"population": 12, "generations": 2, "mutations": 6, "crossovers": 6}
FEW = {"population": 6, "generations": 2, "mutations": 3, "crossovers": 3}


def make(halves, predictor=None, limit_ms=2.0, space=None, **settings) -> HurricaneSearch:
    data, held_out = halves
    space = space or Planted()
    problem = Problem(
        space, limit_ms, 0, predictor=predictor or ZeroPredictor(space.costs()),
        steps_per_epoch=steps_per_epoch(data, BATCH), held_out=held_out,
    )  # fmt: skip
    return Hurricane(**{**FAST, **settings}).begin(problem)


def briefly(search, halves, first, last):
    """Epochs of one step."""
    for epoch in range(first, last):
        search.tell(Epochs(epoch), [next(train_batches(halves[0], 8, 0, epoch))])


@pytest.mark.parametrize("backwards", [False, True])
def test_the_first_stage_searches_the_later_layers_and_the_second_the_others(halves, backwards, paths_of, ones):
    search = make(halves, epochs=5, early=2, reversed=backwards)
    first, second = ({2, 3, 4, 5}, {0, 1}) if not backwards else ({0, 1}, {2, 3, 4, 5})
    assert (set(search.first), set(search.second)) == (first, second)
    assert search.first_epochs == (3 if not backwards else 2)
    paths = paths_of(search, range(60))
    assert all(path[layer] == 0 for path in paths for layer in second), "best-scoring comes first"
    assert {path[min(first)] for path in paths} == {0, 1, 2, 3}
    briefly(search, halves, 0, search.first_epochs + 1)
    a1 = search.space.architecture(search.a1)
    assert all(a1.genes[layer] == search.space.choices[layer].options[0] for layer in second)
    fixed = moves.indices(search.space, a1)
    assert all(path[layer] == fixed[layer] for path in paths_of(search, range(20)) for layer in first)
    found = search.propose(ones, (0.0, 2.0), 5, np.random.default_rng(0))
    assert all(arch.genes[layer] == a1.genes[layer] for arch in found for layer in first)
    assert search.judge(found[:1])[0] >= search.judge([a1])[0]


def test_layers_are_split_at_a_stage_boundary(halves):
    small = make(halves, space=Shuffle(layout="small", resolution=16, classes=10), epochs=2)
    assert list(small.second) == [0, 1, 2, 3, 4], "two layers, then three"
    assert list(make(halves, space=Shuffle(), epochs=2).second) == list(range(8))


def test_a_cold_second_stage_starts_from_fresh_weights(halves, run):
    cold = make(halves, epochs=2, warm=False)
    fresh = copy.deepcopy(cold.supernet.state_dict())
    run(cold, 0, 1)
    seen = []
    cold.train_on = lambda *_: seen.append(copy.deepcopy(cold.supernet.state_dict())) or (1.0, 0.0, 0.0)
    run(cold, 1, 2)
    assert all(torch.equal(value, fresh[name]) for name, value in seen[0].items())
    assert not cold.optimizer.state
    assert {id(p) for p in cold.optimizer.param_groups[0]["params"]} == {id(p) for p in cold.supernet.parameters()}


@pytest.mark.slow
def test_the_first_stage_ends_near_the_limit_where_it_can(halves):
    space = Planted()
    predictor = FlopsPredictor(space.costs())
    predictor.set(space.costs().macs / 1e6, 0.0)

    def predicted(search):
        return float(predictor.predict(moves.encode(space, [space.architecture(search.a1)]))[0])

    part = make(halves, epochs=2, early=2).part
    reachable = np.unique(predictor.predict(moves.encode(space, list(moves.enumerate_all(part)))))
    limit_ms = 1.001 * float(reachable[len(reachable) // 2])
    search = make(halves, predictor, limit_ms, epochs=2, early=2)
    briefly(search, halves, 0, 2)
    assert 0.95 * limit_ms <= predicted(search) <= limit_ms
    tight = make(halves, predictor, 1.1 * float(reachable[0]), epochs=2, early=2)  # the window near it may be empty
    briefly(tight, halves, 0, 2)
    assert predicted(tight) <= tight.limit_ms


def test_a_first_stage_that_nothing_fits_takes_the_cheapest_later_layers(halves):
    search = make(halves, limit_ms=0.5, epochs=2, early=2)  # everything takes 1 ms
    briefly(search, halves, 0, 2)
    a1 = moves.indices(search.space, search.space.architecture(search.a1))
    assert a1[:2] == (0, 0)
    assert list(a1[2:]) == search.space.costs().macs[2:].argmin(1).tolist()


def test_interrupted_between_any_two_epochs_it_proposes_the_same(halves, check_going_on):
    check_going_on(lambda: make(halves, epochs=2, **FEW))


def test_it_wants_operators_chosen_and_twice_as_many_judged():
    method = Hurricane(keep=3, b=2.0, per_layer=True)
    needs = method.needs(Planted())
    assert (needs.operators.keep, needs.operators.b, needs.operators.per_layer) == (3, 2.0, True)
    assert needs.judged == 2 * method.population * method.generations


@pytest.mark.parametrize(("settings", "said"), [({"epochs": 1}, "at least 2"), ({"keep": 0}, "keep=0.*equal to 1")])
def test_settings_that_make_no_search(settings, said):
    with pytest.raises(UsageError, match=said):
        make_method("hurricane", settings)


def test_more_early_layers_than_there_are_is_refused(halves):
    with pytest.raises(UsageError, match="expected 1 to 5"):
        make(halves, early=6)


@pytest.mark.slow
def test_on_sizes_the_layers_that_are_not_searched_yet_are_at_their_largest(halves, paths_of):
    space = Elastic(network="test_resnet", resolution=16, classes=10)
    search = make(halves, space=space, limit_ms=0.5, epochs=2, early=3)  # everything takes 1 ms
    largest, costs = moves.indices(space, space.largest()), space.costs()
    assert all(path[:3] == largest[:3] for path in paths_of(search, range(20)))
    briefly(search, halves, 0, 2)
    a1 = moves.indices(space, space.architecture(search.a1))
    assert a1[:3] == largest[:3], "a first stage that nothing fits leaves them so"
    assert a1[3:] == moves.indices(space, moves.decode(space, -costs.macs))[3:]
    assert set(a1[3:]) == {0}
