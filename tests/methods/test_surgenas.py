"""SurgeNAS against the laws of docs/methods/surgenas.md: fair updates, credit, planted operator, limit, exactness; on
chains and on cells."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from torch import nn

from surgenas.core import moves
from surgenas.core.errors import SurgenasError, UsageError
from surgenas.core.work import Epochs
from surgenas.methods import make_method
from surgenas.methods.base import Problem
from surgenas.methods.surgenas import SurgeNAS, SurgeNASSearch, path_credit
from surgenas.nn.cells import ChoiceCell
from surgenas.nn.supernet import Gates
from surgenas.predictors.base import Predictor
from surgenas.predictors.linear import FlopsPredictor
from surgenas.spaces.darts import Darts
from surgenas.spaces.elastic import Elastic
from surgenas.spaces.nasbench201 import NASBench201
from surgenas.testing import Planted, ZeroPredictor
from surgenas.training.augment import steps_per_epoch, train_batches

BATCH = 64
CELLS = NASBench201(resolution=16)
ELASTIC = Elastic(network="test_resnet", resolution=16, classes=10)


def make(space, steps, predictor=None, limit_ms=1.0, seed=0, **settings) -> SurgeNASSearch:
    """steps: in an epoch, or the images that it is a pass over."""
    steps = steps if isinstance(steps, int) else steps_per_epoch(steps, BATCH)
    predictor = predictor or ZeroPredictor(space.costs())
    return SurgeNAS(**settings).begin(Problem(space, limit_ms, seed, predictor=predictor, steps_per_epoch=steps))


def run(search, data, epochs, first=0):
    rows = [search.tell(Epochs(e), train_batches(data, BATCH, search.seed, e)) for e in range(first, epochs)]
    return [summary for (summary,) in rows]


def batch(data, n=8):
    return next(train_batches(data, n, 0, 0))


def operators(supernet):
    """By cell, layer and position; a chain is one cell."""
    cells = [part for part in getattr(supernet, "parts", ()) if isinstance(part, ChoiceCell)]
    rows = [[list(edge) for edge in cell.edges] for cell in cells] or [[list(block.ops) for block in supernet.layers]]
    return {
        (c, place, k): op for c, row in enumerate(rows) for place, ops in enumerate(row) for k, op in enumerate(ops)
    }


def counting(supernet):
    """How often every operator ran, and its last parameter got a gradient."""
    calls, grads = {}, {}
    for at, operator in operators(supernet).items():

        def forward(*_, at=at):
            calls[at] = calls.get(at, 0) + 1

        def backward(_, at=at):
            grads[at] = grads.get(at, 0) + 1

        last = operator[-1] if isinstance(operator, nn.Sequential) else operator  # the first may be shared by several
        last.register_forward_hook(forward)
        for parameter in list(operator.parameters())[-1:]:
            parameter.register_hook(backward)
    return calls, grads


def listening(search):
    """The gates and the eta of every pass from the stem on."""
    seen, plain = [], search.supernet.after_stem

    def after_stem(h, gates, eta=0.0):
        seen.append((gates, eta))
        return plain(h, gates, eta)

    search.supernet.after_stem = after_stem
    return seen


@pytest.mark.parametrize("estimator", ["path-credit", "straight-through", "both"])
def test_every_operator_runs_and_learns_exactly_once_a_step(digits, estimator):
    search = make(Planted(), digits, estimator=estimator, epochs=2, warmup=0.0, weight_decay=0.0)
    calls, grads = counting(search.supernet)
    search.step(*batch(digits), 0)
    everywhere = {(0, layer, k): 1 for layer in range(6) for k in range(4)}
    assert calls == everywhere
    assert grads == everywhere


def test_the_stem_that_all_paths_share_gets_the_gradient_of_each(digits):
    search = make(Planted(), digits, epochs=2, warmup=0.0, clip=1e9)
    apart, seen = copy.deepcopy(search.supernet), listening(search)
    images, labels = batch(digits, 32)
    torch.manual_seed(0)  # the planted operator draws noise
    search.step(images, labels, 0)
    assert len(seen) == 4
    torch.manual_seed(0)
    for gates, eta in seen:
        search.criterion(apart(images, Gates(gates.weights.detach(), gates.path), eta), labels).backward()
    for p, alone in zip(search.supernet.stem.parameters(), apart.stem.parameters(), strict=True):
        assert torch.allclose(p.grad, alone.grad, rtol=1e-3, atol=1e-6)


def test_path_credit_of_a_layer_of_fewer_operators_is_the_mean_of_their_paths():
    """An operator that runs twice has two scores; one that is not there has none."""
    logits = torch.tensor([[0.3, -0.2, 0.1], [0.5, -0.5, -torch.inf], [0.0, -torch.inf, -torch.inf]])
    paths = [Gates.one_hot(path, 3) for path in [(2, 0, 0), (0, 1, 0), (1, 0, 0)]]
    losses = torch.tensor([1.0, 3.0, 2.0])
    got = path_credit(logits, paths, losses)
    z, p = (losses - losses.mean()) / losses.std(correction=0), logits.softmax(1)
    A = torch.stack([z[[1, 2, 0]], torch.stack([(z[0] + z[2]) / 2, z[1], z[0] * 0]), z.new_zeros(3)])
    assert torch.allclose(got, p * (A - (p * A).sum(1, keepdim=True)), atol=1e-6)
    assert got[1, 1] > 0 > got[1, 0], "the path of the largest loss is the worst"
    assert got[1, 2] == 0
    assert torch.allclose(got[2], torch.zeros(3), atol=1e-7), "nothing to choose"


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


@pytest.mark.parametrize(
    ("eta", "epochs", "seed"),
    [
        (1.0, 3, 0),
        *(pytest.param(*how, seed, marks=pytest.mark.slow) for how in ((0.0, 8), (1.0, 3)) for seed in range(3)),
    ],
)
def test_a_planted_bad_operator_is_found_in_every_layer(digits, eta, epochs, seed):
    """Below half of its chance probability everywhere, with and without eta (docs/methods/surgenas.md, 4)."""
    settings = {"epochs": epochs, "warmup": 0.25, "loss": "penalty", "latency_weight": 0.0, "eta": eta}
    search = make(Planted(), digits, seed=seed, **settings)
    run(search, digits, epochs)
    bad = search.probabilities()[:, 1]
    assert float(bad.max()) < 0.125, bad.tolist()


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


class Deaf(nn.Module):
    """Says the same whatever runs: a search on it sees latency alone."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Identity()
        self.bias = nn.Parameter(torch.zeros(10))

    def after_stem(self, h, gates, eta):
        return self.bias.expand(len(h), -1)


