"""Convolutions, linear layers and lone normalizations compute in int8 what they compute in PyTorch."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from tests.hardware.tflite.compared import file_of, operators, steps_off

LAYERS = {
    "3x3": nn.Conv2d(4, 6, 3, padding=1),
    "1x1 without bias": nn.Conv2d(4, 6, 1, bias=False),
    "stride 2 of an odd size": nn.Conv2d(4, 6, 3, stride=2, padding=1),
    "dilated": nn.Conv2d(4, 6, 3, padding=2, dilation=2),
    "depthwise": nn.Conv2d(4, 4, 5, padding=2, groups=4),
    "depthwise, two for each": nn.Conv2d(4, 8, 3, padding=1, groups=4),
    "groups": nn.Conv2d(4, 8, 3, padding=1, groups=2),
    "not square": nn.Conv2d(4, 6, (1, 7), padding=(0, 3)),
}


@pytest.mark.parametrize("layer", LAYERS.values(), ids=LAYERS)
def test_a_convolution_is_off_by_rounding_alone(layer):
    assert steps_off(layer, (4, 9, 9)) < 3


@pytest.mark.parametrize(("size", "expected"), [(9, ["CONV_2D"]), (8, ["PAD", "CONV_2D"])])
def test_padding_that_the_format_has_no_word_for_stands_before_the_convolution(size, expected):
    """Its own padding of an even size at stride 2 begins a pixel later than PyTorch's."""
    layer = nn.Conv2d(4, 6, 3, stride=2, padding=1)
    assert operators(file_of(layer, (4, size, size))) == expected
    assert steps_off(layer, (4, size, size)) < 3


@pytest.mark.parametrize("activation", [nn.ReLU(), nn.ReLU6()], ids=["relu", "relu6"])
def test_normalization_and_activation_are_part_of_the_convolution(activation):
    norm = nn.BatchNorm2d(6)
    norm.running_mean.uniform_(-1, 1)
    norm.running_var.uniform_(0.5, 2)
    block = nn.Sequential(nn.Conv2d(4, 6, 3, padding=1), norm, activation)
    assert operators(file_of(block, (4, 8, 8))) == ["CONV_2D"]
    assert steps_off(block, (4, 8, 8)) < 3


def test_a_normalization_alone_is_a_layer_of_its_own():
    norm = nn.BatchNorm2d(4)
    norm.running_mean.uniform_(-1, 1)
    norm.weight.data.uniform_(0.5, 2)
    block = nn.Sequential(nn.MaxPool2d(2), norm)
    assert operators(file_of(block, (4, 8, 8))) == ["MAX_POOL_2D", "DEPTHWISE_CONV_2D"]
    assert steps_off(block, (4, 8, 8)) < 3


def test_a_linear_layer_follows_global_pooling():
    head = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 10))
    assert steps_off(head, (4, 8, 8)) < 4


def test_a_channel_without_weights_gives_its_bias():
    layer = nn.Conv2d(4, 6, 1)
    with torch.no_grad():
        layer.weight[0] = 0
        layer.bias[0] = 0.7
    assert steps_off(layer, (4, 8, 8)) < 3
