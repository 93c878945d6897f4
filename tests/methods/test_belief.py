"""How a distribution learns: from losses alone, from what exceeds the limit, and from few networks with a bias."""

from __future__ import annotations

import copy
from itertools import product

import pytest
import torch

from surgenas.methods.belief import Belief, Draws, excess, responsibilities
from surgenas.methods.distribution import Distribution, Parts
from surgenas.methods.gradient import Multiplier

FINE = ((0, 1), (2,))
EVERY = torch.tensor(list(product(range(2), range(3), range(4))))


def belief(coarse=False, multiplier=None, weight=0.0, baseline=True):
    return Belief(
        (2, 3, 4), FINE, coarse=coarse, lr=0.1, temperature=1.0, multiplier=multiplier, latency_weight=weight,
        baseline=baseline,
    )  # fmt: skip


def test_with_a_baseline_networks_that_are_equally_good_teach_nothing():
    paths, equal = torch.tensor([[0, 0, 0], [1, 2, 3]]), torch.tensor([2.0, 2.0])
    for baseline in (True, False):
        learning = belief(baseline=baseline)
        learning.learn(paths, equal, torch.ones(2))
        assert torch.allclose(learning.distribution.probabilities(), belief().distribution.probabilities()) == baseline


def test_responsibilities_are_likelihoods_whatever_the_temperature():
    """By hand: mean cross-entropies of 2.3, 2.2 and 2.1 give .301, .332 and .367."""
    losses = torch.tensor([2.3, 2.2, 2.1])
    assert torch.allclose(responsibilities(losses, 1.0), torch.tensor([0.301, 0.332, 0.367]), atol=1e-3)
    assert responsibilities(1e9 * losses, 1e-30).tolist() == [0.0, 0.0, 1.0]


def test_what_exceeds_the_limit_is_shared_out_and_nothing_is_no_number_gone_wrong():
    assert torch.allclose(excess(torch.tensor([0.9, 1.1, 1.3])), torch.tensor([0.0, 0.25, 0.75]))
    assert torch.equal(excess(torch.tensor([0.9, 1.0])), torch.zeros(2))


def test_fewer_are_drawn_as_the_entropy_falls():
    draws = Draws(fixed=0, per_nat=0.25, least=4)
    assert [draws.count(entropy) for entropy in (56.0, 40.9, 27.7, 9.66, 0.0)] == [14, 10, 7, 4, 4]
    assert Draws(16, 0.25, 4).count(1.0) == 16


def test_the_estimate_of_few_networks_is_biased_and_that_of_many_is_not():
    """Bias over the largest entry of the gradient, three layers of three: large at 2, gone at 200."""
    parts = Parts((3, 3, 3), ((0,), (1,), (2,)))
    every = torch.tensor(list(product(range(3), repeat=3)))
    generator = torch.Generator().manual_seed(0)
    ce_N = 3 * torch.rand(27, generator=generator)
    found = Distribution(parts, torch.randn(3, 3, generator=generator))
    exact = found.credit(every, (found.log_probability(every) - ce_N).softmax(0))

    def mean_estimate(count, times):
        total = torch.zeros(3, 3)
        for _ in range(times):
            paths = found.draw(count, generator)
            numbers = paths @ torch.tensor([9, 3, 1])
            total += found.credit(paths, responsibilities(ce_N[numbers], 1.0))
        return total / times

    few, many = ((mean_estimate(*how) - exact).abs().max() / exact.abs().max() for how in ((2, 1500), (200, 150)))
    assert many < 0.1 < 0.3 < few


def test_it_moves_to_networks_of_small_loss():
    learning, paths = belief(), torch.tensor([[0, 0, 0], [1, 2, 3]])
    for _ in range(50):
        learning.learn(paths, torch.tensor([2.5, 1.0]), torch.ones(2))
    assert learning.distribution.mode() == (1, 2, 3)


@pytest.mark.parametrize(("slowest", "mode"), [(2.0, (0, 0, 0)), (0.9, (1, 2, 3))])
def test_the_published_term_presses_from_above_alone(slowest, mode):
    """The larger its positions, the less a network's loss and the more its latency."""
    learning, generator = belief(weight=4.0), torch.Generator().manual_seed(0)
    for _ in range(50):
        drawn = learning.distribution.draw(200, generator)
        learning.learn(drawn, 2.0 - 0.1 * drawn.sum(1), slowest * drawn.sum(1) / 6)
    assert learning.distribution.mode() == mode


def test_a_multiplier_draws_the_mean_to_the_limit_from_both_sides():
    for least, most in ((0.2, 1.6), (0.4, 2.4)):
        learning, generator = belief(multiplier=Multiplier(0.05, 4.0)), torch.Generator().manual_seed(0)
        for _ in range(200):
            drawn = learning.distribution.draw(100, generator)
            learning.learn(drawn, 2.0 * torch.ones(100), least + (most - least) * drawn.sum(1) / 6)
        relative = least + (most - least) * EVERY.sum(1) / 6
        mean = float((learning.distribution.log_probability(EVERY).exp() * relative).sum())
        assert mean == pytest.approx(1.0, abs=0.05)


def test_refined_it_is_the_same_distribution_and_goes_on_as_one_that_was_saved():
    paths, losses = torch.tensor([[0, 1, 2], [1, 2, 3]]), torch.tensor([2.0, 1.0])
    one = belief(coarse=True)
    for _ in range(5):
        one.learn(paths, losses, torch.ones(2))
    before = one.distribution.log_probability(paths)
    assert len(one.distribution.parts.groups) == 3
    one.refine()
    one.refine()
    assert one.distribution.parts.groups == FINE
    assert torch.allclose(one.distribution.log_probability(paths), before, atol=1e-5)
    one.learn(paths, losses, torch.ones(2))
    other = belief(coarse=True)
    other.load_state_dict(copy.deepcopy(one.state_dict()))
    for each in (one, other):
        each.learn(paths, losses, torch.ones(2))
    assert torch.equal(one.logits_GJ, other.logits_GJ)
