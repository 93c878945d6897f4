"""Many smaller networks in one pass: each image gets what the smaller network of its own shape computes for it."""

from __future__ import annotations

import pytest
import timm
import torch
from torch import Tensor, nn

from surgenas.core.errors import UsageError
from surgenas.nn.elastic.dropout import by_image, droppable, dropped
from surgenas.nn.elastic.slicing import sliced
from surgenas.nn.elastic.structure import Shape, Structure
from surgenas.nn.elastic.tracing import trace

KNOWN = {"resnet18": 32, "mobilenetv3_small_100": 48, "efficientnet_lite0": 32}
"""timm's networks, with the side of the images in pixels."""


def for_images(structure: Structure, names: tuple[str, ...], shape: Shape) -> Shape:
    """What of a shape can differ from image to image."""
    return Shape({name: width for name, width in shape.widths.items() if name in names}, shape.off)


def one_by_one(network: nn.Module, structure: Structure, shapes: list[Shape], x: Tensor) -> Tensor:
    return torch.cat([sliced(network, structure, shape, x[i : i + 1]) for i, shape in enumerate(shapes)])


def close(found: Tensor, expected: Tensor, share: float = 1e-9) -> bool:
    return torch.allclose(found, expected, rtol=0, atol=share * float(expected.abs().max()))


@torch.no_grad()
def test_each_image_gets_what_the_network_of_its_shape_computes(tiny):
    network, structure, x = tiny.network.double(), tiny.structure, tiny.images.double()
    names = droppable(network, structure)
    shapes = [for_images(structure, names, shape) for shape in tiny.shapes(3)]
    assert len(shapes) == len(x)
    widths, off = by_image(structure, shapes)
    assert close(dropped(network, structure, widths, x, off), one_by_one(network, structure, shapes, x))
    assert torch.equal(network(x), dropped(network, structure, {}, x))  # and no hook is left behind


@torch.no_grad()
def test_equal_widths_are_the_sliced_batch(tiny):
    """Also in training mode, as far as no statistic is computed from removed units or blocks."""
    network, structure, x = tiny.network.double(), tiny.structure, tiny.images.double()
    shape = Shape(for_images(structure, droppable(network, structure), structure.smallest()).widths)
    for mode in (False, tiny.name != "dropout"):
        network.train(mode)
        widths, off = by_image(structure, [shape] * len(x))
        assert off == {}
        assert close(dropped(network, structure, widths, x), sliced(network, structure, shape, x))


@pytest.mark.parametrize("mode", [False, True])
def test_gradients_are_those_of_the_smaller_networks_and_none_beyond(tiny, mode):
    network, structure, x = tiny.network.double(), tiny.structure, tiny.images.double()
    network.train(mode and tiny.name != "dropout")
    shape = for_images(structure, droppable(network, structure), structure.smallest())
    widths, off = by_image(structure, [shape] * len(x))
    found = gradients(network, dropped(network, structure, widths, x, off))
    expected = gradients(network, sliced(network, structure, shape, x))
    largest = max(float(grad.abs().max()) for grad in expected.values())
    for name, grad in expected.items():
        assert torch.allclose(found[name], grad, rtol=0, atol=1e-9 * largest), name


def gradients(network: nn.Module, out: Tensor) -> dict[str, Tensor]:
    network.zero_grad()
    out.square().sum().backward()
    return {name: torch.zeros_like(p) if p.grad is None else p.grad for name, p in network.named_parameters()}


@pytest.mark.parametrize("name", KNOWN)
def test_the_laws_hold_for_known_networks(name, differ, draw):
    side = KNOWN[name]
    torch.manual_seed(0)
    network, x = differ(timm.create_model(name, pretrained=False)).double(), torch.randn(4, 3, side, side).double()
    structure = trace(network, x[:1])
    names = droppable(network, structure)
    assert names == tuple(group.name for group in structure.groups)
    shapes = [for_images(structure, names, draw(structure, seed)) for seed in range(4)]
    widths, off = by_image(structure, shapes)
    with torch.no_grad():
        assert close(dropped(network, structure, widths, x, off), one_by_one(network, structure, shapes, x))


def test_heads_and_hidden_channels_of_a_transformer(differ, draw):
    settings = {"img_size": 32, "depth": 2, "pretrained": False}
    network, x = (
        differ(timm.create_model("vit_tiny_patch16_224", **settings)).double(),
        torch.randn(4, 3, 32, 32).double(),
    )
    structure = trace(network, x[:1], 1)
    names = droppable(network, structure)
    assert names == ("blocks.0.attn.qkv", "blocks.0.mlp.fc1", "blocks.1.attn.qkv", "blocks.1.mlp.fc1")
    shapes = [for_images(structure, names, draw(structure, seed)) for seed in range(4)]
    widths, off = by_image(structure, shapes)
    with torch.no_grad():
        assert close(dropped(network, structure, widths, x, off), one_by_one(network, structure, shapes, x))
    stream = next(group.name for group in structure.groups if not group.exact)
    with pytest.raises(UsageError, match="cannot differ from image to image: a statistic over channels lies behind it"):
        dropped(network, structure, {stream: torch.full((4,), 8)}, x)


