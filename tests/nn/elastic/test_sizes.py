"""How large a layer is and what it hangs on, on tiny networks whose answer is plain."""

from __future__ import annotations

import pytest
import timm
import torch

from surgenas.nn.cost import count
from surgenas.nn.elastic import trace
from surgenas.nn.elastic.sizes import layer_sizes

SIDE = 8


def sizes_of(network):
    structure = trace(network, torch.randn(1, 3, SIDE, SIDE), 2)
    return {layer.name: layer for layer in layer_sizes(network, structure, (3, SIDE, SIDE))}, structure


def test_a_convolution_hangs_on_the_group_that_it_makes_and_on_the_one_that_it_reads(make):
    found, _ = sizes_of(make("chain"))
    first, second, last = found.values()
    assert list(found) == ["0.0", "2.0", "4.2"], "as they run"
    assert (first.outputs, first.inputs) == ({"0.0": 1 / 8}, {}), "the images cannot shrink"
    assert (second.outputs, second.inputs) == ({"2.0": 1 / 12}, {"0.0": 1 / 8})
    assert (last.outputs, last.inputs) == ({}, {"2.0": 1 / 12}), "nor can the classes"
    assert (second.macs, second.params) == (8 * 12 * 9 * SIDE**2, 8 * 12 * 9)
    assert (second.values_in, second.values_out) == (8 * SIDE**2, 12 * SIDE**2)
    assert last.params == 3 * 12, "without its biases"


def test_a_depthwise_layer_has_one_group_a_kernel_and_reads_by_channel(make):
    found, structure = sizes_of(make("depthwise"))
    depthwise = found["1.branch.2.0"]
    (expands,) = found["1.branch.0.0"].outputs
    assert structure.kernels == {depthwise.name: 5}
    assert depthwise.by_channel
    assert depthwise.kernel == 5
    assert (depthwise.outputs, depthwise.inputs) == ({expands: 1 / 16}, {})
    assert [layer.kernel for layer in found.values() if layer is not depthwise] == [0, 0, 0, 0]


def test_a_layer_in_a_block_names_it(make):
    found, structure = sizes_of(make("residual"))
    assert structure.blocks == ("1", "2")
    assert {name: layer.block for name, layer in found.items()} == {
        "0.0": "", "1.branch.0.0": "1", "1.branch.2.0": "1", "2.branch.0.0": "2", "2.branch.1.0": "2", "3.2": ""
    }  # fmt: skip


def test_a_layer_behind_a_concatenation_reads_a_share_of_each_part(make):
    found, _ = sizes_of(make("concatenation"))
    behind = found["2.0"].inputs
    assert sorted(behind.values()) == [pytest.approx(1 / 10)] * 2
    assert set(behind) == {*found["1.one.0"].outputs, *found["1.other.0"].outputs}


def test_a_unit_of_several_channels_is_their_share(make):
    """The units of an attention are heads: two channels of eight in each of queries, keys and values."""
    found, structure = sizes_of(make("attention"))
    (heads,) = (group.name for group in structure.groups if group.size == 4)
    assert found["attention.qkv"].outputs[heads] == pytest.approx(3 * 2 / 24)
    assert found["attention.proj"].inputs[heads] == pytest.approx(2 / 8)


def test_convolutions_and_linear_layers_are_all_that_a_convolutional_network_computes():
    network, shape = timm.create_model("test_efficientnet", pretrained=False), (3, 32, 32)
    layers = layer_sizes(network, trace(network.eval(), torch.randn(1, *shape)), shape)
    assert sum(layer.macs for layer in layers) == count(network, shape)[0]
    assert sum(layer.params for layer in layers) == sum(p.numel() for p in network.parameters() if p.ndim > 1)
