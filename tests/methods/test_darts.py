"""DARTS and DARTS-PT: two halves, what is learned from which, and the operator that carries the signal."""

from __future__ import annotations

import copy
import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from surgenas.core import moves
from surgenas.core.errors import UsageError
from surgenas.core.work import Epochs
from surgenas.methods import make_method
from surgenas.methods.base import Problem
from surgenas.methods.darts import DARTS, DARTSPT
from surgenas.methods.perturbation import events_of
from surgenas.nn.supernet import Gates
from surgenas.spaces.darts import Darts
from surgenas.spaces.nasbench201 import NASBench201
from surgenas.testing import Planted, ZeroPredictor
from surgenas.training.augment import steps_per_epoch, train_batches

BATCH = 64
SMALL = Darts(channels=4, layers=3, resolution=8)
TWO = Darts(channels=4, layers=3, resolution=8, operators="s2")


def make(halves, method=DARTS, space=SMALL, **settings):
    data, held_out = halves
    problem = Problem(
        space, 2.0, 0, predictor=ZeroPredictor(space.costs()), steps_per_epoch=steps_per_epoch(data, BATCH),
        held_out=held_out,
    )  # fmt: skip
    return method(**{"epochs": 2, **settings}).begin(problem)


def batch(halves, index=0):
    return next(train_batches(halves[0], 16, 0, index))


def short(halves, epoch):
    """A pass of two batches."""
    return [batch(halves, 2 * epoch), batch(halves, 2 * epoch + 1)]


def test_logits_learn_from_the_second_half_and_weights_from_the_first(halves):
    search = make(halves)
    seen, said = [], search.supernet.forward
    search.supernet.forward = lambda x, *rest: seen.append(x) or said(x, *rest)
    images, labels = batch(halves)
    before, logits = copy.deepcopy(search.supernet.state_dict()), search.logits_LK.detach().clone()
    search.step(images, labels, 0)
    assert any(torch.equal(seen[0][0], image) for image in search.held_out.images)
    assert torch.equal(seen[1], images)
    assert not torch.equal(search.logits_LK, logits)
    assert any(not torch.equal(v, before[k]) for k, v in search.supernet.state_dict().items() if "weight" in k)


def test_fixed_operators_stay_equal(halves):
    search = make(halves, fixed=True, selection="perturbation")
    search.step(*batch(halves), 0)
    assert np.allclose(search.probabilities()[:, :-1], 1 / 7)
    assert not search.seen


def test_the_second_order_is_another_gradient(halves):
    found = []
    for order in ("first", "second"):
        search = make(halves, order=order)
        search.step(*batch(halves), 0)
        found.append(search.logits_LK.grad.clone())
    cosine = float(torch.nn.functional.cosine_similarity(*(g[:, :-1].flatten() for g in found), dim=0))
    assert 0.5 < cosine < 1 - 1e-7


def test_learning_rates_fall_and_tuning_takes_a_tenth(halves):
    search = make(halves, epochs=2)
    steps = 2 * search.steps_per_epoch
    assert search._weight_lr(0) == pytest.approx(0.025)
    assert search._weight_lr(steps - 1) < 0.02
    assert search._weight_lr(steps) == pytest.approx(0.0025)


def test_after_the_epochs_there_are_as_many_tuning_passes_as_decisions_ask_for(halves):
    assert make(halves).most_events == 2
    assert make(halves, DARTSPT, tuning=2).most_events == 2 + 2 * 16, "14 operators and 3 nodes, tuned in between"


def run(halves, search, until=None):
    events = []
    for work in iter(lambda: next(iter(search.ask()), None), None):
        assert isinstance(work, Epochs)
        events += search.tell(work, short(halves, work.number))
        if until is not None and len(events) == until:
            break
    return events


