"""Which layers of a network run at once, by hand."""

from __future__ import annotations

import pytest
from torch import nn

from surgenas.core.errors import UsageError
from surgenas.hardware.estimated.stages import stages_of
from surgenas.nn.blocks import mbconv
from surgenas.nn.cost import work_of


def stages(network: nn.Module, shape: tuple[int, int, int]):
    return stages_of(network.eval(), work_of(network, shape)[1])


def test_an_inverted_residual_is_one_stage_of_three_layers():
    (stage,) = stages(mbconv(24, 24, expand=6, kernel=5, stride=1, affine=True), (24, 28, 28))
    assert (stage.expand.inputs, stage.expand.outputs, stage.expand.pixels) == (24, 144, 784)
    assert (stage.deep.inputs, stage.deep.outputs, stage.deep.pixels) == (25, 144, 784)
    assert (stage.project.inputs, stage.project.outputs, stage.project.pixels) == (144, 24, 784)
    assert (stage.expand.values, stage.expand.weights, stage.expand.bits) == ((24 + 144) * 784, 24 * 144, 0)


def test_with_excitation_in_between_the_second_convolution_runs_alone():
    found = stages(mbconv(24, 24, expand=6, kernel=3, stride=1, affine=True, squeeze=6), (24, 28, 28))
    assert [len(stage.layers) for stage in found] == [2, 1, 1, 1]
    assert [stage.project.pixels for stage in found[1:]] == [1, 1, 784]


def test_other_layers_are_pointwise_ones_of_more_inputs():
    net = nn.Sequential(
        nn.Conv2d(3, 8, 3, stride=2, padding=1, bias=False), nn.AvgPool2d(4), nn.Flatten(), nn.Linear(8, 10, bias=False)
    )
    first, last = stages(net, (3, 8, 8))
    assert (first.project.inputs, first.project.outputs, first.project.pixels) == (27, 8, 16)
    assert (last.project.inputs, last.project.outputs, last.project.pixels) == (8, 10, 1)


def test_a_depthwise_convolution_of_another_width_is_fed_by_nothing():
    net = nn.Sequential(nn.Conv2d(4, 8, 1), nn.ChannelShuffle(2), nn.Conv2d(8, 8, 3, groups=8), nn.Conv2d(8, 6, 1))
    (fed,) = stages(net, (4, 6, 6))
    assert len(fed.layers) == 3
    alone = stages(nn.Sequential(nn.Conv2d(4, 4, 3, groups=4), nn.Conv2d(4, 4, 3, groups=4)), (4, 6, 6))
    assert [(stage.expand, stage.project) for stage in alone] == [(None, None)] * 2


def test_convolutions_in_groups_are_refused():
    with pytest.raises(UsageError, match="0: a convolution in 2 groups of 8 channels"):
        stages(nn.Sequential(nn.Conv2d(8, 8, 1, groups=2)), (8, 4, 4))
