"""One of several modules runs, and the network can be told which."""

from __future__ import annotations

import torch
from torch import nn

from surgenas.nn.either import Either


def test_the_one_that_is_said_runs():
    either, x = Either([nn.ReLU(), nn.Hardswish()]), torch.linspace(-4, 4, 9)
    assert torch.equal(either(x), torch.relu(x))
    either.kind = 1
    assert torch.equal(either(x), nn.functional.hardswish(x))
    assert not list(either.parameters())
