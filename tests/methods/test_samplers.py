"""Path samplers: strict fairness, the order law, and the gradient that reaches the logits."""

from __future__ import annotations

import itertools
from collections import Counter

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from surgenas.core.catalog import look_up
from surgenas.methods import SAMPLERS
from surgenas.methods.samplers import ordered_differentiable


def draw(name: str, logits, tau=1.0, seed=0):
    return look_up("sampler", name, SAMPLERS)(logits, tau, torch.Generator().manual_seed(seed))


@given(st.integers(0, 10**6), st.sampled_from(["ods", "fair"]))
@settings(max_examples=30)
def test_strict_fairness(seed, name):
    """Every operator of every layer exactly once in a step, whatever the logits."""
    logits = 3 * torch.randn(5, 7, generator=torch.Generator().manual_seed(seed))
    paths = draw(name, logits, tau=0.7, seed=seed)
    for layer in zip(*(p.path for p in paths), strict=True):
        assert sorted(layer) == list(range(7))
    for gates in paths:  # in fp32 (1 - s) + s is exactly 1
        assert torch.equal(gates.weights, torch.nn.functional.one_hot(torch.tensor(gates.path), 7).float())


def test_orderings_are_plackett_luce():
    p = torch.tensor([0.5, 0.3, 0.2])
    logits = p.log().expand(4000, 3)
    paths = draw("ods", logits, tau=5.0)
    orders = Counter(zip(*(gates.path for gates in paths), strict=True))
    expected = {(a, b, c): float(p[a] * p[b] / (1 - p[a])) for a, b, c in itertools.permutations(range(3))}
    observed = [orders[order] for order in expected]
    assert stats.chisquare(observed, 4000 * np.array(list(expected.values())) / sum(expected.values())).pvalue > 1e-3


def test_first_draw_follows_the_probabilities():
    logits = torch.tensor([[1.0, 0.0, -1.0]]).expand(6000, 3)
    for name in ("ods", "gdas"):
        seen = np.bincount(draw(name, logits, tau=0.3)[0].path, minlength=3) / 6000
        assert seen == pytest.approx(logits[0].softmax(0).numpy(), abs=0.02)


@given(st.integers(0, 10**6), st.floats(0.3, 5.0))
@settings(max_examples=20, deadline=None)
def test_gradient_follows_the_formula(seed, tau):
    """dL_i/da_m = s_m (q_m - sum_{k in R_i} s_k q_k) / tau for m in R_i, else 0; the last path gives exactly 0
    (docs/methods/surgenas.md, 4).

    Checked against finite differences of <q, s(a)> with the same noise, which the straight-through gate stands for.
    """
    K = 4
    logits = torch.randn(1, K, generator=torch.Generator().manual_seed(seed)).double()
    paths = draw("ods", logits.float().requires_grad_(), tau=tau, seed=seed)
    q = torch.randn(K, generator=torch.Generator().manual_seed(seed + 1))
    taken: list[int] = []
    noise = torch.Generator().manual_seed(seed)
    for i, gates in enumerate(paths):
        gumbel = -torch.empty(1, K).exponential_(generator=noise).log()

        def soft(a, gumbel=gumbel, taken=tuple(taken)):
            log_p = a.log_softmax(1)
            log_p = log_p.masked_fill(torch.tensor([[k in taken for k in range(K)]]), -torch.inf)
            return ((((log_p + gumbel) / tau).softmax(1)) * q).sum()

        leaf = logits.float().requires_grad_()
        again = draw("ods", leaf, tau=tau, seed=seed)[i]
        (got,) = torch.autograd.grad((again.weights * q).sum(), leaf)
        eps = 1e-4
        steps = [eps * torch.eye(K)[k][None].double() for k in range(K)]
        numeric = torch.tensor([float(soft(logits + e) - soft(logits - e)) / (2 * eps) for e in steps])
        assert torch.allclose(got[0].double(), numeric.double(), atol=2e-3)
        assert all(got[0, k] == 0 for k in taken)
        taken.append(gates.path[0])
    assert torch.all(got == 0), "only one operator is left for the last path"