def test_the_multiplier_lands_on_the_limit(small):
    """With accuracy out of the way, the expected latency is driven to the limit, from either side."""
    rng = np.random.default_rng(0)
    archs = [moves.sample(small, rng) for _ in range(40)]
    code = moves.encode(small, archs)
    ms = 1e-7 * ((code * small.costs().macs).sum((1, 2)) + small.costs().fixed_macs)
    predictor = FlopsPredictor(small.costs()).fit(code, ms)
    images, labels = torch.zeros(2, 3, 16, 16), torch.tensor([0, 1])
    for share in (0.7, 1.3):
        limit = share * float(ms.mean())
        settings = {"epochs": 10, "warmup": 0.0, "alpha_lr": 0.02, "tau_start": 1.0, "tau_end": 1.0}
        search = make(small, 40, predictor, limit, **settings)
        search.supernet = Deaf()
        found = [search.step(images, labels, step)[2] for step in range(400)]
        assert np.mean(found[-200:]) == pytest.approx(limit, rel=0.05)


def test_eta_fades_to_exactly_zero_and_warmup_leaves_the_logits(few_digits):
    search = make(Planted(), few_digits, epochs=4, warmup=0.25)
    seen, before = listening(search), search.logits_LK.detach().clone()
    (first,) = run(search, few_digits, 1)
    assert torch.equal(search.logits_LK.detach(), before)
    assert first.eta == 1.0
    assert np.isnan(first.latency_ms)
    last = run(search, few_digits, 4, first=1)[-1]
    assert last.eta == 0.0
    assert {eta for _, eta in seen[: 4 * search.steps_per_epoch]} == {1.0}, "four paths a step"
    assert {eta for _, eta in seen[-4 * search.steps_per_epoch :]} == {0.0}
    (beyond,) = search.tell(Epochs(8), [batch(few_digits)])
    assert (beyond.eta, beyond.tau) == (0.0, pytest.approx(0.5)), "past the end the schedules keep their last values"


def test_state_restored_in_the_middle_gives_the_same_end(few_digits, differing):
    whole = make(Planted(), few_digits, epochs=3, warmup=0.3)
    run(whole, few_digits, 3)
    half = make(Planted(), few_digits, epochs=3, warmup=0.3)
    run(half, few_digits, 2)
    state = half.state_dict()
    again = make(Planted(), few_digits, epochs=3, warmup=0.3)
    torch.randn(5)  # whatever else used the global generator in between
    again.load_state_dict(state)
    run(again, few_digits, 3, first=2)
    assert torch.equal(whole.logits_LK, again.logits_LK)
    assert differing(whole.supernet, again.supernet) == []


