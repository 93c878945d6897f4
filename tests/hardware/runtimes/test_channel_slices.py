"""Slices without steps: the same function, the shuffle there once, and all else as it was."""

from __future__ import annotations

from collections import Counter

import numpy as np
import onnx
import pytest
import torch
from torch import nn

from surgenas.hardware.onnx_file import run_unoptimised, to_onnx
from surgenas.hardware.runtimes.channel_slices import without_steps

SHAPE = (12, 5, 5)


class Taking(nn.Module):
    def __init__(self, *slices):
        super().__init__()
        self.slices = slices

    def forward(self, x_NCHW):
        x_NCHW = torch.relu(x_NCHW)
        return torch.cat([x_NCHW[taken].flatten(1) for taken in self.slices], 1)


def before_and_after(*slices, batch=2):
    model = to_onnx(Taking(*slices), SHAPE, batch=batch)
    images = np.random.default_rng(0).standard_normal((batch, *SHAPE), dtype=np.float32)
    after = without_steps(model)
    onnx.checker.check_model(onnx.load_from_string(after))
    assert np.array_equal(run_unoptimised(after, images), run_unoptimised(model, images))
    return model, after


def operators(model):
    return [node.op_type for node in onnx.load_from_string(model).graph.node if node.op_type != "Constant"]


@pytest.mark.parametrize("step", [2, 3, 4])
def test_every_kth_channel_is_a_piece_of_the_shuffled_channels_in_order(step):
    _, after = before_and_after(*(np.s_[:, start::step] for start in range(step)))
    found = Counter(operators(after))
    assert (found["Transpose"], found["Reshape"], found["Slice"]) == (1, 2, step), "one shuffle for all of them"


@pytest.mark.parametrize(
    "other",
    [np.s_[:, 3:7], np.s_[:, 0::5], np.s_[:, 2::2], np.s_[:, 0:10:2], np.s_[:, :, 0::2], np.s_[:, :, :, 1::2]],
    ids=["without a step", "not a part", "not from the first", "not to the last", "rows", "columns"],
)
def test_other_slices_stay_as_they_are(other):
    before, after = before_and_after(other)
    assert operators(after) == operators(before)
