"""The multiplier and the schedule that gradient searches share."""

from __future__ import annotations

import pytest
import torch

from surgenas.methods.gradient import Multiplier, cosine


def test_a_multiplier_rises_while_too_slow_and_falls_while_too_fast():
    multiplier = Multiplier(lr=0.1, damping=0.0)
    multiplier.learn(1.5)
    assert multiplier.value == pytest.approx(0.05)
    multiplier.learn(0.0)
    assert multiplier.value == pytest.approx(-0.05), "of either sign: the limit is met from both sides"


def test_the_violation_itself_pushes_too_and_no_gradient_goes_through_it():
    multiplier, relative = Multiplier(lr=0.1, damping=4.0), torch.tensor(1.5, requires_grad=True)
    multiplier.value = 0.25
    multiplier.loss(relative).backward()
    assert float(relative.grad) == pytest.approx(0.25 + 4.0 * 0.5)


def test_at_the_limit_the_multiplier_alone_pushes():
    relative = torch.tensor(1.0, requires_grad=True)
    multiplier = Multiplier(lr=0.1, damping=4.0)
    multiplier.loss(relative).backward()
    assert float(relative.grad) == 0.0


def test_a_rate_falls_from_its_start_to_a_hundredth_and_stays_there():
    assert cosine(0.5, 0.0) == 0.5
    assert cosine(0.5, 0.5) == pytest.approx(0.25)
    assert cosine(0.5, 1.0) == cosine(0.5, 7.0) == pytest.approx(0.005)
