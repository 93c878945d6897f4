"""Single-Path NAS: thresholds that move, a latency that lands, lambdas that are found, and exact resumption."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from surgenas.core import moves
from surgenas.core.errors import SurgenasError, UsageError
from surgenas.methods.indicators import paper_runtime
from surgenas.methods.lambda_search import WAYS, landed, propose
from surgenas.methods.single_path import SinglePathConfig, SinglePathNAS
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


def make(data, space=SPACE, limit=0.5, predict=None, seed=0, **settings):
    """limit: share of the largest network."""
    found = predict or predictor(space)
    largest = found.predict(moves.encode(space, [moves.decode(space, space.costs().macs)]))[0]
    return SinglePathNAS(
        space, SinglePathConfig(**settings), found, limit * largest, steps_per_epoch=steps_per_epoch(data, BATCH),
        seed=seed, device=torch.device("cpu"),
    )  # fmt: skip


def run(method, data, first=0, until=None):
    return [
        method.run_epoch(e, train_batches(data, BATCH, method.seed, e)) for e in range(first, until or method.epochs)
    ]


@pytest.mark.parametrize(
    "space", [SPACE, SinglePathSE(layout="small", resolution=16, classes=10)], ids=lambda s: s.name
)
@pytest.mark.parametrize("faithful", [False, True])
def test_every_threshold_moves(digits, space, faithful):
    """But those of what cannot be decided: skips of layers that must be, rings that only ever see padding."""
    method = make(digits, space, faithful=faithful, epochs=2, warmup=0.5)
    before = method.thresholds.detach().clone()
    run(method, digits)
    moved = method.thresholds.detach() != before
    matters = torch.ones_like(moved)
    for layer, slot in enumerate(space.slots):
        matters[layer, E3] = slot.is_identity
        matters[layer, 0] = slot.size > 1
    assert moved[matters].all()


def test_the_latency_lands_on_the_limit(digits):
    epochs = run(make(digits, epochs=12, warmup=0.25), digits)
    assert all(math.isnan(e.latency_ms) for e in epochs[:3])
    limit = make(digits).limit_ms
    assert epochs[3].latency_ms > 1.2 * limit, "it starts from the largest network"
    lately = np.median([e.latency_ms for e in epochs[-4:]])  # one decision more or less is a tenth
    assert lately == pytest.approx(limit, rel=0.06)
    assert 0 < epochs[-1].skips < 8
    assert np.shape(epochs[-1].thresholds) == np.shape(epochs[-1].indicators) == (11, 3)


def test_what_it_would_choose_is_what_its_hard_decisions_run(digits):
    method = make(digits, epochs=3, warmup=0.3)
    run(method, digits)
    decisions = method.decisions()
    assert set(decisions.unique().tolist()) <= {0.0, 1.0}
    images = digits.normalise(digits.test.images[:4])
    method.supernet.eval()
    with torch.no_grad():
        assert torch.allclose(method.supernet(images, decisions), method.supernet.at(images, method.path()), atol=1e-5)
    p_LK = method.probabilities()
    assert torch.allclose(p_LK.sum(1), torch.ones(11), atol=1e-5)
    assert (p_LK[[0, 2, 5, 8], -1] == 0).all(), "no skip where none is allowed"


@pytest.mark.parametrize(
    "settings", [{}, {"faithful": True}, {"loss": "log", "search_lambda": "bisection", "tries": 2}]
)
def test_a_search_goes_on_as_if_it_had_not_stopped(digits, settings):
    settings = {"epochs": 3, "warmup": 0.34, **settings}
    whole = make(digits, **settings)
    expected = run(whole, digits)
    for stop in sorted({1, whole.epochs // 2, whole.epochs - 1}):
        first, second = make(digits, **settings), make(digits, **settings)
        run(first, digits, until=stop)
        second.load_state_dict(first.state_dict())
        assert run(second, digits, first=stop) == pytest.approx(expected[stop:], nan_ok=True)
        assert torch.equal(second.thresholds, whole.thresholds)


def test_dropout_gives_operators_an_equal_chance(digits):
    method = make(digits)
    kept = torch.stack([method._kept(i) for i in range(3000)])
    gates = torch.stack([method.supernet.gates(k) for k in kept[:, :2]]).mean(0)
    assert torch.allclose(gates[1], torch.tensor([1, 1, 1, 1, 2]) / 6, atol=0.04)
    assert torch.allclose(gates[0, :4], torch.full((4,), 0.25), atol=0.04)
    authors = make(digits, indicator_dropout="authors")._kept(0)
    assert authors.unique().tolist() == pytest.approx([0.0, 1 / 0.6])
    assert (make(digits, indicator_dropout="none")._kept(0) == 1).all()


def test_the_papers_runtime_is_exact_only_where_its_ratio_is(digits):
    """R_e rho is R_{k3} at e6 by definition; at e3 it is only as far as kernels cost the same share there."""
    flat = {"k3e6": torch.tensor([4.0]), "k5e3": torch.tensor([3.0]), "k5e6": torch.tensor([8.0])}
    cases = {(1, 1, 1): 8.0, (0, 1, 1): 4.0, (1, 1, 0): 3.0, (0, 1, 0): 1.5, (1, 0, 1): 0.0}
    for decisions, ms in cases.items():
        assert paper_runtime(torch.tensor([decisions]).float(), flat) == ms
    exact, paper = make(digits), make(digits, runtime="paper")
    decisions = torch.ones(11, 3)
    assert paper.runtime_ms(decisions) == pytest.approx(float(exact.runtime_ms(decisions)), rel=1e-4)


@pytest.mark.parametrize("way", WAYS)
def test_lambda_is_found(way):
    """Runtime falls with lambda, in a step and with noise; the searches that it takes are few."""
    rng, tries = np.random.default_rng(0), []
    while not landed(tries) and len(tries) < 12:
        x = propose(way, tries, -6.0, -2.0)
        assert -6 <= x <= -2
        tries.append((x, 1.8 / (1 + math.exp(3 * (x + 3.4))) + 0.2 + 0.005 * rng.standard_normal()))
    assert landed(tries)
    assert len(tries) <= 9


def test_lambda_is_searched_from_the_same_warm_weights(digits):
    method = make(digits, epochs=4, warmup=0.5, loss="log", search_lambda="bisection", tries=3)
    assert method.epochs == 2 + 3 * 2
    epochs = run(method, digits)
    assert [e.epoch for e in epochs] == list(range(8))
    assert len({e.lam for e in epochs[2:]}) == 3 or method.finished
    assert len(method.tries) == 3
    again = make(digits, epochs=4, warmup=0.5, loss="log", lam=epochs[-1].lam)
    run(again, digits, until=2)
    for epoch in (2, 3):  # the images of the last search
        last = again.run_epoch(epoch, train_batches(digits, BATCH, 0, epoch + 4))
    assert (last.latency_ms, last.loss) == (epochs[-1].latency_ms, epochs[-1].loss)


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"epochs": 1}, "none is left to search in"),
        ({"epochs": 3, "warmup": 0.9}, "none is left to search in"),
        ({"loss": "nope"}, "multiplier, log, target"),
        ({"search_lambda": "bayes"}, "loss=log"),
        ({"keep": 0.0}, "expected keep in"),
        ({"tries": 0}, "tries 1 or more"),
        ({"indicator_dropout": "half"}, "equal, authors, none"),
    ],
)
def test_settings_that_cannot_be_are_refused(settings, named):
    with pytest.raises(UsageError, match=named):
        SinglePathConfig(**settings)


def test_what_does_not_fit_together_is_said(digits):
    with pytest.raises(UsageError, match="'mobile' has not; use --space single_path"):
        make(digits, Mobile(**SMALL))
    with pytest.raises(UsageError, match="runtime=paper"):
        make(digits, predict=predictor(kind=GraphProcess), runtime="paper")
    with pytest.raises(SurgenasError, match="diverged in epoch 1"):
        make(digits).run_epoch(0, [(torch.full((4, 3, 16, 16), math.nan), torch.zeros(4, dtype=torch.long))])
