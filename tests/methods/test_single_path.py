"""Single-Path NAS: thresholds that move, a latency that lands, and exact resumption."""

from __future__ import annotations

import copy
import math

import numpy as np
import pytest
import torch

from surgenas.core import moves
from surgenas.core.errors import SurgenasError, UsageError
from surgenas.core.work import Epochs
from surgenas.methods import make_method
from surgenas.methods.base import Problem
from surgenas.methods.single_path import SinglePathNAS, SinglePathSearch
from surgenas.nn.superkernel import E3
from surgenas.predictors.linear import FlopsPredictor
from surgenas.predictors.process import GraphProcess
from surgenas.spaces.mobile import Mobile
from surgenas.spaces.single_path import SinglePath, SinglePathSE
from surgenas.training.augment import steps_per_epoch, train_batches

SMALL = {"layout": "small", "resolution": 16, "classes": 10}
SPACE = SinglePath(**SMALL)
BATCH = 128


def predictor(space=SPACE, kind=FlopsPredictor):
    """ms = MMACs of the searched layers."""
    rng = np.random.default_rng(0)
    code = moves.encode(space, [moves.sample(space, rng) for _ in range(60)])
    return kind(space.costs()).fit(code, (code * space.costs().macs).sum((1, 2)) / 1e6)


def make(data, space=SPACE, limit=0.5, predict=None, seed=0, **settings) -> SinglePathSearch:
    """limit: share of the largest network."""
    found = predict or predictor(space)
    largest = found.predict(moves.encode(space, [moves.decode(space, space.costs().macs)]))[0]
    steps = steps_per_epoch(data, BATCH)
    return SinglePathNAS(**settings).begin(
        Problem(space, limit * largest, seed, predictor=found, steps_per_epoch=steps)
    )


def run(search, data, first=0, until=None):
    epochs = range(first, until or search.epochs)
    return [search.tell(Epochs(e), train_batches(data, BATCH, search.seed, e))[0] for e in epochs]


@pytest.mark.parametrize(
    "space", [SPACE, SinglePathSE(layout="small", resolution=16, classes=10)], ids=lambda s: s.name
)
@pytest.mark.parametrize("faithful", [False, True])
def test_every_threshold_moves(few_digits, space, faithful):
    """But those of what cannot be decided: skips of layers that must be, rings that only ever see padding."""
    search = make(few_digits, space, faithful=faithful, epochs=2, warmup=0.5)
    before = search.thresholds.detach().clone()
    run(search, few_digits)
    moved = search.thresholds.detach() != before
    matters = torch.ones_like(moved)
    for layer, slot in enumerate(space.slots):
        matters[layer, E3] = slot.is_identity
        matters[layer, 0] = slot.size > 1
    assert moved[matters].all()


@pytest.mark.slow
def test_the_latency_lands_on_the_limit(digits):
    epochs = run(make(digits, epochs=12, warmup=0.25), digits)
    assert all(math.isnan(e.latency_ms) for e in epochs[:3])
    limit = make(digits).limit_ms
    assert epochs[3].latency_ms > 1.2 * limit, "it starts from the largest network"
    lately = np.median([e.latency_ms for e in epochs[-4:]])  # one decision more or less is a tenth
    assert lately == pytest.approx(limit, rel=0.06)
    assert 0 < epochs[-1].skips < 8
    assert np.shape(epochs[-1].thresholds) == np.shape(epochs[-1].indicators) == (11, 3)


def test_what_it_would_choose_is_what_its_hard_decisions_run(few_digits):
    search = make(few_digits, epochs=3, warmup=0.3)
    run(search, few_digits)
    decisions = search.decisions()
    assert set(decisions.unique().tolist()) <= {0.0, 1.0}
    images = few_digits.normalise(few_digits.test.images[:4])
    search.supernet.eval()
    with torch.no_grad():
        assert torch.allclose(search.supernet(images, decisions), search.supernet.at(images, search.path()), atol=1e-5)
    p_LK = search.probabilities()
    assert torch.allclose(p_LK.sum(1), torch.ones(11), atol=1e-5)
    assert (p_LK[[0, 2, 5, 8], -1] == 0).all(), "no skip where none is allowed"


