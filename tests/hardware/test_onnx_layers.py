"""Layers of ONNX files, and whose time a runtime's names are."""

from __future__ import annotations

import pytest
from torch import nn

from surgenas.hardware.onnx_file import to_onnx
from surgenas.hardware.onnx_layers import onnx_layers, times_by_layer


@pytest.fixture(scope="module")
def model() -> bytes:
    net = nn.Sequential(nn.Conv2d(3, 4, 3, bias=False), nn.ReLU(), nn.Conv2d(4, 8, 1), nn.Flatten(), nn.Linear(128, 2))
    return to_onnx(net.eval(), (3, 6, 6), batch=1)


def test_layers_are_those_with_weights_in_the_order_in_which_they_run(model):
    assert [(layer.name, layer.weights) for layer in onnx_layers(model)] == [
        ("/0/Conv", 4 * 3 * 9), ("/2/Conv", 8 * 4), ("/4/Gemm", 2 * 128),
    ]  # fmt: skip


def test_a_name_counts_for_its_layer_or_for_the_one_before_what_it_is_named_after(model):
    """What was merged, was followed by a quantized copy, or belongs to none: all of the time is shared out."""
    told = {"/1/Relu_output_0_nchwc": 2.0, "/2/Conv_token_4": 1.0, "/4/Gemm": 1.0, "Transpose": 4.0}
    assert times_by_layer(model, told) == pytest.approx({"/0/Conv": 4.0, "/2/Conv": 2.0, "/4/Gemm": 2.0})


def test_what_a_runtime_does_not_tell_is_nothing(model):
    assert times_by_layer(model, {"/4/Gemm": 1.0}) == {"/0/Conv": 0.0, "/2/Conv": 0.0, "/4/Gemm": 1.0}
    assert set(times_by_layer(model, {}).values()) == {0.0}
