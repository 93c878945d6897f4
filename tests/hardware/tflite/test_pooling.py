"""Pooling, means and padding compute in int8 what they compute in PyTorch; what has no int8 form is named."""

from __future__ import annotations

import pytest
from torch import nn

from surgenas.core.errors import DataError
from tests.hardware.tflite.compared import file_of, operators, steps_off

POOLS = {
    "mean of 2": nn.AvgPool2d(2),
    "mean, borders left out": nn.AvgPool2d(3, stride=1, padding=1, count_include_pad=False),
    "mean, zeros counted": nn.AvgPool2d(3, stride=1, padding=1),
    "largest": nn.MaxPool2d(3, stride=1, padding=1),
    "largest, stride 2": nn.MaxPool2d(3, stride=2, padding=1),
    "zeros around": nn.Sequential(nn.ZeroPad2d((1, 2, 0, 3)), nn.MaxPool2d(2)),
}


@pytest.mark.parametrize("pool", POOLS.values(), ids=POOLS)
def test_pooling_is_off_by_rounding_alone(pool):
    assert steps_off(nn.Sequential(pool, nn.Conv2d(4, 4, 1)), (4, 8, 8)) < 4


def test_what_no_maximum_takes_lies_around_it():
    assert operators(file_of(nn.MaxPool2d(3, stride=2, padding=1), (4, 8, 8))) == ["PADV2", "MAX_POOL_2D"]
    assert operators(file_of(nn.MaxPool2d(3, stride=2, padding=1), (4, 9, 9))) == ["MAX_POOL_2D"]


@pytest.mark.parametrize("pad", [nn.ReflectionPad2d(1), nn.ReplicationPad2d(1), nn.ZeroPad2d(-1)])
def test_what_lies_around_images_is_zeros_or_refused(pad):
    with pytest.raises(DataError, match="only zeros around images"):
        file_of(nn.Sequential(nn.Conv2d(4, 4, 1), pad, nn.Conv2d(4, 4, 1)), (4, 8, 8))


POOLED_OTHERWISE = (
    nn.MaxPool2d(3, 2, ceil_mode=True), nn.AvgPool2d(3, 2, 1, count_include_pad=False), nn.MaxPool2d(3, 2, dilation=2),
)  # fmt: skip


@pytest.mark.parametrize("pool", POOLED_OTHERWISE)
def test_pooling_without_an_int8_form_is_refused_by_its_sizes(pool):
    with pytest.raises(DataError, match=r"kernel \[3, 3\], stride \[2, 2\] .*no int8 form"):
        file_of(pool, (4, 8, 8))