@pytest.mark.parametrize("sampler", ["ods", "fair", "gdas", "spos", "darts"])
def test_all_samplers_run_in_the_same_search(few_digits, sampler):
    estimator = "path-credit" if sampler in ("ods", "fair") else "straight-through"
    search = make(Planted(), few_digits, epochs=1, warmup=0.0, sampler=sampler, estimator=estimator)
    images, labels = batch(few_digits)
    for index in range(3):  # operators that no path has used yet have no gradient, nor a momentum
        loss, _, latency_ms = search.step(images, labels, index)
        assert loss > 0
        assert latency_ms == 1.0


@pytest.mark.parametrize(
    ("settings", "named"),
    [({"sampler": "gdas"}, "path credit"), ({"estimator": "x"}, "estimator=x.*'path-credit', 'straight-through'"),
     ({"loss": "x"}, "loss=x.*'multiplier', 'penalty'"), ({"sampler": "x"}, "sampler=x.*'ods', 'fair'"),
     ({"sampler": "fair", "estimator": "both"}, "fair"), ({"epochs": 0}, "epochs=0")],
)  # fmt: skip
def test_contradictions_are_refused(settings, named):
    with pytest.raises(UsageError, match=named):
        make_method("surgenas", settings)


# --- on cells, whose operators stand at the edges of one small graph that is repeated


def test_on_cells_every_operator_of_every_cell_runs_and_learns_once_a_step(digits):
    """But those without weights, which run alone; and the last node's inputs may all be nothing."""
    search = make(CELLS, digits, epochs=2, warmup=0.0, weight_decay=0.0)
    calls, grads = counting(search.supernet)
    search.step(*batch(digits), 0)
    assert calls == dict.fromkeys(operators(search.supernet), 1)
    assert len(calls) == 15 * 6 * 5
    assert set(grads.values()) == {1}
    assert set(grads) <= {at for at, operator in operators(search.supernet).items() if list(operator.parameters())}


def test_on_cells_a_gates_gradient_is_that_of_all_operators_run_with_one_hot_weights(digits):
    """Of the operators that ran; what did not run is not known to a search of one path."""
    torch.manual_seed(0)
    net, path = CELLS.supernet().double().train(), (3, 1, 2, 4, 3, 2)
    images, labels = batch(digits, 8)

    def grad_of(hard, eta):
        weights = Gates.one_hot(path, 5).weights.double().requires_grad_()
        gates = Gates(weights, path if hard else None)
        nn.functional.cross_entropy(net(images.double(), gates, eta), labels).backward()
        return weights.grad

    for eta in (0.0, 0.7):
        single, everything = grad_of(True, eta), grad_of(False, eta)
        ran = torch.nn.functional.one_hot(torch.tensor(path), 5).bool()
        assert torch.allclose(single[ran], everything[ran], rtol=1e-6, atol=1e-12)
        assert (single[ran] != 0).all()
        assert (single[~ran] == 0).all()


def test_on_cells_the_shortcuts_vanish_at_the_end(digits):
    search = make(CELLS, 2, epochs=3, warmup=0.0)
    seen = listening(search)
    found = [search.tell(Epochs(e), [batch(digits), batch(digits)])[0] for e in range(3)]
    assert found[0].eta == 1.0
    assert found[-1].eta == 0.0
    assert {eta for _, eta in seen[-2 * 5 :]} == {0.0}, "five paths a step"
    x, path = batch(digits)[0], search.path()
    search.supernet.eval()
    with torch.no_grad():
        assert not torch.equal(search.supernet.at(x, path, eta=1.0), search.supernet.at(x, path))


def test_on_cells_the_network_that_is_cut_out_is_the_supernets_path(digits):
    search = make(CELLS, 2, epochs=2, warmup=0.5)
    for epoch in range(2):
        search.tell(Epochs(epoch), [batch(digits), batch(digits)])
    arch = search.largest()
    network = search.supernet.cut(moves.indices(CELLS, arch), CELLS.build(arch)).eval()
    x = batch(digits)[0]
    with torch.no_grad():
        assert torch.allclose(network(x), search.supernet.eval().at(x, search.path()), rtol=1e-4, atol=1e-5)


def test_gates_of_cells_do_not_leak():
    with pytest.raises(ValueError, match="chains only"):
        CELLS.supernet()(torch.zeros(1, 3, 16, 16), Gates(torch.eye(6, 5), (0,) * 6, leak=True))


# --- on sizes of one network, which choices have unequally many of


class Counts(Predictor):
    """A millisecond for each million MACs."""

    def learn(self, code_NLK, latency_ms_N):
        raise NotImplementedError

    def predict_relaxed(self, gates_NLK):
        return self.costs.counts(gates_NLK)[:, :, 0].sum(1) / 1e6


