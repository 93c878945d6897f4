"""Channels picked by number are slices side by side: the same function, and all else as it was."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
import torch
from torch import nn

from surgenas.hardware.onnx_file import run_unoptimised, to_onnx
from surgenas.hardware.runtimes.channel_gathers import without_gathers

SHAPE = (12, 5, 5)


class Picking(nn.Module):
    def __init__(self, channels, axis=1):
        super().__init__()
        self.register_buffer("channels", torch.tensor(channels))
        self.axis = axis

    def forward(self, x_NCHW):
        return torch.relu(x_NCHW).index_select(self.axis, self.channels).flatten(1)


def before_and_after(channels, axis=1):
    model = to_onnx(Picking(channels, axis), SHAPE, batch=2)
    images = np.random.default_rng(0).standard_normal((2, *SHAPE), dtype=np.float32)
    after = without_gathers(model)
    onnx.checker.check_model(onnx.load_from_string(after))
    assert np.array_equal(run_unoptimised(after, images), run_unoptimised(model, images))
    return operators(model), operators(after)


def operators(model):
    return [node.op_type for node in onnx.load_from_string(model).graph.node if node.op_type != "Constant"]


@pytest.mark.parametrize(
    ("channels", "runs"), [([0, 3, 4, 9], 3), ([5], 1), ([0, 1, 2], 1), ([11, 0, 1], 2), ([3, 3], 2)]
)
def test_each_run_of_neighbours_is_a_slice(channels, runs):
    before, after = before_and_after(channels)
    assert before.count("Gather") == 1
    assert (after.count("Gather"), after.count("Slice"), after.count("Concat")) == (0, runs, 1)


def test_what_is_no_channel_stays_as_it_is():
    before, after = before_and_after([0, 3], axis=2)
    assert after == before
