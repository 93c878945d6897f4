"""Whole networks become int8 files; what cannot is refused by its operator."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from surgenas.core.errors import DataError
from surgenas.hardware.tflite.convert import OPERATORS
from tests.hardware.tflite.compared import file_of, operators, steps_off


def test_a_small_network_ends_near_what_pytorch_computes():
    torch.manual_seed(0)
    network = nn.Sequential(
        nn.Conv2d(3, 8, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(8), nn.ReLU6(),
        nn.Conv2d(8, 8, 3, padding=1, groups=8, bias=False), nn.BatchNorm2d(8), nn.Hardswish(),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 5),
    )  # fmt: skip
    assert operators(file_of(network, (3, 16, 16))) == [
        "PAD", "CONV_2D", "DEPTHWISE_CONV_2D", "HARD_SWISH", "MEAN", "RESHAPE", "FULLY_CONNECTED",
    ]  # fmt: skip
    assert steps_off(network, (3, 16, 16)) < 12


def test_an_unknown_operator_is_named_beside_those_that_are_known():
    with pytest.raises(DataError, match="the operator Tanh has no int8 form here; known: Add, AveragePool, ") as caught:
        file_of(nn.Tanh(), (3, 8, 8))
    assert str(caught.value).count(",") == len(OPERATORS) - 1