def test_a_selection_ends_in_the_network_that_it_decided_and_can_be_resumed_anywhere(halves, differing):
    space = NASBench201(channels=4, repeats=1, resolution=8)
    few = (halves[0], replace(halves[1], images=halves[1].images[:32], labels=halves[1].labels[:32]))

    def begin():
        return make(few, DARTSPT, space, tuning=1, epochs=1)

    whole = begin()
    events = run(few, whole)
    assert sum(len(e.decisions) for e in events) == len(whole.decisions) == 6
    last = whole.largest()
    found = whole.propose(lambda archs: np.ones(len(archs)), (0.5, 1.5), 3, np.random.default_rng(0))
    assert found[0] == last
    assert len(set(found)) == 3
    part, again = begin(), begin()
    run(few, part, until=3)
    again.load_state_dict(copy.deepcopy(part.state_dict()))
    run(few, again)
    assert again.largest() == last
    assert differing(whole.supernet, again.supernet) == []


def test_judging_leaves_the_supernet_as_it_was(halves):
    search = make(halves)
    before = copy.deepcopy(search.supernet.state_dict())
    search.supernet.train()
    once = search.judge([search._weights().detach()])
    assert once == search.judge([search._weights().detach()])
    assert search.supernet.training
    assert all(torch.equal(v, before[k]) for k, v in search.supernet.state_dict().items())


@pytest.fixture(scope="module")
def trained(halves):
    """A supernet in which one operator of every layer says nothing, and the logits prefer it everywhere."""
    search = make(halves, DARTSPT, Planted(), fixed=True, epochs=3, weight_lr=0.1, tuning=1)
    for epoch in range(3):
        search.supernet.train()
        for index, (images, labels) in enumerate(train_batches(halves[0], BATCH, 0, epoch)):
            search.step(images, labels, epoch * search.steps_per_epoch + index)
    search.logits_LK.data[:, 1] += 0.5
    return search


@pytest.mark.parametrize("seed", [0, 2, *(pytest.param(seed, marks=pytest.mark.slow) for seed in (1, 3, 4))])
def test_an_operator_that_says_nothing_is_not_kept_though_it_weighs_most(trained, seed):
    """Planted: the largest weight would take it on all six layers; taking operators away takes it on one at most."""
    trained.events, trained.decisions = events_of(trained.space, seed), []
    assert (trained.probabilities().argmax(1) == 1).all()
    for event in range(6):
        trained._decide(event)
    assert moves.path_of(trained.space, trained.largest()).count(1) <= 1


def test_what_is_said_of_an_epoch(halves):
    search = make(halves)
    (event,) = search.tell(Epochs(0), short(halves, 0))
    assert event.latency_ms == event.chosen_ms == 1.0
    assert 0 <= event.held_accuracy <= 1
    assert event.entropy == pytest.approx(math.log(7), abs=0.05)
    assert event.skips == sum(row.options[k] == "skip_connect" for row, k in zip(SMALL.rows, event.path, strict=True))


def test_too_few_images_for_a_second_half_are_refused(halves):
    data, held_out = halves
    few = replace(held_out, images=held_out.images[:20], labels=held_out.labels[:20])
    with pytest.raises(UsageError, match="darts needs images that its weights are not trained on, and 20 are too few"):
        make((data, few))


def test_it_is_catalogued_and_says_what_it_needs():
    needs = make_method("darts-pt", {}).needs(Darts())
    assert (needs.data, needs.shares, needs.judged) == ("halves", ("cells", "choice"), 240 * 7)
    assert make_method("darts", {}).needs(Darts()).judged == 0
    with pytest.raises(UsageError, match="fixed=true leaves all operators equal"):
        make_method("darts", {"fixed": True})
    with pytest.raises(UsageError, match="order"):
        make_method("darts", {"order": "third"})


def test_gates_of_a_selection_run_only_what_is_kept(halves):
    search = make(halves, DARTSPT)
    arch = moves.sample(SMALL, np.random.default_rng(0))
    weights = torch.from_numpy(moves.encode(SMALL, [arch])[0]).float()
    ran = []
    for module in search.supernet.modules():
        if isinstance(module, nn.MaxPool2d):
            module.register_forward_hook(lambda *_: ran.append(1))
    search.supernet(batch(halves)[0], Gates(weights, None))
    normal, reduce = SMALL.pairs(arch)
    pools = [[name for name, _ in pairs].count("max_pool_3x3") for pairs in (normal, reduce)]
    assert len(ran) == pools[0] * (SMALL.layers - 2) + pools[1] * 2
