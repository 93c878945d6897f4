"""Logits where an operator is, the same ones for a seed, and a state that is all that goes on."""

from __future__ import annotations

import copy

import pytest
import torch

from surgenas.methods.logits import travelling
from tests.methods.test_darts import SMALL, batch, make


def test_what_is_not_offered_has_no_probability(halves):
    search = make(halves)
    p_LK = search.probabilities()
    assert torch.allclose(p_LK.sum(1), torch.ones(len(p_LK)))
    assert (p_LK[~torch.from_numpy(SMALL.offered)] == 0).all()


def test_a_state_is_all_that_goes_on(halves, differing):
    one, other = make(halves), make(halves)
    one.step(*batch(halves), 0)
    other.load_own_state(copy.deepcopy(one.own_state()))
    for search in (one, other):
        search.step(*batch(halves, 1), 1)
    assert torch.equal(one.logits_LK, other.logits_LK)
    assert differing(one.supernet, other.supernet) == []


def test_a_rate_is_taken_as_it_is_or_moves_logits_as_far_as_wanted():
    assert travelling(0.5, 6.0, 100, least=0.1) == 0.5
    assert travelling(0.0, 6.0, 100, least=0.01) == pytest.approx(0.06)
    assert travelling(0.0, 6.0, 10_000, least=0.01) == 0.01
