"""A distribution over networks: what is drawn, what is probable, and parts that are joined without changing it."""

from __future__ import annotations

import math
from itertools import product

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from surgenas.methods.distribution import Distribution, Parts

PARTS = Parts((2, 3, 4), ((0, 2), (1,)))
EVERY = torch.tensor(list(product(range(2), range(3), range(4))))


def made(parts=PARTS, seed=0):
    uniform = Distribution.uniform(parts)
    noise = torch.randn(uniform.logits_GJ.shape, generator=torch.Generator().manual_seed(seed))
    return Distribution(parts, uniform.logits_GJ + noise)


def rows(*logits):
    """One part a row, of these logits."""
    found = Distribution.uniform(Parts(tuple(map(len, logits)), tuple((row,) for row in range(len(logits)))))
    for row, values in enumerate(logits):
        found.logits_GJ[row, : len(values)] = torch.tensor(values)
    return found


def test_every_path_is_a_combination_and_back():
    assert PARTS.options == (8, 3)
    assert torch.equal(PARTS.paths(PARTS.taken(EVERY)), EVERY)


def test_probabilities_of_all_networks_add_up_to_one_and_marginals_are_their_sums():
    found = made()
    p_N = found.log_probability(EVERY).exp()
    assert float(p_N.sum()) == pytest.approx(1.0, abs=1e-6)
    for row, size in enumerate(PARTS.sizes):
        sums = torch.stack([p_N[EVERY[:, row] == k].sum() for k in range(size)])
        assert torch.allclose(found.marginals()[row, :size], sums, atol=1e-6)
        assert (found.marginals()[row, size:] == 0).all()
    assert found.entropy() == pytest.approx(float(torch.special.entr(p_N).sum()), abs=1e-5)
    assert found.mode() == tuple(EVERY[p_N.argmax()].tolist())


def test_what_is_drawn_follows_the_probabilities():
    found = made()
    drawn = found.draw(20_000, torch.Generator().manual_seed(1))
    shares = torch.stack([(drawn == path).all(1).float().mean() for path in EVERY])
    assert (shares - found.log_probability(EVERY).exp()).abs().max() < 0.012, "five standard deviations at most"


def test_joined_parts_are_the_same_distribution():
    """By hand: logits (0, ln 2) and (0, 0, ln 3) give (1, 1, 3, 2, 2, 6) / 15, of 1.5868 nats."""
    found = rows((0.0, math.log(2)), (0.0, 0.0, math.log(3)))
    joined = found.joined(((0, 1),))
    assert torch.allclose(joined.probabilities(), torch.tensor([[1.0, 1, 3, 2, 2, 6]]) / 15)
    assert joined.entropy() == pytest.approx(1.5868, abs=1e-4) == found.entropy()
    with pytest.raises(ValueError, match="cannot be joined"):
        joined.joined(((0,), (1,)))


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 1000))
def test_joining_changes_no_probability(seed):
    found = made(Parts((2, 3, 4), ((0,), (1,), (2,))), seed)
    joined = found.joined(((0, 2), (1,)))
    assert torch.allclose(found.log_probability(EVERY), joined.log_probability(EVERY), atol=1e-5)
    assert torch.allclose(found.marginals(), joined.marginals(), atol=1e-6)


def test_credit_of_joined_parts_summed_over_the_others_is_that_of_single_ones():
    found = made(Parts((2, 3, 4), ((0,), (1,), (2,))))
    joined = found.joined(((0, 1, 2),))
    paths, weights = EVERY[[0, 7, 7, 20]], torch.tensor([0.1, 0.4, 0.2, 0.3])
    single, together = found.credit(paths, weights), joined.credit(paths, weights).reshape(2, 3, 4)
    for row in range(3):
        summed = together.sum([axis for axis in range(3) if axis != row])
        assert torch.allclose(single[row, : PARTS.sizes[row]], summed, atol=1e-6)


def test_credit_is_the_gradient_of_the_evidence():
    """Against finite differences of log sum_A P(A) exp(-CE_A) over all networks."""
    parts = Parts((3, 3, 3), ((0,), (1,), (2,)))
    every = torch.tensor(list(product(range(3), repeat=3)))
    generator = torch.Generator().manual_seed(3)
    ce_N = torch.rand(27, generator=generator, dtype=torch.float64)
    logits = torch.randn(3, 3, generator=generator, dtype=torch.float64)

    def evidence(at):
        return (Distribution(parts, at).log_probability(every) - ce_N).logsumexp(0)

    posterior_N = (Distribution(parts, logits).log_probability(every) - ce_N).softmax(0)
    found = Distribution(parts, logits).credit(every, posterior_N)
    for place in product(range(3), repeat=2):
        step = torch.zeros(3, 3, dtype=torch.float64)
        step[place] = 1e-5
        slope = (evidence(logits + step) - evidence(logits - step)) / 2e-5
        assert float(found[place]) == pytest.approx(float(slope), abs=1e-9)
