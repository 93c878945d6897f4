"""What a layer does, counted by hooks, agrees with what torch counts and with figures by hand."""

from __future__ import annotations

import pytest
from torch import nn

from surgenas.core import moves
from surgenas.nn.cost import LayerWork, count, layer_works, moved_bytes


def network():
    return nn.Sequential(
        nn.Conv2d(3, 8, 3, stride=2, padding=1), nn.BatchNorm2d(8), nn.MaxPool2d(2), nn.Conv2d(8, 8, 5, groups=8),
        nn.Conv2d(8, 4, 1, groups=2, bias=False), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 10),
    )  # fmt: skip


def test_layers_by_hand():
    """Of one image of 32 x 32, in the order in which they run; grouped is not depthwise."""
    assert layer_works(network(), (3, 32, 32)) == [
        LayerWork("0", "dense", 16 * 16 * 8 * 27, 3 * 32 * 32 + 8 * 16 * 16, 8 * 27 + 8),
        LayerWork("2", "pooling", 0, 8 * 16 * 16 + 8 * 8 * 8, 0),
        LayerWork("3", "depthwise", 4 * 4 * 8 * 25, 8 * 8 * 8 + 8 * 4 * 4, 8 * 25 + 8),
        LayerWork("4", "dense", 4 * 4 * 4 * 4, 8 * 4 * 4 + 4 * 4 * 4, 16),
        LayerWork("5", "pooling", 0, 4 * 4 * 4 + 4, 0),
        LayerWork("7", "dense", 40, 14, 50),
    ]


def test_moved_bytes_are_of_convolutions_average_pooling_and_linear_layers():
    counted = [work for work in layer_works(network(), (3, 32, 32)) if work.kind != "pooling"]
    assert moved_bytes(network(), (3, 32, 32)) == 4 * sum(work.values + work.weights for work in counted)
    assert moved_bytes(nn.AvgPool2d(2), (3, 4, 4)) == 4 * (48 + 12)


@pytest.mark.parametrize("gene", ["k3e3", "k7e6", "skip"])
def test_macs_are_those_that_torch_counts(small, gene):
    built = small.build(moves.uniform_architecture(small, gene))
    assert sum(work.macs for work in layer_works(built, small.input_shape)) == count(built, small.input_shape)[0]
