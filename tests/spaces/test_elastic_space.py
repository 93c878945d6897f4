"""What spaces of smaller versions share: decisions become choices, and genes become a shape."""

from __future__ import annotations

import pytest

from surgenas.core.space import Choice
from surgenas.nn.elastic import Shape
from surgenas.spaces.elastic_space import Decision, spread
from surgenas.spaces.mobile_multi import MobileMulti


def test_a_decision_is_a_choice_named_after_what_it_decides_unless_it_has_a_name_of_its_own():
    assert Decision("width", "conv", (8, 16)).choice == Choice("width conv", ("8", "16"))
    assert Decision("block", "layer1.0", (0, 1)).choice == Choice("block layer1.0", ("off", "on"))
    assert Decision("input", "", (32, 64)).choice == Choice("input", ("32", "64"))
    assert Decision("kind", "act", (0, 1), "activation", ("relu", "swish")).choice.options == ("relu", "swish")


@pytest.mark.parametrize(
    ("count", "expected"), [(0, (8, 16, 24, 32)), (9, (8, 16, 24, 32)), (2, (16, 32)), (1, (32,)), (3, (16, 24, 32))]
)
def test_sizes_are_spread_evenly_with_the_largest(count, expected):
    assert spread((8, 16, 24, 32), count) == expected


def test_genes_say_the_shape_of_the_network_by_what_they_decide():
    space = MobileMulti(layout="small", resolution=16, classes=3)
    shape, side = space.form_of([0, 0, 0, 0, *[1] * 40])
    assert side == 16
    assert shape.widths["layers.0.conv_pw"] == 24
    assert shape.kernels["layers.0.conv_dw"] == 3
    assert shape.off == ("layers.0.se",)
    assert (shape.kinds["layers.0.bn1.act"], shape.kinds["layers.1.bn1.act"]) == (0, 1)
    assert hash(shape) != hash(Shape(shape.widths, shape.off, shape.kernels))
