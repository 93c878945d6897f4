"""Layouts as data against the papers: strides, layers, widths; every one of them makes a chain that fits."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
from torch import nn

from surgenas.nn.relu6 import ReLU6
from surgenas.spaces.layouts import LAYOUTS
from surgenas.spaces.mobile import Mobile

# total stride, searchable layers, widths of the stages, channels before the pooling
PAPERS = {
    "proxyless": (32, 21, (24, 40, 80, 96, 192, 320), 1280),
    "densenas": (32, 21, (24, 48, 72, 128, 160, 176, 384), 1984),
    "single-path": (32, 20, (24, 40, 80, 96, 192), 1280),
    "shuffle": (32, 20, (64, 160, 320, 640), 1024),
    "operators": (32, 20, (32, 64, 128, 256), 1280),
    "small": (16, 11, (16, 32, 64, 96), 512),
    "mobilenetv2": (32, 16, (24, 32, 64, 96, 160, 320), 1280),
    "mobilenetv2-small": (16, 16, (24, 32, 64, 96, 160, 320), 1280),
}
layouts = pytest.mark.parametrize("name", LAYOUTS)


@layouts
def test_a_layout_is_as_its_paper_has_it(name):
    layout = LAYOUTS[name]
    stride = 2 * math.prod(stage.stride for stage in layout.stages)
    widths = tuple(stage.width for stage in layout.stages)
    assert (stride, sum(stage.repeats for stage in layout.stages), widths, layout.head) == PAPERS[name]


@layouts
def test_channels_come_in_eights_and_never_shrink(name):
    layout = LAYOUTS[name]
    widths = [stage.width for stage in layout.stages]
    assert all(width % 8 == 0 for width in (layout.stem, layout.fixed, layout.head, layout.tail, *widths))
    assert widths == sorted(widths)
    assert (layout.fixed or layout.stem) <= widths[0]


@layouts
def test_the_layers_of_a_layout_follow_each_other(name):
    slots = Mobile(layout=name).slots
    assert len({slot.name for slot in slots}) == len(slots)
    for one, other in pairwise(slots):
        assert (one.cout, -(-one.size // one.stride)) == (other.cin, other.size)
    assert slots[0].size == LAYOUTS[name].resolution // 2


def test_activations_are_those_of_the_papers():
    plain = {name for name, layout in LAYOUTS.items() if layout.act is nn.ReLU}
    assert plain == {"single-path", "shuffle", "operators"}
    assert all(layout.act in (nn.ReLU, ReLU6) for layout in LAYOUTS.values())
