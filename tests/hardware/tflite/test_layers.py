"""Convolutions, linear layers and lone normalizations compute in int8 what they compute in PyTorch."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn

from surgenas.core.errors import DataError
from surgenas.hardware.tflite.convert import int8_tflite
from tests.hardware.tflite.compared import file_of, images_of, operators, run, steps_off

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


def with_rule(rule):
    """A convolution whose padding is a rule, as files of others have it: (ONNX, what PyTorch says of it)."""
    weight = np.random.default_rng(1).standard_normal((6, 4, 3, 3), dtype=np.float32)
    node = helper.make_node("Conv", ["images", "w"], ["logits"], auto_pad=rule, strides=[2, 2])
    taken = helper.make_tensor_value_info("images", TensorProto.FLOAT, [1, 4, 8, 8])
    given = helper.make_tensor_value_info("logits", TensorProto.FLOAT, None)
    graph = helper.make_graph([node], "ruled", [taken], [given], [numpy_helper.from_array(weight, "w")])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9).SerializeToString()
    padded = nn.functional.pad(torch.from_numpy(images_of((4, 8, 8))), (0, 1, 0, 1))
    return model, nn.functional.conv2d(padded, torch.from_numpy(weight), stride=2).numpy()


def test_padding_by_rule_is_the_formats_or_refused():
    model, expected = with_rule("SAME_UPPER")
    found, step = run(int8_tflite(model, images_of((4, 8, 8))), images_of((4, 8, 8)))
    assert np.abs(found - expected).max() < 3 * step
    with pytest.raises(DataError, match="by the rule SAME_LOWER"):
        int8_tflite(with_rule("SAME_LOWER")[0], images_of((4, 8, 8)))


def test_a_linear_layer_without_a_bias_is_one_too():
    head = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 10, bias=False))
    assert operators(file_of(head, (4, 8, 8)))[-1] == "FULLY_CONNECTED"
    assert steps_off(head, (4, 8, 8)) < 4


class Scaled(nn.Module):
    def forward(self, images):
        rows = images.mean((2, 3))
        return torch.addmm(torch.ones(6), rows, torch.ones(4, 6), beta=0.25, alpha=3)


def test_what_is_scaled_or_normalized_by_rows_is_refused():
    with pytest.raises(DataError, match="a Gemm of scaled"):
        file_of(Scaled(), (4, 8, 8))
    rows = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.ReLU(), nn.BatchNorm1d(4))
    with pytest.raises(DataError, match="BatchNormalization of rows"):
        file_of(rows, (4, 8, 8))


def test_a_channel_without_weights_gives_its_bias():
    layer = nn.Conv2d(4, 6, 1)
    with torch.no_grad():
        layer.weight[0] = 0
        layer.bias[0] = 0.7
    assert steps_off(layer, (4, 8, 8)) < 3
