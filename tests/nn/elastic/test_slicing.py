"""The large network as a smaller one, and the smaller one by itself: the same numbers, the same gradients."""

from __future__ import annotations

import copy
from contextlib import nullcontext

import numpy as np
import onnxruntime as ort
import pytest
import timm
import torch
from torch import nn

from surgenas.core.errors import UsageError
from surgenas.hardware.onnx_file import to_onnx
from surgenas.nn.elastic.checked import checked
from surgenas.nn.elastic.ordering import sort_channels
from surgenas.nn.elastic.slicing import cut, plan_of, put_back, sliced
from surgenas.nn.elastic.structure import Shape
from surgenas.nn.elastic.tracing import trace

KNOWN = {
    "resnet18": (32, {}),
    "mobilenetv3_small_050": (32, {}),
    "ghostnet_050": (32, {}),
    "regnetx_002": (32, {}),
    "convnext_atto": (32, {}),
    "vit_tiny_patch16_224": (32, {"img_size": 32, "depth": 2}),
}
"""timm's networks, with the side of the images in pixels and what they are built with."""


@torch.no_grad()
def test_sliced_and_cut_compute_the_same_bits(tiny):
    own = dict(tiny.network.named_parameters())
    for shape in tiny.shapes(4):
        small = cut(tiny.network, tiny.structure, shape)
        assert torch.equal(sliced(tiny.network, tiny.structure, shape, tiny.images), small(tiny.images))
        assert all(p is own[name] for name, p in tiny.network.named_parameters())
        for group in tiny.structure.groups:
            sizes = dict(small.named_parameters())
            for member in group.members:
                if member.name in sizes and shape.widths.get(group.name, group.size) < group.size:
                    whole = tiny.network.get_parameter(member.name).shape[member.axis]
                    assert sizes[member.name].shape[member.axis] < whole


@torch.no_grad()
def test_the_full_shape_is_the_network(tiny):
    network, structure, x = tiny.network, tiny.structure, tiny.images
    whole = network(x)
    assert torch.equal(sliced(network, structure, Shape(), x), whole)
    same = cut(network, structure, structure.at(1.0))
    assert torch.equal(same(x), whole)
    own = network.state_dict()
    for name, tensor in same.state_dict().items():
        assert torch.equal(tensor, own[name])
        assert tensor.numel() <= 1 or tensor.data_ptr() != own[name].data_ptr()


@torch.no_grad()
def test_what_became_of_a_smaller_network_goes_back_into_the_large_one(tiny):
    """`cut` gives it from then on, bit for bit, and what it does not have stays as it was."""
    network, structure = tiny.network, tiny.structure
    for shape in tiny.shapes(2):
        before = copy.deepcopy(network)
        small = cut(network, structure, shape)
        for p in small.parameters():
            p.add_(torch.rand_like(p))
        put_back(network, plan_of(network, structure, shape), small.state_dict())
        same = cut(network, structure, shape).state_dict()
        assert [name for name, tensor in small.state_dict().items() if not torch.equal(tensor, same[name])] == []
        changed = sum(int((p != q).sum()) for p, q in zip(network.parameters(), before.parameters(), strict=True))
        assert 0 < changed <= sum(p.numel() for p in small.parameters())


def test_gradients_reach_the_large_network(tiny):
    """They are the smaller network's, and none where something was left out."""
    network, structure, x = tiny.network.double(), tiny.structure, tiny.images.double()
    network.train(tiny.name != "dropout")
    shape = tiny.shapes(1)[-1]
    small = cut(network, structure, shape)
    small(x).square().sum().backward()
    sliced(network, structure, shape, x).square().sum().backward()
    gradients = copy.deepcopy(network)
    for given, p in zip(network.parameters(), gradients.parameters(), strict=True):
        p.data = torch.zeros_like(p) if given.grad is None else given.grad
    expected = dict(cut(gradients, structure, shape).named_parameters())
    largest = max(float(p.grad.abs().max()) for p in small.parameters() if p.grad is not None)
    for name, p in small.named_parameters():
        if p.grad is not None:
            assert torch.allclose(expected[name], p.grad, rtol=1e-9, atol=1e-12 * largest), name
    whole = sum(float(p.detach().abs().sum()) for p in gradients.parameters())
    kept = sum(float(p.grad.abs().sum()) for p in small.parameters() if p.grad is not None)
    assert whole == pytest.approx(kept, rel=1e-6)


def test_a_prefix_is_a_view_and_statistics_flow_back(make):
    network = make("chain").train()
    images = torch.randn(4, 3, 8, 8)
    structure = trace(network, images, 2)
    shape = Shape({"0.0": 4})
    tensors = plan_of(network, structure, shape).tensors()
    assert tensors["0.0.weight"].data_ptr() == network[0][0].weight.data_ptr()
    before = network[0][1].running_mean.clone()
    sliced(network, structure, shape, images)
    changed = network[0][1].running_mean != before
    assert changed.tolist() == [True] * 4 + [False] * 4