@pytest.mark.parametrize(
    "settings", [{}, {"faithful": True}, {"loss": "log", "search_lambda": "bisection", "tries": 2}]
)
def test_a_search_goes_on_as_if_it_had_not_stopped(few_digits, settings):
    settings = {"epochs": 3, "warmup": 0.34, **settings}
    whole, expected, saved = make(few_digits, **settings), [], {}
    for epoch in range(whole.epochs):
        saved[epoch] = copy.deepcopy(whole.state_dict())
        expected += run(whole, few_digits, epoch, epoch + 1)
    for stop in sorted({1, whole.epochs // 2, whole.epochs - 1}):
        second = make(few_digits, **settings)
        second.load_state_dict(saved[stop])
        assert run(second, few_digits, first=stop) == pytest.approx(expected[stop:], nan_ok=True)
        assert torch.equal(second.thresholds, whole.thresholds)


def test_while_warming_up_decisions_are_dropped_by_the_step_alone(few_digits):
    """As `indicators.kept` has it; what runs is kept or dropped decisions, and all of them once it searches."""
    search, seen = make(few_digits, epochs=2, warmup=0.5, indicator_dropout="equal"), []
    search.supernet.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[1].detach().clone()))
    run(search, few_digits)
    steps = search.steps_per_epoch
    assert len(seen) == 2 * steps
    assert len({tuple(masked.flatten().tolist()) for masked in seen[:steps]}) > 1
    assert (seen[0] == 0).any()
    assert torch.equal(seen[steps], torch.ones(11, 3)), "it starts from the largest network"
    again, first = make(few_digits, epochs=2, warmup=0.5, indicator_dropout="equal"), list(seen)
    again.supernet.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[1].detach().clone()))
    again.step(*next(train_batches(few_digits, BATCH, 0, 0)), 0)
    assert torch.equal(seen[-1], first[0])


def test_the_papers_runtime_of_the_largest_network_is_the_exact_one(few_digits):
    exact, paper = make(few_digits), make(few_digits, runtime="paper")
    decisions = torch.ones(11, 3)
    assert paper.runtime_ms(decisions) == pytest.approx(float(exact.runtime_ms(decisions)), rel=1e-4)


def test_lambda_is_searched_from_the_same_warm_weights(few_digits):
    search = make(few_digits, epochs=4, warmup=0.5, loss="log", search_lambda="bisection", tries=3)
    assert search.epochs == 2 + 3 * 2
    epochs = run(search, few_digits)
    assert [e.epoch for e in epochs] == list(range(8))
    assert len({e.lam for e in epochs[2:]}) == 3 or search.finished
    assert len(search.tries) == 3
    again = make(few_digits, epochs=4, warmup=0.5, loss="log", lam=epochs[-1].lam)
    run(again, few_digits, until=2)
    for epoch in (2, 3):  # the images of the last search
        last = again.tell(Epochs(epoch), train_batches(few_digits, BATCH, 0, epoch + 4))[0]
    assert (last.latency_ms, last.loss) == (epochs[-1].latency_ms, epochs[-1].loss)


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"epochs": 1}, "none is left to search in"),
        ({"epochs": 3, "warmup": 0.9}, "none is left to search in"),
        ({"loss": "nope"}, "loss=nope.*'multiplier', 'log' or 'target'"),
        ({"search_lambda": "bayes"}, "loss=log"),
        ({"keep": 0.0}, "expected keep in"),
        ({"tries": 0}, "tries=0.*equal to 1"),
        ({"indicator_dropout": "half"}, "'equal', 'authors' or 'none'"),
    ],
)
def test_settings_that_cannot_be_are_refused(settings, named):
    with pytest.raises(UsageError, match=named):
        make_method("single-path", settings)


def test_what_does_not_fit_together_is_said(few_digits):
    with pytest.raises(UsageError, match="'mobile' shares them as choice; use --space single_path"):
        make(few_digits, Mobile(**SMALL))
    with pytest.raises(UsageError, match="runtime=paper"):
        make(few_digits, predict=predictor(kind=GraphProcess), runtime="paper")
    with pytest.raises(SurgenasError, match="diverged in epoch 1"):
        make(few_digits).tell(Epochs(0), [(torch.full((4, 3, 16, 16), math.nan), torch.zeros(4, dtype=torch.long))])
