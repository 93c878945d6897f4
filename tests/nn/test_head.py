"""The last layer, wherever it is, gives way to one for other classes."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from surgenas.core.errors import UsageError
from surgenas.nn.head import replace_classifier


def test_only_the_last_linear_layer_is_another():
    network = nn.Sequential(nn.Linear(4, 5), nn.Sequential(nn.ReLU(), nn.Linear(5, 10)), nn.Dropout())
    first = network[0].weight.clone()
    replace_classifier(network, 3)
    assert network(torch.zeros(2, 4)).shape == (2, 3)
    assert torch.equal(network[0].weight, first)
    features = nn.Sequential(nn.Flatten(), nn.Linear(4, 10))
    replace_classifier(features, 0)
    assert features(torch.zeros(2, 4)).shape == (2, 4)


def test_without_a_linear_layer_nothing_can_be_replaced():
    with pytest.raises(UsageError, match="does not end in a linear layer"):
        replace_classifier(nn.Sequential(nn.Conv2d(1, 1, 1)), 3)
