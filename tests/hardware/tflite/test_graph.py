"""A graph's activations belong to what alone feeds them, and values that move have one scale."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from surgenas.hardware.onnx_file import to_onnx
from surgenas.hardware.tflite.graph import SIGMOID, read_graph


def graph_of(module, shape=(4, 8, 8)):
    return read_graph(to_onnx(module.eval(), shape), np.random.default_rng(0).standard_normal((3, *shape), np.float32))


def test_an_integer_range_is_that_of_the_values_with_zero_in_it():
    graph = graph_of(nn.Sequential(nn.Conv2d(4, 4, 1), nn.ReLU6()))
    (node,) = graph.nodes
    scale = graph.scales[node.output]
    assert node.fused == "RELU6"
    assert scale.zero_point == -128  # nothing is below 0
    assert scale.values(np.array([127], np.int8))[0] <= 6
    assert graph.shapes[graph.sink] == (1, 4, 8, 8)


def test_what_is_pooled_or_concatenated_shares_a_scale():
    class Both(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b = nn.Conv2d(4, 4, 1), nn.Conv2d(4, 4, 1)

        def forward(self, x):
            return torch.cat([nn.functional.max_pool2d(5 * self.a(x), 1), self.b(x)], 1)

    graph = graph_of(Both())
    joined = graph.nodes[-1]
    assert joined.op == "Concat"
    scales = [graph.scales[name] for name in (*joined.inputs, joined.output)]
    assert len({(float(scale.scale[0]), scale.zero_point) for scale in scales}) == 1


def test_a_sigmoid_has_the_scale_that_the_format_knows():
    graph = graph_of(nn.Sequential(nn.Conv2d(4, 4, 1), nn.Sigmoid(), nn.Conv2d(4, 4, 1)))
    assert graph.scales[graph.nodes[1].output] is SIGMOID
