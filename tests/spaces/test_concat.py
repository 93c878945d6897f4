"""Cells of width, depth and links: what is built, which architectures are one network, and numbers in between."""

from __future__ import annotations

import itertools

import numpy as np
import onnxruntime as ort
import pytest
import torch
from torch import nn

from surgenas import api
from surgenas.core import moves
from surgenas.core.capabilities import (
    Boxed,
    Indexed,
    MadeOfCells,
    Named,
    Scalable,
    Selectable,
    SharesWeights,
    Shrinks,
    ThinsOut,
    require,
)
from surgenas.core.errors import UsageError
from surgenas.hardware.onnx_file import to_onnx
from surgenas.nn.cost import count
from surgenas.spaces import make_space
from surgenas.spaces.concat import Concat
from surgenas.studies.describe import describe
from surgenas.testing import check_space
from tests.runs.written import TOY, architecture_file

SMALL = Concat(classes=3, resolution=8, cells=2, widths="4,6", depths="3,5", links="0,3,50", stem=4, stem_stride=1)
UNEVEN = {"cells": 2, "widths": "4,6/8", "depths": "1,2,4/3", "links": "0,3/2"}


def convolutions(network: nn.Module) -> list[tuple[int, int, int]]:
    """Channels that each convolution reads, that it writes, and its stride."""
    return [(m.in_channels, m.out_channels, m.stride[0]) for m in network.modules() if isinstance(m, nn.Conv2d)]


@pytest.mark.parametrize("convolution", ["plain", "separable"])
@pytest.mark.parametrize("lists", [{}, UNEVEN], ids=["alike", "uneven"])
def test_laws(convolution, lists):
    check_space(Concat(resolution=16, classes=3, convolution=convolution, **lists))


def test_layers_read_their_cell_as_chosen():
    """Up to 3 links: a layer may link to the layers before the last one, and cell 2 begins with stride 2."""
    first = [(3, 4, 1), (4, 4, 1), (4, 4, 1), (4 + 3, 4, 1)]
    second = [(4, 6, 2), (6, 6, 1), (6 + 3, 6, 1), (6 + 3, 6, 1), (6 + 3, 6, 1)]
    assert convolutions(SMALL.build(SMALL.parse("4-3-3-6-5-3"))) == first + second


def test_a_layer_links_to_no_more_than_there_is():
    reads = [into for into, _, _ in convolutions(SMALL.build(SMALL.parse("4-3-50-6-5-50")))]
    assert reads == [3, 4, 4, 4 + 4, 4, 6, 6 + 6, 6 + 12, 6 + 18]


def test_a_separable_layer_is_a_depthwise_and_a_1x1_convolution():
    space = Concat(convolution="separable", cells=1, widths="6", depths="3", links="3", stem=4)
    kinds = [(m.in_channels, m.out_channels, m.groups) for m in space.build(space.parse("6-3-3")).layers.modules()
             if isinstance(m, nn.Conv2d)]  # fmt: skip
    assert kinds == [(4, 4, 4), (4, 6, 1), (6, 6, 6), (6, 6, 1), (9, 9, 9), (9, 6, 1)]


def links_of(space: Concat, text: str) -> list[list[int]]:
    return [buffer.tolist() for name, buffer in space.build(space.parse(text)).named_buffers() if "links" in name]


def test_two_builds_are_one_network_and_another_seed_is_another():
    text = "6-5-3-6-5-3"
    other = make_space("concat", {**SMALL.settings, "links_seed": 1})
    assert links_of(SMALL, text) == links_of(Concat(**SMALL.settings), text) != links_of(other, text)
    assert SMALL.spec != other.spec
    network = SMALL.build(SMALL.parse(text)).eval()
    again = SMALL.build(SMALL.parse(text)).eval()
    again.load_state_dict(network.state_dict())
    images = torch.randn(2, *SMALL.input_shape)
    assert torch.equal(network(images), again(images))


def test_a_deeper_cell_keeps_the_links_of_its_layers():
    shallow, deep = links_of(SMALL, "6-3-3-4-3-0"), links_of(SMALL, "6-5-3-4-3-0")
    assert deep[: len(shallow)] == shallow
    assert len(deep) == 3


