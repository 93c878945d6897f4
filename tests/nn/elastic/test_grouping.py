"""Which channels make a group, in which steps it shrinks, and why others have to stay."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from surgenas.nn.elastic.tracing import trace

IMAGE = torch.randn(1, 3, 8, 8)


def test_channels_that_meet_in_an_addition_are_one_group(make):
    structure = trace(make("residual"), IMAGE, 2)
    assert [group.name for group in structure.groups] == ["0.0", "1.branch.0.0", "2.branch.0.0"]
    stem = structure.by_name["0.0"]
    assert stem.writers == ("0.0.weight", "1.branch.2.0.weight", "2.branch.1.0.weight")
    assert (stem.size, stem.step, stem.widths) == (8, 2, (2, 4, 6, 8))


def test_parts_of_a_concatenation_shrink_by_themselves(make):
    structure = trace(make("concatenation"), IMAGE, 2)
    one, other = structure.by_name["1.one.0"], structure.by_name["1.other.0"]
    (reads,) = [m.index for m in one.members if m.name == "2.0.weight"]
    assert reads.ravel().tolist() == [0, 1, 2, 3]
    (reads,) = [m.index for m in other.members if m.name == "2.0.weight"]
    assert reads.ravel().tolist() == [4, 5, 6, 7, 8, 9]


def test_a_multiple_is_of_channels_not_of_units(make):
    """Groups of two channels before, of four behind: so one unit is two channels at least."""
    assert trace(make("groups"), IMAGE, 4).by_name["0.0"].step == 2
    assert trace(make("groups"), IMAGE, 2).by_name["0.0"].step == 1


def test_what_has_to_stay_is_named_with_the_reason(make):
    reasons = {group.name: group.reason for group in trace(make("transposed"), IMAGE, 2).fixed}
    assert reasons["0.0"] == "a transposed convolution in 1"
    few = {group.name: group.reason for group in trace(make("excitation"), IMAGE, 8).fixed}
    assert few["1.reduce"] == "only 4 units, kept in multiples of 8"
    assert {"channels of the input", "channels of the output"} <= set(few.values())


def test_two_groups_of_one_layer_have_two_names():
    class Halves(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.second = nn.Conv2d(3, 8, 1), nn.Conv2d(5, 2, 1)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.second(self.first(x)[:, :5])

    structure = trace(Halves(), IMAGE, 1)
    assert {group.name: group.size for group in structure.groups} == {"first": 5, "first:2": 3}


def test_a_parameter_that_is_used_in_two_ways_has_to_stay():
    class TwoWays(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.second = nn.Linear(3, 8), nn.Linear(8, 3)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.second(self.first(x)) * self.second.weight.cumsum(0).sum()

    structure = trace(TwoWays(), torch.randn(1, 3), 1)
    assert structure.groups == ()
    assert any("cumsum" in group.reason or "element by element" in group.reason for group in structure.fixed)


@pytest.mark.parametrize(("settings", "found"), [
    ({"kernel_size": 5, "padding": 2}, {"0": 5}),
    ({"kernel_size": 5, "padding": "same"}, {"0": 5}),
    ({"kernel_size": 7, "padding": 6, "dilation": 2}, {"0": 7}),
    ({"kernel_size": 3, "padding": 1}, {}),
    ({"kernel_size": 5, "padding": 0}, {}),
    ({"kernel_size": (5, 3), "padding": (2, 1)}, {}),
    ({"kernel_size": 5, "padding": 2, "groups": 1}, {}),
])  # fmt: skip
def test_depthwise_kernels_of_five_pixels_and_more_can_shrink(settings, found):
    network = nn.Sequential(nn.Conv2d(3, 3, **{"groups": 3, **settings}))
    assert trace(network, IMAGE).kernels == found