def test_on_sizes_every_option_of_every_choice_runs_equally_often_up_to_one(digits):
    search = make(ELASTIC, digits, epochs=2, warmup=0.0)
    seen = listening(search)
    search.step(*batch(digits), 0)
    most = max(len(choice.options) for choice in ELASTIC.choices)
    assert len(seen) == most == search.method.needs(ELASTIC).passes
    for choice, ran in zip(ELASTIC.choices, zip(*(gates.path for gates, _ in seen), strict=True), strict=True):
        times = np.bincount(ran, minlength=len(choice.options))
        assert len(times) == len(choice.options)
        assert times.max() - times.min() <= 1


@pytest.mark.parametrize(
    ("sampler", "estimator"), [("ods", "both"), ("ods", "straight-through"), ("fair", "path-credit")]
)
def test_on_sizes_the_losses_of_the_paths_move_the_logits_that_there_are(digits, sampler, estimator):
    search = make(ELASTIC, digits, epochs=2, warmup=0.0, sampler=sampler, estimator=estimator, alpha_decay=0.0)
    before = search.logits_LK.detach().clone()
    loss, _, latency_ms = search.step(*batch(digits), 0)
    assert loss > 0
    assert latency_ms == 1.0
    there = torch.from_numpy(ELASTIC.offered)
    moved = search.logits_LK.detach() != before
    assert moved[there].all()
    assert not moved[~there].any()
    assert (search.probabilities()[~there] == 0).all()
    assert torch.allclose(search.probabilities().sum(1), torch.ones(len(there)))


@pytest.mark.slow
def test_on_sizes_the_expected_latency_is_driven_to_the_limit_though_costs_multiply():
    predictor = Counts(ELASTIC.costs())
    code = moves.encode(ELASTIC, moves.sample_many(ELASTIC, 40, np.random.default_rng(0)))
    images, labels = torch.zeros(2, 3, 16, 16), torch.tensor([0, 1])
    for share in (0.7, 1.3):
        limit = share * float(predictor.predict(code).mean())
        settings = {"epochs": 10, "warmup": 0.0, "alpha_lr": 0.02, "tau_start": 1.0, "tau_end": 1.0}
        search = make(ELASTIC, 40, predictor, limit, **settings)
        search.supernet = Deaf()
        found = [search.step(images, labels, step)[2] for step in range(400)]
        assert np.mean(found[-200:]) == pytest.approx(limit, rel=0.05)


def test_on_sizes_it_proposes_what_there_is_and_hands_on_its_weights(digits, ones):
    search = make(ELASTIC, digits, epochs=1, warmup=0.0)
    search.tell(Epochs(0), [batch(digits)])
    found = search.propose(ones, (0.0, 2.0), 3, np.random.default_rng(0))
    assert [ELASTIC.check(arch) for arch in found] == found
    assert len(found) == 3
    network = ELASTIC.build(found[0])
    network.load_state_dict(search.weights_of(found[0]))
    search.supernet.eval()
    with torch.no_grad():
        expected = search.supernet.at(batch(digits)[0], moves.indices(ELASTIC, found[0]))
        assert torch.equal(network.eval()(batch(digits)[0]), expected)


@pytest.mark.parametrize("sampler", ["gdas", "spos", "darts"])
def test_on_sizes_a_sampler_that_compares_no_paths_is_refused(digits, sampler):
    with pytest.raises(UsageError, match=f"sampler '{sampler}' compares no paths, as sizes that share weights need"):
        make(ELASTIC, digits, epochs=2, sampler=sampler, estimator="straight-through")


def test_on_cells_of_two_inputs_every_operator_runs_once_and_latency_is_that_of_two_edges_a_node(few_digits):
    space = Darts(channels=4, layers=3, resolution=8)
    search = make(space, few_digits, epochs=2, warmup=0.0, eta=0.5)
    seen, codes = listening(search), []
    predicted = search.predictor.predict_relaxed
    search.predictor.predict_relaxed = lambda code: codes.append(code.detach()) or predicted(code)
    images, labels = batch(few_digits)
    search.step(images, labels, 0)
    assert len(seen) == 7, "and none is no operator of a supernet"
    assert all(len({gates.path[row] for gates, _ in seen}) == 7 for row in range(28))
    (code,) = codes
    assert (code[0, :, -1] == 0).sum() == 16, "of 28 edges"
    assert (search.logits_LK.grad != 0).any()


def test_weights_that_diverge_at_once_end_in_what_to_do(few_digits):
    search = make(Planted(), few_digits, epochs=2, warmup=0.0, weight_lr=1e38)
    with pytest.raises(SurgenasError, match=r"diverged in epoch 1 .*--set weight_lr"):
        run(search, few_digits, 1)
