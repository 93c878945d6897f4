"""What was promised is tried: sliced equals zeroed, and what fails is named."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from surgenas.nn.elastic.checked import checked, zeroed
from surgenas.nn.elastic.slicing import sliced
from surgenas.nn.elastic.structure import Shape
from surgenas.nn.elastic.tracing import trace

IMAGE = torch.randn(1, 3, 8, 8)


@torch.no_grad()
def test_slicing_is_zeroing_for_exact_groups(tiny):
    network, x = tiny.network.double(), tiny.images.double()
    exact = {group.name for group in tiny.structure.groups if group.exact}
    for shape in tiny.shapes(3):
        shape = Shape({name: width for name, width in shape.widths.items() if name in exact})
        found = sliced(network, tiny.structure, shape, x)
        assert torch.allclose(found, zeroed(network, tiny.structure, shape, x), rtol=1e-9, atol=1e-10)


@torch.no_grad()
def test_below_a_layer_norm_it_is_not(make):
    network = make("layer scale")
    structure = trace(network, IMAGE, 2)
    inexact = [group for group in structure.groups if not group.exact]
    assert [group.name for group in inexact] == ["0.0"]
    shape = Shape({"0.0": 4})
    apart = sliced(network, structure, shape, IMAGE) - zeroed(network, structure, shape, IMAGE)
    assert float(apart.abs().max()) > 1e-4


def test_every_tiny_network_shrinks_as_far_as_it_can_be_followed(tiny):
    """But for what has to stay, and the code that knows its sizes, all weights are in groups that shrink."""
    staying = {"transposed": 4, "standardised": 4, "split": 0}
    words = ("transposed convolution", "weight is computed", "does not run")
    reasons = [group.reason for group in tiny.structure.fixed]
    named = any(word in reason for reason in reasons for word in words)
    assert named is (tiny.name in staying)
    assert tiny.structure.groups
    assert tiny.structure.refused == {}


def test_code_that_knows_its_sizes_is_refused_by_name(make):
    network = make("split")
    traced = trace(network, IMAGE, 2)
    structure = checked(network, traced, IMAGE)
    refused = [group for group in structure.fixed if "does not run" in group.reason]
    assert refused
    assert all("split" in group.reason for group in refused)
    assert {group.name for group in traced.groups} == {g.name for g in (*structure.groups, *refused)}
    assert "2.0" in {group.name for group in structure.groups}


class Knows(nn.Module):
    """Divides by a number of channels that it remembers, and so computes something else once they are fewer."""

    def __init__(self) -> None:
        super().__init__()
        self.one, self.other = nn.Conv2d(3, 8, 1), nn.Conv2d(8, 4, 1)

    def forward(self, x: Tensor) -> Tensor:
        x = self.one(x)
        return self.other(x * x.shape[1]).mean((2, 3))


def test_code_that_computes_something_else_is_refused():
    network = Knows()
    structure = checked(network, trace(network, IMAGE, 2), IMAGE)
    assert structure.groups == ()
    assert {group.name: group.reason for group in structure.fixed}["one"] == (
        "the smaller network computes something else"
    )


class Needs(nn.Module):
    """A block whose network wants to know something about it."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 3, 5, padding=2, groups=3)

    def forward(self, x: Tensor) -> Tensor:
        self.seen = x.shape
        return x + self.conv(x)


class Asks(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.blocks = nn.ModuleList([Needs(), Needs()])

    def forward(self, x: Tensor) -> Tensor:
        x = self.blocks[0](self.blocks[1](x))
        if self.blocks[0].conv.kernel_size[0] < 5:
            raise ValueError("a kernel of five\npixels is expected")
        assert self.blocks[0].seen == x.shape
        self.blocks[0].seen = None
        return x


def test_blocks_and_kernels_that_fail_are_refused_one_by_one():
    network = Asks()
    structure = checked(network, trace(network, IMAGE), IMAGE)
    assert structure.blocks == ("blocks.1",)
    assert structure.kernels == {"blocks.1.conv": 5}
    assert structure.refused["blocks.0.conv"] == ("the smaller network does not run: a kernel of five")
    assert structure.refused["blocks.0"].startswith("the smaller network does not run")


class Single(nn.Module):
    """Its code holds a number in single precision, which no network in double precision can be multiplied with."""

    def __init__(self) -> None:
        super().__init__()
        self.one, self.other, self.table = nn.Linear(3, 8), nn.Linear(8, 2), [torch.eye(2)]

    def forward(self, x: Tensor) -> Tensor:
        return self.other(self.one(x)) @ self.table[0]


def test_a_network_of_single_precision_alone_is_tried_in_it():
    network = Single()
    example = torch.randn(1, 3)
    structure = checked(network, trace(network, example, 2), example)
    assert [group.name for group in structure.groups] == ["one"]


class Compares(nn.Module):
    """Divides by how much its block changes."""

    def __init__(self) -> None:
        super().__init__()
        self.block = Needs()

    def forward(self, x: Tensor) -> Tensor:
        out = self.block(x)
        return out / (out - x).abs().mean()


def test_an_output_that_is_not_finite_is_refused():
    network = Compares()
    structure = checked(network, trace(network, IMAGE), IMAGE)
    assert structure.blocks == ()
    assert structure.refused == {"block": "the smaller network's output is not finite"}
