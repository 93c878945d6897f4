"""LA-DARTS: lambda 0 is DARTS, a large one is the fastest cell, and draws obey the rule that decodes."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from surgenas.core import moves
from surgenas.core.errors import UsageError
from surgenas.core.seeds import derive
from surgenas.core.work import Epochs
from surgenas.methods import make_method
from surgenas.methods.darts import DARTS
from surgenas.methods.la_darts import LADARTS
from surgenas.spaces.nasbench201 import NASBench201
from tests.methods.test_darts import SMALL, make, short

CELLS = NASBench201(resolution=8)


def with_macs(search, ms=None):
    """The search, whose predictor says the MACs of a network, or (L, K) of milliseconds in sum."""
    macs = search.space.costs().macs
    object.__setattr__(search.problem, "predictor", Sums(macs / macs.max() if ms is None else ms))
    return search


class Sums:
    def __init__(self, table):
        self.table = torch.from_numpy(np.asarray(table))

    def predict_relaxed(self, gates):
        return (gates * self.table.to(gates)).sum((1, 2)) + 1.0

    def predict(self, code):
        return self.predict_relaxed(torch.from_numpy(np.asarray(code))).numpy()


def test_without_lambda_it_is_darts_bit_for_bit(halves):
    found = []
    for method, settings in ((DARTS, {}), (LADARTS, {"loss": "fixed", "latency_weight": 0.0})):
        search = make(halves, method, **settings)
        search.tell(Epochs(0), short(halves, 0))
        found.append((search.logits_LK.detach(), search.supernet.state_dict()))
    (one, weights), (other, others) = found
    assert torch.equal(one, other)
    assert all(torch.equal(v, others[k]) for k, v in weights.items())


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("estimator", ["straight-through", "score"])
def test_a_large_lambda_ends_at_the_fastest_cell(halves, estimator, seed):
    table = np.random.default_rng(seed).random((6, 5))
    search = with_macs(make(
        halves, LADARTS, CELLS, loss="fixed", latency_weight=1e3, estimator=estimator, alpha_lr=0.1, draws=8,
    ), table)  # fmt: skip
    for index in range(200):
        gradient, _ = search.latency_term(index)
        search.logits_LK.grad = gradient
        search.alpha_optimizer.step()
    found = table[np.arange(6), moves.path_of(CELLS, search.largest())]
    slower = (
        0.05 if estimator == "score" else 0.0
    )  # a score of draws hardly tells two operators that are nearly as fast
    assert (found - table.min(1)).max() <= slower


def test_draws_are_networks_of_the_space(halves):
    search = with_macs(make(halves, LADARTS))
    seen = []
    search.problem.predictor.predict_relaxed = lambda code: seen.append(code.detach()) or code.sum((1, 2))
    search.expected_ms(0)
    (code,) = seen
    assert code.shape == (4, 28, 8)
    for one in code.double().numpy().round(5):
        assert (moves.encode(SMALL, [moves.decode(SMALL, one)])[0] == one).all()


def test_the_gradient_through_a_draw_is_that_of_the_relaxed_code(halves):
    """Straight-through: d LAT / d logits = (d LAT / d code) (d s / d logits), s the drawn softmax."""
    search = with_macs(make(halves, LADARTS, draws=1))
    logits = search.logits_LK
    (found,) = torch.autograd.grad(search.expected_ms(3), logits)
    generator = torch.Generator().manual_seed(derive(search.seed, "latency", 3))
    gumbel = -torch.empty(1, *logits.shape).exponential_(generator=generator).log()
    table = search.problem.predictor.table

    def relaxed(at):
        s = ((at.masked_fill(~search.there_LK, -torch.inf) + gumbel[0].double()) / 1.0).softmax(1)
        return float((s * table).sum())

    base = logits.detach().double()
    for row, k in ((0, 3), (13, 0), (27, 6)):
        ahead, behind = base.clone(), base.clone()
        ahead[row, k] += 1e-6
        behind[row, k] -= 1e-6
        assert float(found[row, k]) == pytest.approx((relaxed(ahead) - relaxed(behind)) / 2e-6, rel=1e-3, abs=1e-6)


def test_the_multiplier_lands_on_the_limit(halves):
    table = np.random.default_rng(5).random((6, 5))
    search = with_macs(make(halves, LADARTS, CELLS, alpha_lr=0.1), table)
    low, high = 1 + table.min(1).sum(), 1 + table.max(1).sum()
    search.limit_ms = (low + high) / 2
    values = []
    for index in range(400):
        gradient, ms = search.latency_term(index)
        search.logits_LK.grad = gradient
        search.alpha_optimizer.step()
        values.append(ms)
    assert np.mean(values[-100:]) == pytest.approx(search.limit_ms, rel=0.05)


def test_an_epoch_says_what_is_expected_and_what_would_be_chosen(halves):
    search = with_macs(make(halves, LADARTS, alpha_lr=1e-6))
    (event,) = search.tell(Epochs(0), short(halves, 0))
    assert event.latency_ms != event.chosen_ms
    assert event.multiplier == search.multiplier.value != 0


@pytest.mark.parametrize(("settings", "said"), [
    ({"fixed": True, "selection": "perturbation"}, "fixed=true: logits that stay equal hear of no latency"),
    ({"estimator": "score", "draws": 1}, "ask for draws=2 or more"),
])  # fmt: skip
def test_settings_in_which_latency_would_not_count_are_refused(settings, said):
    with pytest.raises(UsageError, match=said):
        make_method("la-darts", settings)


def test_the_score_of_a_draw_is_refused_where_edges_are_drawn_too():
    with pytest.raises(UsageError, match="not of which edges a node of darts reads; use straight-through"):
        LADARTS(estimator="score").needs(SMALL)


def test_the_score_is_finite_where_operators_were_decided_against(halves):
    search = with_macs(make(halves, LADARTS, CELLS, estimator="score", selection="perturbation"))
    search.judge = lambda weights: [0.5] * len(weights)
    search._decide(0)
    gradient, ms = search.latency_term(0)
    assert np.isfinite(ms)
    assert torch.isfinite(gradient).all()


def test_it_asks_for_a_gradient_only_where_one_is_taken():
    assert LADARTS().needs(CELLS).cost == "relaxed"
    assert LADARTS(estimator="score").needs(CELLS).cost == "any"
