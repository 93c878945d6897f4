"""PARSEC and FP-NAS: few networks a step, a path in memory, and the operator that carries no signal."""

from __future__ import annotations

import copy
import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from surgenas.core import moves
from surgenas.core.errors import SurgenasError, UsageError
from surgenas.methods.base import Problem
from surgenas.methods.fp_nas import FPNAS, PARSEC, layers_of
from surgenas.spaces.darts import Darts
from surgenas.spaces.mobile import Mobile
from surgenas.spaces.nasbench201 import NASBench201
from surgenas.testing import Planted, ZeroPredictor
from surgenas.training.augment import steps_per_epoch, train_batches

BATCH = 64
SPACE = Planted()


class Paired(Planted):
    """Two of its choices make a layer."""

    name = "paired"

    def layers(self):
        return ((0, 1), (2, 3), (4, 5))


class Dear(ZeroPredictor):
    """A third of a millisecond for each of the last operator; half of one in sum for none."""

    def predict_relaxed(self, gates_NLK):
        return 0.5 + gates_NLK[:, :, -1].sum(1) / 3


def make(halves, method=PARSEC, space=SPACE, predictor=ZeroPredictor, **settings):
    data, held_out = halves
    problem = Problem(
        space, 1.0, 0, predictor=predictor(space.costs()), steps_per_epoch=steps_per_epoch(data, BATCH),
        held_out=held_out,
    )  # fmt: skip
    return method(**{"epochs": 2, **settings}).begin(problem)


def batch(halves, index=0, count=16):
    return next(train_batches(halves[0], count, 0, index))


@pytest.mark.parametrize("paths", [[[0] * 6, [2] * 6, [3, 0, 2, 3, 0, 2]], [[2] * 6]])
def test_weights_learn_from_each_network_by_its_likelihood(halves, paths):
    """Path by path as if all losses were summed at once, each with its share."""
    search, (images, labels) = make(halves, clip=1e6), batch(halves)
    counts = torch.tensor([2.0, 1.0, 1.0][: len(paths)])
    other = copy.deepcopy(search.supernet)
    losses = torch.stack([nn.functional.cross_entropy(other.at(images, p), labels, label_smoothing=0.1) for p in paths])
    (losses * (counts.log() - losses.detach()).softmax(0)).sum().backward()
    said = {}
    search.optimizer.step = lambda: said.update({n: p.grad for n, p in search.supernet.named_parameters()})
    loss, _ = search._train(images, labels, torch.tensor(paths), counts)
    assert loss == pytest.approx(float((counts * losses.detach()).sum() / counts.sum()), rel=1e-5)
    for name, parameter in other.named_parameters():
        if parameter.grad is None:
            assert said[name] is None
        else:
            assert torch.allclose(said[name], parameter.grad, atol=1e-5, rtol=1e-3), name


def test_the_distribution_learns_from_the_second_half_alone(halves):
    search, seen = make(halves, samples=4), []
    plain = search.supernet.at
    search.supernet.at = lambda x, path: seen.append((x, torch.is_grad_enabled())) or plain(x, path)
    search.step(*batch(halves), 0)
    held = [x for x, learning in seen if not learning]
    assert len(held) == len(seen) / 2
    assert all(any(torch.equal(x[0], image) for image in search.held_out.images) for x in held)
    assert not torch.equal(search.belief.logits_GJ, torch.zeros(6, 4))


def test_codes_of_one_network_are_one_network_and_each_of_them_learns_from_it(halves):
    """A skip in the middle of a stage is one at its end. Where all networks are equally good, codes stay equally
    probable, with a baseline and without."""
    space = Mobile(layout="small", resolution=16, classes=10)
    for baseline in (True, False):
        search = make(halves, space=space, samples=64, baseline=baseline, alpha_lr=0.05)
        search.supernet.at = lambda x, path: torch.zeros(len(x), 10, requires_grad=True)
        search._train = lambda *args: (1.0, 0.5)
        codes = torch.ones(3, 11, dtype=torch.int64)
        codes[0, 3] = codes[1, 4] = codes[2, 4] = 6
        paths, of = search._networks(codes)
        assert (len(paths), of.tolist()) == (1, [0, 0, 0])
        for index in range(60):
            search.step(*batch(halves, index), index)
        assert (search.probabilities() - 1 / 7).abs().max() < 0.12, "chance"


def test_a_loss_that_is_no_number_teaches_nothing_and_ends_in_what_to_do(halves):
    search = make(halves, samples=4)
    search.supernet.at = lambda x, path: torch.full((len(x), 10), math.nan, requires_grad=True)
    search._train = lambda *args: (math.nan, 0.1)
    with pytest.raises(SurgenasError, match=r"diverged in epoch 1.*--set weight_lr"):
        search.run_epoch(0, [batch(halves)] * 3)
    assert torch.equal(search.belief.logits_GJ, torch.zeros(6, 4))


