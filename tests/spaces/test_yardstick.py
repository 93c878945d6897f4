"""The yardstick is MobileNetV2 for the same images and classes, with as much resolution as what stands beside it."""

from __future__ import annotations

import math

import pytest

from surgenas.core.moves import canonical_key
from surgenas.nn.cost import count
from surgenas.spaces import space_of
from surgenas.spaces.fbnet import FBNet
from surgenas.spaces.layouts import LAYOUTS
from surgenas.spaces.macro import Macro
from surgenas.spaces.mobile import Mobile
from surgenas.spaces.nasbench201 import NASBench201
from surgenas.spaces.operators import Operators
from surgenas.spaces.yardstick import LARGE, WIDTHS, yardstick, yardsticks


def test_it_shares_images_and_classes():
    space = Mobile(layout="small", resolution=48, classes=7, dropout=0.1)
    beside = space_of(yardstick(space, 0.5))
    assert beside.input_shape == space.input_shape
    assert (beside.classes, beside.dropout, beside.width) == (7, 0.1, 0.5)
    assert len(beside.choices) == 16
    assert set(yardstick(space, 0.5).genes) == {"k3e6"}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_it_has_the_total_stride_of_the_layout_beside_it(layout):
    def stride(name: str) -> int:
        return math.prod(stage.stride for stage in LAYOUTS[name].stages)

    assert stride(space_of(yardstick(Mobile(layout=layout), 1.0)).layout_name) == stride(layout)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_pool_in_any_layout_stands_beside_plain_mobilenetv2(layout):
    space = Operators(layout=layout, resolution=32, classes=3, pool="sep_k3,choice_k3")
    assert type(space_of(yardstick(space, 0.5))) is Mobile


def test_it_keeps_its_own_depth_beside_a_deeper_network():
    assert len(space_of(yardstick(Mobile(layout="small", depth=1.5), 1.0)).choices) == 16


@pytest.mark.parametrize(("size", "layout"), [(LARGE - 4, "mobilenetv2-small"), (LARGE, "mobilenetv2")])
@pytest.mark.parametrize("kind", [Macro, FBNet, NASBench201], ids=lambda kind: kind.name)
def test_a_space_without_a_layout_goes_by_the_size_of_its_images(kind, size, layout):
    beside = space_of(yardstick(kind(resolution=size, classes=5), 1.0))
    assert beside.layout_name == layout
    assert beside.input_shape == (3, size, size)
    assert beside.classes == 5


def test_at_its_published_width_it_is_mobilenetv2():
    """300 M MACs and 3.5 M parameters (Sandler et al. 2018), within 5 %; narrower ones are cheaper."""
    space = Mobile()
    costs = []
    for width in (0.5, 1.0):
        arch = yardstick(space, width)
        costs.append(count(space_of(arch).build(arch), space.input_shape))
    assert costs[1] == (pytest.approx(300e6, rel=0.05), pytest.approx(3.5e6, rel=0.05))
    assert costs[0][0] < 0.4 * costs[1][0]


@pytest.mark.parametrize("space", [Mobile(layout="small"), Mobile(), Macro()], ids=lambda space: space.name)
def test_all_widths_are_offered_but_none_twice(space):
    archs = yardsticks(space)
    widths = [dict(arch.space.settings)["width"] for arch in archs]
    assert widths == sorted(set(widths))
    assert set(widths) <= set(WIDTHS)
    homes = [space_of(arch) for arch in archs]
    shapes = [home.shape for home in homes]
    assert len(set(shapes)) == len(shapes)
    every = {space_of(yardstick(space, width)).shape: width for width in reversed(WIDTHS)}
    assert dict(zip(shapes, widths, strict=True)) == every, "the narrowest stands for those that are the same"


def test_each_width_is_a_network_of_its_own():
    space = Mobile(layout="small")
    keys = {canonical_key(space_of(arch), arch) for arch in (yardstick(space, width) for width in (0.5, 0.75, 1.0))}
    assert len(keys) == 3