def test_widths_that_do_not_fit_are_refused(make):
    network, x = make("residual"), torch.randn(2, 3, 8, 8)
    structure = trace(network, x, 2)
    for widths, off, message in (
        (
            {"0.0": torch.tensor([2])},
            {},
            r"widths of '0.0' are torch.int64 of shape \(1,\); expected torch.int64 of \(2,\)",
        ),
        ({"0.0": torch.ones(2)}, {}, r"widths of '0.0' are torch.float32 of shape \(2,\)"),
        ({"0.0": torch.tensor([8, 3])}, {}, "the group '0.0' cannot have size 3; expected one of 2, 4, 6, 8"),
        ({"0.1": torch.tensor([2, 2])}, {}, "no group '0.1' can shrink"),
        ({}, {"0": torch.tensor([True, False])}, "no block '0' can be off"),
        ({}, {"1": torch.tensor([1, 0])}, "images of block '1' are torch.int64"),
    ):
        with pytest.raises(UsageError, match=message):
            dropped(network, structure, widths, x, off)
    depthwise = trace(make("depthwise"), x, 2)
    (path,) = depthwise.kernels
    assert by_image(depthwise, [Shape(kernels={path: 5})] * 2) == ({}, {})
    with pytest.raises(UsageError, match="is the same for all images of a pass"):
        by_image(depthwise, [Shape(kernels={path: 3}), Shape()])


class Windows(nn.Module):
    """Its second layer is given a row for each half of an image, or is left out."""

    def __init__(self, halves: bool) -> None:
        super().__init__()
        self.first, self.second, self.halves = nn.Conv2d(3, 8, 1), nn.Linear(8, 3), halves

    def forward(self, x: Tensor) -> Tensor:
        x = self.first(x).permute(0, 2, 3, 1)
        if self.halves:
            return self.second(x.reshape(2 * len(x), -1, 8)).reshape(len(x), -1)
        return torch.nn.functional.linear(x, self.second.weight).flatten(1)


@pytest.mark.parametrize(("halves", "message"), [
    (True, "second.weight is not applied image by image; leave first out"),
    (False, "the network uses second.weight without calling its layer; leave first out"),
])  # fmt: skip
def test_what_cannot_be_told_apart_by_image_is_refused_when_it_runs(halves, message):
    network, x = Windows(halves), torch.randn(2, 3, 4, 4)
    structure = trace(network, x, 2)
    with pytest.raises(UsageError, match=message):
        dropped(network, structure, {"first": torch.tensor([2, 4])}, x)
    assert dropped(network, structure, {"first": torch.tensor([8, 8])}, x).shape == (2, 48)


def test_matrices_of_no_layer_are_refused():
    class Raw(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.matrix = nn.Linear(3, 8), nn.Parameter(torch.randn(8, 3))

        def forward(self, x: Tensor) -> Tensor:
            return self.first(x) @ self.matrix

    network, x = Raw(), torch.randn(2, 3)
    structure = trace(network, x, 2)
    (name,) = structure.by_name
    assert droppable(network, structure) == ()
    with pytest.raises(UsageError, match="matrix is no weight of a convolution or linear layer"):
        dropped(network, structure, {name: torch.tensor([2, 4])}, x)


def test_only_what_differs_is_dropped(make):
    structure = trace(make("residual"), torch.randn(1, 3, 8, 8), 2)
    widths, off = by_image(structure, [Shape({"0.0": 8, "1.branch.0.0": 4}), Shape(off=("2",))])
    assert {name: kept.tolist() for name, kept in widths.items()} == {"1.branch.0.0": [4, 12]}
    assert {name: images.tolist() for name, images in off.items()} == {"2": [False, True]}


@torch.no_grad()
def test_what_is_the_same_for_all_images_is_sliced(tiny):
    """Kernels, and groups whose widths cannot differ; the masks are as wide as what is left."""
    network, structure, x = tiny.network.double(), tiny.structure, tiny.images.double()
    names = droppable(network, structure)
    shapes = tiny.shapes(3)
    rest = {name: width for name, width in shapes[0].widths.items() if name not in names}
    common = Shape(rest, kernels=shapes[0].kernels)
    own = [for_images(structure, names, shape) for shape in shapes]
    widths, off = by_image(structure, own)
    both = [Shape({**shape.widths, **rest}, shape.off, common.kernels) for shape in own]
    assert close(dropped(network, structure, widths, x, off, common), one_by_one(network, structure, both, x))


def test_a_group_has_widths_by_image_or_one_for_all(make):
    network, x = make("chain"), torch.randn(2, 3, 8, 8)
    structure = trace(network, x, 2)
    name = structure.groups[0].name
    with pytest.raises(UsageError, match="has widths by image and one for all images; leave it out of the shape"):
        dropped(network, structure, {name: torch.tensor([4, 8])}, x, shape=Shape({name: 4}))