def test_link_counts_beyond_what_is_there_are_one_network():
    wide = Concat(cells=1, widths="4", depths="2,3,4", links="0,4,8,50")

    def canonical(text):
        return str(wide.canonical(wide.parse(text)))

    assert [canonical(f"4-4-{t}") for t in (0, 4, 8, 50)] == ["4-4-0", "4-4-4", "4-4-8", "4-4-8"]
    assert [canonical(f"4-3-{t}") for t in (4, 8, 50)] == ["4-3-4"] * 3
    assert [canonical(f"4-2-{t}") for t in (0, 4, 50)] == ["4-2-0"] * 3


def test_architectures_of_one_key_are_one_network_and_others_are_not():
    networks = {}
    for arch in moves.enumerate_all(Concat(cells=1, widths="3,4", depths="2,3,4", links="0,3,5,6,50")):
        space = make_space("concat", dict(arch.space.settings))
        built = (str(convolutions(space.build(arch))), str(links_of(space, str(arch))))
        networks.setdefault(moves.canonical_key(space, arch), set()).add(built)
    assert {len(builds) for builds in networks.values()} == {1}
    assert len(set().union(*networks.values())) == len(networks)


def test_codes_have_a_row_for_each_cell():
    space = Concat(resolution=16, **UNEVEN)
    assert space.offered.sum(1).tolist() == [2 * 3 * 2, 1]
    code = moves.encode(space, [space.parse("6-1-3-8-3-2")])
    assert [row.options[k] for row, k in zip(space.rows, code[0].argmax(1), strict=True)] == ["w6d1t3", "w8d3t2"]
    scores = np.random.default_rng(0).random((50, *space.offered.shape))
    for scored, arch in zip(scores, moves.decode_many(space, scores), strict=True):
        best = np.where(space.offered, scored, -1).argmax(1).tolist()
        assert list(moves.path_of(space, arch)) == best


def test_topology_numbers_are_the_sums_over_the_cells_by_hand():
    """Width 8, depth 8, 10 links: mass 22.0952, degree 8.90625; width 4, depth 5, 6 links: 13.3333 and 4.8."""
    space = Concat(cells=2, widths="8/4", depths="8/5", links="0,10/6")
    found = require(space, Indexed).indices([space.parse("8-8-10-4-5-6"), space.parse("8-8-0-4-5-6")])
    assert found["mass"] == pytest.approx([22.0952 + 13.3333, 13.3333], abs=1e-4)
    assert found["degree"] == pytest.approx([8.90625 + 4.8, 8 + 4.8])
    assert space.indices([])["mass"].shape == (0,)


def values(space: Concat, arch) -> list[float]:
    return [float(gene) for gene in arch.genes]


def test_at_its_options_numbers_in_between_are_those_of_its_networks():
    space = Concat(resolution=16, **UNEVEN)
    archs = moves.sample_many(space, 20, np.random.default_rng(0))
    points = np.array([values(space, arch) for arch in archs])
    assert np.array_equal(require(space, Boxed).gates_at(points), moves.encode(space, archs))
    assert space.indices_at(points)["degree"].tolist() == space.indices(archs)["degree"].tolist()
    assert space.axes() == ((4, 6), (1, 2, 4), (0, 3), (8,), (3,), (2,))


def test_gates_in_between_share_their_weight_and_cost_what_lies_between():
    low, high = (np.array([[float(pick(axis)) for axis in SMALL.axes()]]) for pick in (min, max))
    middle = (low + high) / 2
    gates = SMALL.gates_at(middle)
    assert gates.sum(2) == pytest.approx(1.0)
    macs = [float(SMALL.costs().macs_of(SMALL.gates_at(point))[0]) for point in (low, middle, high)]
    assert macs[0] < macs[1] < macs[2]


