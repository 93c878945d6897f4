"""With one process torch's own functions run; with several see tests/training/test_team.py."""

from __future__ import annotations

import torch
from torch import nn

from surgenas.nn.ranks import ALONE
from surgenas.nn.synchronised import is_synchronised, synchronised


def test_alone_torch_does_it():
    network, images = nn.Sequential(nn.BatchNorm2d(3), nn.Dropout(0.5)), torch.randn(4, 3, 2, 2)
    torch.manual_seed(0)
    expected = network(images)
    torch.manual_seed(0)
    with synchronised(ALONE):
        assert not is_synchronised()
        assert torch.equal(network(images), expected)
