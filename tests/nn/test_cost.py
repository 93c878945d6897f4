"""MACs, parameters and bytes: by formula on random layers, as published for known networks, and without computing."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import timm
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from surgenas.core import moves
from surgenas.nn.cost import LayerWork, cost_of, count, layer_costs, moved_bytes, work_of
from surgenas.spaces.macro import Macro
from surgenas.spaces.mobile import Mobile
from surgenas.spaces.single_path import SinglePath

sizes = st.integers(1, 9)
few = settings(max_examples=30, deadline=None)


@given(sizes, sizes, st.sampled_from([1, 2, 3]), st.sampled_from([1, 3, 5]), st.sampled_from([1, 2]), sizes, sizes,
       st.booleans())  # fmt: skip
@few
def test_a_convolution_costs_its_formula(cin, cout, groups, kernel, stride, height, width, bias):
    conv = nn.Conv2d(groups * cin, groups * cout, kernel, stride, kernel // 2, groups=groups, bias=bias)
    h, w = -(-height // stride), -(-width // stride)
    weights = groups * cin * cout * kernel**2
    shape = (groups * cin, height, width)
    params = weights + bias * groups * cout
    assert count(conv, shape) == (weights * h * w, params)
    assert moved_bytes(conv, shape) == 4 * (groups * cin * height * width + groups * cout * h * w + params)


@given(sizes, sizes)
@few
def test_a_linear_layer_costs_its_formula(cin, cout):
    layer = nn.Sequential(nn.Flatten(), nn.Linear(cin, cout))
    assert cost_of(layer, (cin, 1, 1)) == (cin * cout, cin * cout + cout, 4 * (cin + cout + cin * cout + cout))


def test_what_only_passes_on_is_free_and_pooling_moves_bytes():
    for layer in (nn.Identity(), nn.ReLU(), nn.Flatten()):
        assert cost_of(layer, (4, 6, 6)) == (0, 0, 0)
    assert cost_of(nn.AvgPool2d(2), (4, 6, 6)) == (0, 0, 4 * 4 * (36 + 9))
    macs, params, moved = cost_of(nn.BatchNorm2d(4), (4, 6, 6))
    assert (macs, params, moved) == (0, 8, 0)


def test_counting_leaves_a_module_that_stands_at_two_places_as_it_was():
    layer = nn.Conv2d(4, 4, 1, bias=False)
    network, weight = nn.Sequential(layer, nn.ReLU(), layer), layer.weight
    assert count(network, (4, 3, 3)) == (2 * 16 * 9, 16)
    assert layer.weight is weight


def test_the_toy_network_of_netadapt_costs_what_is_published():
    """Four 3x3 convolutions, 3-16-32-64-10 channels: 29,232 weights, 29,933,568 MACs at 32 x 32."""
    widths = (3, 16, 32, 64, 10)
    toy = nn.Sequential(*(nn.Conv2d(i, o, 3, padding=1, bias=False) for i, o in pairwise(widths)))
    assert count(toy, (3, 32, 32)) == (29_933_568, 29_232)


@pytest.mark.parametrize(
    ("name", "mmacs", "params"),
    [
        ("resnet18", 1814, 11_689_512),
        ("mobilenetv2_100", 300.8, 3_504_872),
        ("mobilenetv3_small_100", 56.5, 2_542_856),
        ("spnasnet_100", None, 4_421_616),
    ],
)
def test_known_networks_cost_what_is_published(name, mmacs, params):
    with torch.device("meta"):
        network = timm.create_model(name, pretrained=False)
    found = count(network, (3, 224, 224))
    assert found[1] == params
    assert mmacs is None or found[0] / 1e6 == pytest.approx(mmacs, rel=0.01)


def test_weights_that_two_layers_hold_in_common_are_held_once_and_used_twice():
    layer = nn.Conv2d(4, 4, 3, padding=1, bias=False)
    assert count(nn.Sequential(layer, layer), (4, 5, 5)) == (2 * 144 * 25, 144)


PARTED = [
    Mobile(layout="small", resolution=16, classes=5),
    SinglePath(layout="small", resolution=16, classes=5),
]


@given(st.sampled_from(PARTED), st.integers(0, 2**32))
@settings(max_examples=6, deadline=None)
def test_the_costs_of_the_layers_add_up_to_the_network(space, seed):
    rng = np.random.default_rng(seed)
    genes = tuple(choice.options[rng.integers(len(choice.options))] for choice in space.choices)
    with torch.device("meta"):
        arch = space.architecture(genes)
        rows = layer_costs(space.parts(arch), space.input_shape)
        network = space.build(arch)
    assert (sum(row.macs for row in rows), sum(row.params for row in rows)) == count(network, space.input_shape)
    assert [row.name for row in rows] == ["stem", *(choice.name for choice in space.choices), "head"]
    assert rows[-1].out_shape == (5,)
    shapes = [(slot.cin, slot.size, slot.size) for slot in space.slots]
    assert [row.out_shape for row in rows[:-2]] == shapes


def test_counting_leaves_the_network_and_its_weights_as_they_were():
    space = Macro(resolution=8)
    network = space.build(space.parse("01201201")).train()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    count(network, space.input_shape)
    cost_of(network, space.input_shape)
    layer_costs([("all", network)], space.input_shape)
    assert network.training
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())


def test_layers_that_were_frozen_stay_so_even_if_the_image_does_not_fit():
    network = nn.Sequential(nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4).eval(), nn.Conv2d(5, 4, 1))
    with pytest.raises(RuntimeError, match="channel"):
        work_of(network, (3, 8, 8))
    assert [module.training for module in network] == [True, False, True]
    assert network.training
    assert not any(module._forward_hooks for module in network)
    assert all(p.device.type == "cpu" for p in network.parameters())


def test_elementwise_functions_are_left_out_of_the_pass_and_change_no_count():
    acts = [nn.ReLU(), nn.ReLU6(), nn.Hardswish(), nn.Hardsigmoid(), nn.SiLU(), nn.GELU(), nn.Dropout(0.5)]
    convs = [nn.Conv2d(3, 3, 3, padding=1) for _ in acts]
    layers = [layer for pair in zip(convs, acts, strict=True) for layer in (*pair, nn.BatchNorm2d(3))]
    assert count(nn.Sequential(*layers), (3, 8, 8))[0] == len(convs) * 64 * 81


def test_nothing_is_computed_so_that_large_images_cost_no_time():
    with torch.device("meta"):
        conv = nn.Conv2d(1000, 1000, 3, padding=1, bias=False)
    assert count(conv, (1000, 10_000, 10_000)) == (9e6 * 1e8, 9_000_000)


def test_a_network_on_the_cpu_and_on_no_device_cost_the_same():
    space = Macro(resolution=8)
    arch = space.parse("01210021")
    with torch.device("meta"):
        shapes_only = space.build(arch)
    assert cost_of(space.build(arch), space.input_shape) == cost_of(shapes_only, space.input_shape)


def test_an_input_of_the_wrong_shape_is_an_error():
    with pytest.raises(RuntimeError, match="channel"):
        count(nn.Conv2d(4, 4, 1), (3, 8, 8))


def two_layers():
    return nn.Sequential(
        nn.Conv2d(3, 8, 3, stride=2, padding=1), nn.BatchNorm2d(8), nn.MaxPool2d(2), nn.Conv2d(8, 8, 5, groups=8),
        nn.Conv2d(8, 4, 1, groups=2, bias=False), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 10),
    )  # fmt: skip


def test_layers_by_hand():
    """Of one image of 32 x 32, in the order in which they run; grouped is not depthwise."""
    assert work_of(two_layers(), (3, 32, 32))[1] == [
        LayerWork("0", "dense", 16 * 16 * 8 * 27, 3 * 32 * 32 + 8 * 16 * 16, 8 * 27 + 8),
        LayerWork("2", "pooling", 0, 8 * 16 * 16 + 8 * 8 * 8, 0),
        LayerWork("3", "depthwise", 4 * 4 * 8 * 25, 8 * 8 * 8 + 8 * 4 * 4, 8 * 25 + 8),
        LayerWork("4", "dense", 4 * 4 * 4 * 4, 8 * 4 * 4 + 4 * 4 * 4, 16),
        LayerWork("5", "pooling", 0, 4 * 4 * 4 + 4, 0),
        LayerWork("7", "dense", 40, 14, 50),
    ]


def test_moved_bytes_are_of_convolutions_average_pooling_and_linear_layers():
    counted = [work for work in work_of(two_layers(), (3, 32, 32))[1] if work.kind != "pooling"]
    assert moved_bytes(two_layers(), (3, 32, 32)) == 4 * sum(work.values + work.weights for work in counted)
    assert moved_bytes(nn.AvgPool2d(2), (3, 4, 4)) == 4 * (48 + 12)


@pytest.mark.parametrize("gene", ["k3e3", "k7e6", "skip"])
def test_macs_are_those_that_torch_counts(small, gene):
    built = small.build(moves.uniform_architecture(small, gene))
    macs, works = work_of(built, small.input_shape)
    assert sum(work.macs for work in works) == macs == count(built, small.input_shape)[0]