def test_a_plan_serves_many_passes(make):
    network, images = make("residual"), torch.randn(2, 3, 8, 8)
    structure = trace(network, images, 2)
    shape = structure.smallest()
    plan = plan_of(network, structure, shape)
    expected = sliced(network, structure, shape, images)
    assert torch.equal(sliced(network, structure, shape, images, plan), expected)
    with pytest.raises(UsageError, match="cannot have size 3"):
        sliced(network, structure, Shape({"0.0": 3}), images)


def test_a_plan_outlives_parameters_and_is_of_one_network(make):
    network, images = make("residual"), torch.randn(2, 3, 8, 8)
    structure = trace(network, images, 2)
    shape = structure.smallest()
    plan = plan_of(network, structure, shape)
    network[0][0].weight = nn.Parameter(2 * network[0][0].weight.detach())  # replaced
    network.double()  # moved
    x = images.double()
    assert torch.equal(sliced(network, structure, shape, x, plan), cut(network, structure, shape)(x))
    other = copy.deepcopy(network)
    with torch.no_grad():
        other[0][0].weight.zero_()
    expected = cut(other, structure, shape)(x)
    assert torch.equal(sliced(other, structure, shape, x, plan), expected)
    assert not torch.equal(sliced(network, structure, shape, x, plan), expected)


def test_after_a_pass_that_fails_the_network_is_as_before(make):
    network, images = make("depthwise"), torch.randn(2, 3, 8, 8)
    structure = trace(network, images, 2)
    whole, said = network(images), [repr(module) for module in network.modules()]
    own = {**dict(network.named_parameters()), **dict(network.named_buffers())}
    for x in (torch.randn(2, 4, 8, 8), images):
        with pytest.raises(RuntimeError) if x is not images else nullcontext():
            sliced(network, structure, structure.smallest(), x)
        found = {**dict(network.named_parameters()), **dict(network.named_buffers())}
        assert all(found[name] is tensor for name, tensor in own.items())
        assert [repr(module) for module in network.modules()] == said
        assert torch.equal(network(images), whole)


def test_modules_that_share_a_parameter_go_on_sharing_it(make):
    network = make("tied")
    structure = trace(network, torch.randn(1, 3, 8, 8), 2)
    small = cut(network, structure, structure.at(0.5))
    assert small[1].weight is small[3].weight
    assert (small[3].in_channels, small[3].weight.shape) == (4, (4, 4, 1, 1))


def test_a_smaller_kernel_is_the_centre_of_the_larger(make):
    network = make("depthwise")
    structure = trace(network, torch.randn(1, 3, 8, 8), 2)
    (path,) = structure.kernels
    small = cut(network, structure, Shape(kernels={path: 3}))
    assert torch.equal(small.get_submodule(path).weight, network.get_submodule(path).weight[..., 1:4, 1:4])
    assert small.get_submodule(path).kernel_size == (3, 3)


@pytest.mark.parametrize("name", KNOWN)
def test_the_laws_hold_for_known_networks(name, differ, draw):
    side, settings = KNOWN[name]
    network, x = differ(timm.create_model(name, pretrained=False, **settings)), torch.randn(2, 3, side, side)
    structure = checked(network, trace(network, x[:1]), x[:1])
    with torch.no_grad():
        before = network(x)
        sort_channels(network, structure)
        assert torch.allclose(network(x), before, atol=1e-4 * float(before.abs().max()))
        for shape in (structure.smallest(), draw(structure, 1)):
            small = cut(network, structure, shape)
            assert torch.equal(sliced(network, structure, shape, x), small(x))
    half = cut(network, structure, structure.at(0.5))
    sizes = [sum(p.numel() for p in module.parameters()) for module in (half, network)]
    assert sizes[0] < 0.5 * sizes[1]
    assert not structure.refused


def test_name_shape_and_weights_make_the_network_again_and_it_exports(differ, draw):
    x = torch.randn(1, 3, 32, 32)
    network = differ(timm.create_model("mobilenetv3_small_050", pretrained=False))
    structure = trace(network, x)
    sort_channels(network, structure)
    shape = draw(structure, 2)
    small = cut(network, structure, shape)
    fresh: nn.Module = timm.create_model("mobilenetv3_small_050", pretrained=False).eval()
    again = cut(fresh, trace(fresh, x), Shape.from_json(shape.to_json()))
    again.load_state_dict(small.state_dict())
    with torch.no_grad():
        expected = small(x)
        assert torch.equal(again(x), expected)
    found = ort.InferenceSession(to_onnx(again, (3, 32, 32))).run(None, {"images": x.numpy()})[0]
    assert np.allclose(found, expected.numpy(), atol=1e-4 * float(expected.abs().max()))
