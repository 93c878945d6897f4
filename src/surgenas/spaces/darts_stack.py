"""What stands where in a stack of DARTS cells? Their channels and sizes, the modules between and inside them.

affine says whether normalizations have scale and shift; in a supernet they have none.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from torch import nn

from surgenas.core.space import Floats
from surgenas.nn.cell_operators import FactorizedReduction, Noise, Nothing, dilated, relu_conv_bn, separable
from surgenas.nn.cost import WORKING, cost_of
from surgenas.nn.two_inputs import NormedPool

STEM, JOINED = 3, 4
"""Channels of the stem, and of what a cell returns, as multiples of the cell's own."""


@dataclass(frozen=True)
class Place:
    """Where a cell stands. cin: channels of its two inputs. size: height and width of the last of these. halved: the
    input before is twice as large."""

    cin: tuple[int, int]
    channels: int
    size: int
    reduction: bool
    halved: bool


def places(channels: int, layers: int, size: int) -> list[Place]:
    """All cells of a stack. channels: of the first. size: height and width of what the stem returns."""
    before_last = last = STEM * channels
    halved, found = False, list[Place]()
    for i in range(layers):
        reduction = i in (layers // 3, 2 * layers // 3)
        channels *= 2 if reduction else 1
        found.append(Place((before_last, last), channels, size, reduction, halved))
        before_last, last, halved = last, JOINED * channels, reduction
        size //= 2 if reduction else 1
    return found


def make_stem(channels: int, stride: int) -> nn.Sequential:
    """A 3x3 convolution, and one more for each time that it halves the image beyond the first."""
    width, layers = STEM * channels, list[nn.Module]()
    for i in range(max(1, int(math.log2(stride)))):
        layers += [nn.ReLU()] if i else []
        conv = nn.Conv2d(width if i else 3, width, 3, 2 if stride > 1 else 1, padding=1, bias=False)
        layers += [conv, nn.BatchNorm2d(width)]
    return nn.Sequential(*layers)


def make_auxiliary(place: Place, classes: int) -> nn.Sequential:
    """The second classifier of DARTS, behind a reduction cell. Maps of 8x8, as there, are averaged in 5x5 windows that
    overlap, others in quarters; without both there would be too few pixels in small images."""
    size = place.size // 2
    pool: nn.Module = nn.AvgPool2d(5, stride=3) if size == 8 else nn.AdaptiveAvgPool2d(2)
    return nn.Sequential(
        nn.ReLU(), pool,
        nn.Conv2d(JOINED * place.channels, 128, 1, bias=False), nn.BatchNorm2d(128), nn.ReLU(),
        nn.Conv2d(128, 768, 2, bias=False), nn.BatchNorm2d(768), nn.ReLU(), nn.Flatten(), nn.Linear(768, classes),
    )  # fmt: skip


def stride_of(place: Place, source: int) -> int:
    """Of an edge that reads this node."""
    return 2 if place.reduction and source < 2 else 1


def make_ready(place: Place, *, affine: bool) -> list[nn.Module]:
    """What brings the two inputs of a cell to its channels and size."""
    before_last, last = place.cin
    first: nn.Module
    if place.halved:
        first = FactorizedReduction(before_last, place.channels, affine=affine)
    else:
        first = relu_conv_bn(before_last, place.channels, 1, affine=affine)
    return [first, relu_conv_bn(last, place.channels, 1, affine=affine)]


def make_operator(name: str, channels: int, stride: int, *, affine: bool) -> nn.Module:
    match name:
        case "none":
            return Nothing(stride)
        case "noise":
            return Noise(stride)
        case "skip_connect":
            return nn.Identity() if stride == 1 else FactorizedReduction(channels, channels, affine=affine)
        case "max_pool_3x3":
            return nn.MaxPool2d(3, stride, padding=1)
        case "avg_pool_3x3":
            return nn.AvgPool2d(3, stride, padding=1, count_include_pad=False)
        case _:
            make = separable if name.startswith("sep") else dilated
            return make(channels, int(name[-1]), stride, affine=affine)


def make_normed(name: str, channels: int, stride: int) -> nn.Module:
    """The operator as the supernet has it."""
    operator = make_operator(name, channels, stride, affine=False)
    return NormedPool(operator, channels) if "pool" in name else operator


@lru_cache(maxsize=256)
def costs_at(operators: tuple[str, ...], channels: int, size: int, stride: int) -> Floats:
    """MACs, parameters and moved bytes (K, 3) of operators on images of this size."""
    return np.array(
        [
            cost_of(make_operator(name, channels, stride, affine=True), (channels, size, size), WORKING)
            for name in operators
        ]
    )