def test_each_choice_alone_grows_costs_and_width_and_links_grow_the_mass():
    """Depth alone need not: as many links are a smaller share of what is possible."""
    costs = SMALL.costs()
    for arch in moves.sample_many(SMALL, 5, np.random.default_rng(1)):
        for place, choice in enumerate(SMALL.choices):
            grown = [SMALL.architecture((*arch.genes[:place], o, *arch.genes[place + 1 :])) for o in choice.options]
            assert (np.diff(costs.macs_of(moves.encode(SMALL, grown))) >= 0).all()
            assert "depth" in choice.name or (np.diff(SMALL.indices(grown)["mass"]) >= -1e-9).all()


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"widths": "8,x"}, r"concat: widths '8,x': expected whole numbers from 1 to 4096, separated by commas"),
        ({"widths": ""}, r"widths '': expected whole numbers"),
        ({"depths": "0,4"}, r"depths '0,4': expected whole numbers from 1 to 100"),
        ({"links": "-3"}, r"links '-3': expected whole numbers from 0 to"),
        ({"links": "0/1"}, r"links '0/1': expected one list, or 3, one for each cell"),
        ({"cells": 0}, r"cells 0: expected a whole number from 1 to 20"),
        ({"convolution": "dense"}, r"convolution 'dense'; one of plain, separable"),
        ({"stem_stride": 3}, r"stem_stride 3: expected a whole number from 1 to 2"),
        ({"links": ",".join(map(str, range(84)))}, r"a cell has 1008 options, at most 1000 can be told apart"),
    ],
)
def test_settings_that_make_no_space_are_named(settings, said):
    with pytest.raises(UsageError, match=said) as caught:
        make_space("concat", settings)
    assert "\n" not in str(caught.value)


def test_lists_are_put_in_order_and_one_that_all_cells_have_is_said_once():
    space = Concat(cells=2, widths="8, 4,8/4,8", depths="3/4")
    assert (space.settings["widths"], space.settings["depths"]) == ("4,8", "3/4")
    assert make_space("concat", space.settings).spec == space.spec


def test_what_shares_weights_is_refused_in_one_line():
    with pytest.raises(UsageError, match="space 'concat': its architectures share no weights") as caught:
        require(SMALL, SharesWeights)
    assert "\n" not in str(caught.value)


def test_its_cells_are_described_by_what_they_chose(tmp_path):
    file = architecture_file(tmp_path / "arch.json", SMALL.parse("4-3-3-6-5-3"))
    found = describe(file, None, layout="", resolution=0, width=1, classes=0)
    assert [(row.name, row.operator, row.out_shape[0]) for row in found.layers] == [
        ("stem", "fixed", 4), ("cell1", "w4d3t3", 4), ("cell2", "w6d5t3", 6), ("head", "fixed", 3),
    ]  # fmt: skip
    assert isinstance(SMALL, Named)
    assert (found.macs, found.params) == count(SMALL.build(SMALL.parse("4-3-3-6-5-3")), SMALL.input_shape)


@pytest.mark.parametrize("convolution", ["plain", "separable"])
def test_an_exported_network_computes_what_it_does(convolution):
    space = Concat(**{**SMALL.settings, "convolution": convolution})
    network = space.build(space.parse("4-3-3-6-5-50")).eval()
    session = ort.InferenceSession(to_onnx(network, space.input_shape, batch=None))
    images = torch.randn(2, *space.input_shape)
    with torch.no_grad():
        expected = network(images).numpy()
    assert session.run(None, {"images": images.numpy()})[0] == pytest.approx(expected, abs=1e-5)


def test_an_architecture_file_is_measured(tmp_path):
    file = architecture_file(tmp_path / "arch.json", SMALL.parse("4-3-3-6-5-3"))
    row = api.measure([str(file)], [TOY]).measurements[0]
    assert row.error is None
    assert row.cost.ms > 0


def test_its_cells_are_no_graphs_that_repeat():
    """Nothing of the space may be named as another ability is."""
    assert not isinstance(SMALL, MadeOfCells | ThinsOut | Scalable | Shrinks | Selectable)


def test_small_sizes_are_enumerated_once():
    assert moves.size(SMALL) == len(set(moves.enumerate_all(SMALL))) == (2 * 2 * 3) ** 2
    assert [choice.name for choice in SMALL.choices] == [
        f"cell{c}.{axis}" for c, axis in itertools.product((1, 2), ("width", "depth", "links"))
    ]
