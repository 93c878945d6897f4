"""SurgeNAS against the laws of docs/methods/surgenas.md: fair updates, credit, planted operator, limit, exactness."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from surgenas.core import moves
from surgenas.core.errors import UsageError
from surgenas.methods.constrained import most_probable
from surgenas.methods.surgenas import SurgeNAS, SurgeNASConfig, path_credit
from surgenas.nn.supernet import Gates
from surgenas.predictors.linear import FlopsPredictor
from surgenas.testing import Planted, ZeroPredictor
from surgenas.training.augment import steps_per_epoch, train_batches

BATCH = 64


def make(space, data, predictor=None, limit_ms=1.0, seed=0, **settings) -> SurgeNAS:
    return SurgeNAS(
        space,
        SurgeNASConfig(**settings),
        predictor or ZeroPredictor(space.costs()),
        limit_ms,
        steps_per_epoch=steps_per_epoch(data, BATCH),
        seed=seed,
        device=torch.device("cpu"),
    )


def run(method, data, epochs, seed=0, first=0):
    return [method.run_epoch(e, train_batches(data, BATCH, seed, e)) for e in range(first, epochs)]


def batch(data, n=8):
    return next(train_batches(data, n, 0, 0))


@pytest.mark.parametrize("estimator", ["path-credit", "straight-through", "both"])
def test_every_operator_runs_and_learns_exactly_once_a_step(digits, estimator):
    method = make(Planted(), digits, estimator=estimator, epochs=2, warmup=0.0, weight_decay=0.0)
    calls, grads = {}, {}
    for layer, block in enumerate(method.supernet.layers):
        for k, op in enumerate(block.ops):

            def forward(*_, at=(layer, k)):
                calls[at] = calls.get(at, 0) + 1

            def backward(_, at=(layer, k)):
                grads[at] = grads.get(at, 0) + 1

            op.register_forward_hook(forward)
            list(op.parameters())[-1].register_hook(backward)
    images, labels = batch(digits)
    method.step(images, labels, 0)
    everywhere = {(layer, k): 1 for layer in range(6) for k in range(4)}
    assert calls == everywhere
    assert grads == everywhere


def test_the_stem_that_all_paths_share_gets_the_gradient_of_each(digits):
    method = make(Planted(), digits, epochs=2, warmup=0.0, clip=1e9)
    images, labels = batch(digits, 32)
    _, tau, eta = method._schedule(0)
    torch.manual_seed(0)  # the planted operator draws noise
    for gates in method._draw(tau, 0, True):
        method.criterion(method.supernet(images, Gates(gates.weights.detach(), gates.path), eta), labels).backward()
    apart = [p.grad.clone() for p in method.supernet.stem.parameters()]
    torch.manual_seed(0)
    method.step(images, labels, 0)
    for p, grad in zip(method.supernet.stem.parameters(), apart, strict=True):
        assert torch.allclose(p.grad, grad, rtol=1e-3, atol=1e-6)


def test_path_credit_is_its_formula():
    """Against a plain loop over layers and operators."""
    logits = torch.randn(3, 4)
    orders = torch.stack([torch.randperm(4) for _ in range(3)])
    paths = [Gates.one_hot(orders[:, i].tolist(), 4) for i in range(4)]
    losses = torch.tensor([1.0, 3.0, 2.0, 5.0])
    got = path_credit(logits, paths, losses)
    z, p = (losses - losses.mean()) / losses.std(correction=0), logits.softmax(1)
    for layer in range(3):
        A = torch.tensor([z[orders[layer].tolist().index(k)] for k in range(4)])
        for m in range(4):
            assert got[layer, m] == pytest.approx(float(p[layer, m] * (A[m] - (p[layer] * A).sum())), abs=1e-6)
    assert torch.allclose(got.sum(1), torch.zeros(3), atol=1e-6)


def search_planted(digits, seed, **settings):
    """(layers,) probability left on the bad operator."""
    method = make(Planted(), digits, seed=seed, epochs=8, warmup=0.25, loss="penalty", latency_weight=0.0, **settings)
    run(method, digits, 8, seed)
    return method.probabilities()[:, 1]


@pytest.mark.parametrize("eta", [0.0, 1.0])
def test_a_planted_bad_operator_is_found_in_every_layer(digits, eta):
    """Below half of its chance probability everywhere, with and without eta (docs/methods/surgenas.md, 4)."""
    for seed in range(3):
        bad = search_planted(digits, seed, eta=eta)
        assert float(bad.max()) < 0.125, f"seed {seed}: {bad.tolist()}"


def test_straight_through_is_blind_where_a_normalization_follows(digits):
    """Why it is not the default: the scale of a result that is normalised next cannot matter, so <dL/dh, o> is 0 where
    the next layer has no residual, unless a shortcut stands beside it."""
    net, path = Planted().supernet().train(), (0, 0, 0, 0, 0, 0)
    images, labels = batch(digits, 64)

    def seen(eta):
        weights = Gates.one_hot(path, 4).weights.requires_grad_()
        torch.nn.functional.cross_entropy(net(images, Gates(weights, path), eta), labels).backward()
        return weights.grad[:, 0].abs()

    before_a_change_of_shape = [0, 3, 5]
    assert seen(0.0)[before_a_change_of_shape].max() < 0.01 * seen(1.0)[before_a_change_of_shape].min()


def test_the_multiplier_lands_on_the_limit(small, digits):
    """With accuracy out of the way, the expected latency is driven to the limit, from either side."""
    rng = np.random.default_rng(0)
    archs = [moves.sample(small, rng) for _ in range(40)]
    code = moves.encode(small, archs)
    ms = 1e-7 * ((code * small.costs().macs).sum((1, 2)) + small.costs().fixed_macs)
    predictor = FlopsPredictor(small.costs()).fit(code, ms)
    for share in (0.7, 1.3):
        limit = share * float(ms.mean())
        method = make(small, digits, predictor, limit, epochs=10, warmup=0.0, alpha_lr=0.02)
        paths_losses = torch.zeros(7)
        found = []
        for step in range(400):
            paths = method._draw(1.0, step, True)
            found.append(method._alpha_step(paths, paths_losses, [None] * 7))
        assert np.mean(found[-200:]) == pytest.approx(limit, rel=0.05)


def test_eta_fades_to_exactly_zero_and_warmup_leaves_the_logits(digits):
    method = make(Planted(), digits, epochs=4, warmup=0.25)
    before = method.logits_LK.detach().clone()
    first = run(method, digits, 1)[0]
    assert torch.equal(method.logits_LK.detach(), before)
    assert first.eta == 1.0
    assert np.isnan(first.latency_ms)
    total = 4 * method.steps_per_epoch
    assert method._schedule(total - method.steps_per_epoch)[2] == 0.0
    assert method._schedule(2 * total)[2] == 0.0, "past the end the schedules keep their last values"


def test_state_restored_in_the_middle_gives_the_same_end(digits):
    whole = make(Planted(), digits, epochs=3, warmup=0.3)
    run(whole, digits, 3)
    half = make(Planted(), digits, epochs=3, warmup=0.3)
    run(half, digits, 2)
    state = half.state_dict()
    again = make(Planted(), digits, epochs=3, warmup=0.3)
    torch.randn(5)  # whatever else used the global generator in between
    again.load_state_dict(state)
    run(again, digits, 3, first=2)
    assert torch.equal(whole.logits_LK, again.logits_LK)
    for name, value in whole.supernet.state_dict().items():
        assert torch.equal(value, again.supernet.state_dict()[name]), name


@pytest.mark.parametrize("sampler", ["ods", "fair", "gdas", "spos", "darts"])
def test_all_samplers_run_in_the_same_search(digits, sampler):
    estimator = "path-credit" if sampler in ("ods", "fair") else "straight-through"
    method = make(Planted(), digits, epochs=1, warmup=0.0, sampler=sampler, estimator=estimator)
    images, labels = batch(digits)
    for index in range(3):  # operators that no path has used yet have no gradient, nor a momentum
        loss, _, latency_ms = method.step(images, labels, index)
        assert loss > 0
        assert latency_ms == 1.0


@pytest.mark.parametrize(
    ("settings", "named"),
    [({"sampler": "gdas"}, "path credit"), ({"estimator": "x"}, "estimator"), ({"loss": "x"}, "loss"),
     ({"sampler": "fair", "estimator": "both"}, "fair"), ({"epochs": 0}, "epochs")],
)  # fmt: skip
def test_contradictions_are_refused(settings, named):
    with pytest.raises(UsageError, match=named):
        SurgeNASConfig(**settings)


def test_most_probable_is_the_constrained_optimum():
    """Against enumeration of all 4096 architectures."""
    space, rng = Planted(), np.random.default_rng(0)
    p = rng.dirichlet(np.ones(4), size=6)
    cost = rng.random((6, 4))

    def latency(archs):
        return (moves.encode(space, archs) * cost).sum((1, 2))

    everything = list(moves.enumerate_all(space))
    window = tuple(np.quantile(latency(everything), [0.30, 0.36]))
    inside = [a for a, ms in zip(everything, latency(everything), strict=True) if window[0] <= ms <= window[1]]

    def log_p(arch):
        return np.log(p[np.arange(6), moves.indices(space, arch)]).sum()

    best = max(inside, key=log_p)
    found = most_probable(space, p, latency, window, rng, count=3)
    assert found[0] == best
    assert len(set(found)) == 3
    assert most_probable(space, p, latency, (100, 101), rng) == []