def test_number_of_paths_and_differentiability():
    logits = torch.zeros(3, 5, requires_grad=True)
    expected = {"ods": (5, True), "fair": (5, False), "gdas": (1, True), "spos": (1, False), "darts": (1, True)}
    assert set(expected) == set(SAMPLERS)
    for name, (number, differentiable) in expected.items():
        paths = draw(name, logits)
        assert len(paths) == number
        assert paths[0].weights.requires_grad == differentiable
    assert draw("darts", logits)[0].path is None


def test_same_generator_same_paths():
    logits = torch.randn(4, 6)
    first, second = (ordered_differentiable(logits, 1.0, torch.Generator().manual_seed(3)) for _ in range(2))
    assert [g.path for g in first] == [g.path for g in second]


OFFERED = torch.tensor([5, 3, 2, 1])
"""How many of five operators each of four layers has."""


def ragged(seed: int = 0):
    logits = torch.randn(4, 5, generator=torch.Generator().manual_seed(seed))
    return logits.masked_fill(torch.arange(5) >= OFFERED[:, None], -torch.inf)


@given(st.integers(0, 10**6), st.sampled_from(["ods", "fair"]))
@settings(max_examples=30)
def test_layers_of_fewer_operators_run_each_of_theirs_equally_often_up_to_one(seed, name):
    paths = draw(name, ragged(seed), tau=0.7, seed=seed)
    assert len(paths) == 5
    for layer, there in zip(zip(*(p.path for p in paths), strict=True), OFFERED.tolist(), strict=True):
        times = np.bincount(layer, minlength=5)
        assert set(times[:there]) <= {5 // there, -(-5 // there)}
        assert times[there:].sum() == 0


@pytest.mark.parametrize("name", ["gdas", "spos", "darts"])
def test_an_operator_that_a_layer_lacks_never_runs(name):
    for seed in range(50):
        (gates,) = draw(name, ragged(), seed=seed)
        assert (gates.weights[ragged().isneginf()] == 0).all()
        assert gates.path is None or all(k < there for k, there in zip(gates.path, OFFERED.tolist(), strict=True))


def test_a_uniform_path_is_uniform_in_layers_of_fewer_operators():
    logits = torch.zeros(6000, 5).masked_fill(torch.arange(5) >= 3, -torch.inf)
    times = np.bincount(draw("spos", logits)[0].path, minlength=5)
    assert times[3:].tolist() == [0, 0]
    assert stats.chisquare(times[:3]).pvalue > 1e-3


def test_the_gradient_of_a_ragged_draw_is_finite_and_none_where_nothing_is():
    logits = torch.zeros(4, 5, requires_grad=True)
    paths = draw("ods", logits.masked_fill(ragged().isneginf(), -torch.inf))
    sum((gates.weights * torch.arange(20.0).reshape(4, 5)).sum() for gates in paths).backward()
    assert logits.grad.isfinite().all()
    assert (logits.grad[ragged().isneginf()] == 0).all()
    assert (logits.grad[:3, 0] != 0).all()


def plainly(name, logits, tau, generator):
    """The paths of layers that all have K operators, without a thought for others."""
    L, K = logits.shape
    if name == "spos":
        return [tuple(torch.randint(K, (L,), generator=generator).tolist())]
    if name == "fair":
        return [tuple(row) for row in torch.rand(L, K, generator=generator).argsort(dim=1).T.tolist()]
    paths, left = [], logits
    for _ in range(K):
        gumbel = -torch.empty(L, K).exponential_(generator=generator).log()
        winner = ((left + gumbel) / tau).softmax(1).argmax(1)
        left = left.scatter(1, winner[:, None], -torch.inf)
        paths.append(tuple(winner.tolist()))
    return paths


@given(st.integers(0, 10**6), st.sampled_from(["ods", "fair", "spos"]))
@settings(max_examples=30)
def test_layers_that_have_all_operators_draw_as_if_there_were_no_others(seed, name):
    logits = torch.randn(5, 4, generator=torch.Generator().manual_seed(seed))
    expected = plainly(name, logits, 0.7, torch.Generator().manual_seed(seed))
    assert [gates.path for gates in draw(name, logits, tau=0.7, seed=seed)] == expected
