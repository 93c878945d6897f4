"""Whole networks become int8 files; what cannot is refused by its operator."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from onnx import TensorProto, helper
from torch import nn

from surgenas.core.errors import DataError
from surgenas.hardware.tflite.convert import OPERATORS, int8_tflite
from tests.hardware.tflite.compared import file_of, images_of, operators, run, steps_off


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


def test_axes_as_older_files_tell_them_are_read():
    """Before opset 18 a mean told its axes otherwise."""
    node = helper.make_node("ReduceMean", ["images"], ["logits"], axes=[2, 3], keepdims=0)
    taken = helper.make_tensor_value_info("images", TensorProto.FLOAT, [1, 3, 8, 8])
    given = helper.make_tensor_value_info("logits", TensorProto.FLOAT, [1, 3])
    graph = helper.make_graph([node], "old", [taken], [given])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8).SerializeToString()
    found, step = run(int8_tflite(model, images_of((3, 8, 8))), images_of((3, 8, 8)))
    assert np.abs(found - images_of((3, 8, 8)).mean((2, 3))).max() < 2 * step


def test_what_should_be_constant_but_is_computed_is_refused_by_its_operator():
    class Computed(nn.Module):
        def forward(self, images):
            return nn.functional.conv2d(images, images[:, :, :3, :3])

    with pytest.raises(DataError, match="the operator Conv, as it stands in this network"):
        file_of(Computed(), (3, 8, 8))