def test_fewer_networks_are_drawn_as_the_distribution_sharpens(halves):
    search = make(halves, FPNAS, least=2, per_nat=0.5)
    assert search.draws.count(search.belief.distribution.entropy()) == round(0.5 * 6 * math.log(4))
    search.belief.logits_GJ.data[:, 0] = 50.0
    assert search.draws.count(search.belief.distribution.entropy()) == 2


@pytest.mark.parametrize("loss", ["multiplier", "published"])
def test_what_takes_longer_than_the_limit_becomes_improbable(halves, loss):
    search = make(halves, predictor=Dear, samples=8, loss=loss, latency_weight=3.0, alpha_lr=0.1)
    search.supernet.at = lambda x, path: torch.zeros(len(x), 10, requires_grad=True)
    search._train = lambda *args: (1.0, 0.5)
    for index in range(30):
        *_, ms = search.step(*batch(halves), index)
    assert ms < 1.1
    assert search.probabilities()[:, -1].mean() < 0.26


@pytest.mark.slow  # tests/methods/test_belief.py has what must follow from losses
def test_an_operator_that_says_nothing_becomes_improbable_in_every_layer(halves):
    """Also where the stride is 2, of which a gradient through gates says nothing."""
    search = make(halves, samples=8, epochs=3, alpha_lr=0.05)
    for epoch in range(3):
        for index, (images, labels) in enumerate(train_batches(halves[0], BATCH, 0, epoch)):
            search.step(images, labels, epoch * search.steps_per_epoch + index)
    assert (search.probabilities()[:, 1] < 0.25).all()


def test_what_is_said_of_an_epoch_and_gone_on_with(halves):
    def told(search, index):
        torch.manual_seed(index)  # an operator draws noise
        search.step(*batch(halves, index), index)
        return search.summary({"epoch": index, "loss": 1.0, "accuracy": 0.5, "latency_ms": 1.0})

    one, other = make(halves, FPNAS), make(halves, FPNAS)
    event = told(one, 0)
    assert (event.drawn, event.parts) == (4, 6)
    assert 1 <= event.distinct <= 4
    assert event.entropy == pytest.approx(6 * math.log(4), abs=0.2)
    other.load_state_dict(copy.deepcopy(one.state_dict()))
    assert told(one, 1) == told(other, 1)
    assert one.propose(lambda archs: np.ones(len(archs)), (0.5, 1.5), 3, np.random.default_rng(0))[0] == one.largest()


def test_variables_are_decided_one_by_one_and_then_their_combinations(halves):
    """Also by a search that is restored after the change from a state saved before it, and the other way round."""
    search = make(halves, FPNAS, Paired(), coarse=0.5)
    half = search.steps_per_epoch
    assert layers_of(search.space) == ((0, 1), (2, 3), (4, 5))
    saved = []
    for index in (0, half - 1, half):
        search.step(*batch(halves, index), index)
        saved.append((len(search.belief.distribution.parts.groups), copy.deepcopy(search.state_dict())))
    assert [parts for parts, _ in saved] == [6, 6, 3]
    for parts, state in saved:
        again = make(halves, FPNAS, Paired(), coarse=0.5)
        again.load_state_dict(state)
        assert len(again.belief.distribution.parts.groups) == parts
        again.step(*batch(halves), half)
        assert len(again.belief.distribution.parts.groups) == 3
    joint = make(halves, FPNAS, Paired(), coarse=0.0)
    assert len(joint.belief.distribution.parts.groups) == 3


def test_cells_can_be_drawn_whose_edges_all_stay(halves):
    search = make(halves, space=NASBench201(channels=4, repeats=1, resolution=8), samples=3)
    search.step(*batch(halves), 0)
    assert layers_of(search.space) == tuple((row,) for row in range(6))
    assert moves.path_of(search.space, search.largest()) == search.belief.distribution.mode()
    with pytest.raises(UsageError, match="not which edges a node of darts reads; use --space nasbench201"):
        make(halves, space=Darts(channels=4, layers=3, resolution=8))


def test_what_cannot_be_compared_is_refused(halves):
    for settings in ({"samples": 1}, {"samples": -1}, {"least": 1}):
        with pytest.raises(UsageError, match="samples=2 or more, or 0, and least=2"):
            PARSEC(**settings)
    with pytest.raises(UsageError, match="parsec needs images that its weights are not trained on"):
        make((halves[0], replace(halves[1], images=halves[1].images[:1], labels=halves[1].labels[:1])))
