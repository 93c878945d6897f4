"""The mobile space against the published costs of its uniform networks, and the laws of every space."""

from __future__ import annotations

import pytest
import timm
import torch

from surgenas.core import moves
from surgenas.core.architecture import Architecture
from surgenas.core.capabilities import Indexed
from surgenas.core.errors import UsageError
from surgenas.nn.cost import count
from surgenas.spaces import make_space, space_of
from surgenas.spaces.layouts import LAYOUTS
from surgenas.spaces.mobile import Mobile
from surgenas.spaces.operators import Operators
from surgenas.spaces.single_path import SinglePathSE
from surgenas.testing import Planted, check_space

# MMACs / M parameters at 224 (docs/methods/surgenas.md, 1), counted on networks built by hand
ORACLE = {
    "proxyless": {
        "k3e3": (257, 3.19), "k3e6": (473, 4.68), "k5e3": (284, 3.28), "k5e6": (526, 4.85),
        "k7e3": (324, 3.40), "k7e6": (607, 5.10), "skip": (50, 1.79),
    },
    "densenas": {
        "k3e3": (274, 6.66), "k3e6": (497, 8.72), "k5e3": (294, 6.76), "k5e6": (536, 8.93),
        "k7e3": (323, 6.92), "k7e6": (595, 9.25), "skip": (62, 4.72),
    },
}  # fmt: skip


@pytest.mark.parametrize(("layout", "operator"), [(lay, op) for lay in ORACLE for op in ORACLE[lay]])
def test_uniform_networks_cost_what_the_sheet_says(layout, operator):
    space = Mobile(layout=layout)
    macs, params = count(space.build(moves.uniform_architecture(space, operator)), space.input_shape)
    wanted_macs, wanted_params = ORACLE[layout][operator]
    assert macs / 1e6 == pytest.approx(wanted_macs, rel=0.01)
    assert params / 1e6 == pytest.approx(wanted_params, rel=0.01)


def test_mobilenetv2_is_timms():
    ours = Mobile(layout="mobilenetv2")
    network = ours.build(moves.uniform_architecture(ours, "k3e6"))
    theirs = timm.create_model("mobilenetv2_100", pretrained=False)
    assert count(network, (3, 224, 224)) == count(theirs, (3, 224, 224))


@pytest.mark.parametrize(
    "space", [Mobile(layout="small", resolution=32, classes=10), Planted()], ids=lambda space: space.name
)
def test_laws(space):
    check_space(space)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_builds_and_has_strict_fairness(layout):
    space = make_space("mobile", {"layout": layout, "resolution": 32, "classes": 3})
    assert len({len(choice.options) for choice in space.choices}) == 1
    network = space.build(moves.uniform_architecture(space, "skip")).eval()
    assert network(torch.zeros(1, *space.input_shape)).shape == (1, 3)


def test_width_scales_the_network():
    def macs(width):
        space = Mobile(layout="small", width=width)
        return count(space.build(moves.uniform_architecture(space, "k3e6")), space.input_shape)[0]

    assert macs(0.5) < 0.5 * macs(1.0) < 0.25 * macs(2.0)


def test_depth_repeats_the_last_operator_of_each_stage():
    space = Mobile(layout="small", resolution=32, classes=3)
    genes = ("k3e3", "k7e6", "k5e3", "skip", "k3e6", "k3e3", "k5e6", "k7e3", "k3e3", "k3e3", "k5e3")
    deeper = space.scaled(space.architecture(genes), "depth", 1.5)
    assert deeper.genes == (
        *genes[:2], "k7e6", *genes[2:5], "k3e6", *genes[5:8], "k7e3", *genes[8:], "k5e3"
    )  # fmt: skip
    grown = space_of(deeper)
    assert count(grown.build(deeper), grown.input_shape) > count(space.build(space.architecture(genes)), (3, 32, 32))
    assert Architecture.from_dict(deeper.to_dict()) == deeper
    assert "depth" not in space.settings


@pytest.mark.parametrize(
    ("settings", "named"),
    [({"layout": "nope"}, "layout"), ({"width": 0}, "width"), ({"resolution": 4}, "resolution"),
     ({"classes": 1}, "classes"), ({"colour": 1}, "colour")],
)  # fmt: skip
def test_bad_settings_are_named(settings, named):
    with pytest.raises(UsageError, match=named):
        make_space("mobile", settings)


def test_an_architecture_file_cannot_make_us_import_a_module():
    space = Planted()
    arch = moves.uniform_architecture(space, "k3e3")
    with pytest.raises(UsageError, match="unknown space"):
        space_of(arch)


def test_topology_numbers_are_those_of_the_blocks_that_are_there():
    """Of the layout `small`, the layers that keep their shape have a sum; others count for their widths alone."""
    space = Mobile(layout="small", resolution=16, classes=10)
    genes = ["skip"] * len(space.slots)
    none = space.architecture(tuple(genes))
    kept = next(i for i, slot in enumerate(space.slots) if slot.is_identity)
    changed = next(i for i, slot in enumerate(space.slots) if not slot.is_identity)
    one, other = (space.architecture((*genes[:i], "k5e6", *genes[i + 1 :])) for i in (kept, changed))
    c, (cin, cout) = space.slots[kept].cin, (space.slots[changed].cin, space.slots[changed].cout)
    found = space.indices([none, one, other])
    assert found["mass"].tolist() == pytest.approx([0, c * 13 / 8, 0]), "(c + 12 c) c / (2 c + 6 c)"
    assert found["degree"].tolist() == pytest.approx([0, 13 * c / 3 + 1 / 13, (12 * cin + cout) / 3])
    assert isinstance(space, Indexed)


def test_a_pool_of_other_blocks_has_no_topology_numbers():
    assert not isinstance(Operators(resolution=32, classes=3), Indexed)
    assert isinstance(SinglePathSE(layout="small", resolution=16, classes=3), Indexed)
