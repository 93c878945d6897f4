"""What is one unit, in the layers that read, make and normalise channels."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from surgenas.nn.elastic.structure import Group
from surgenas.nn.elastic.tracing import trace


def groups_of(*layers: nn.Module, size: int = 8) -> dict[str, Group]:
    """What can shrink or not, by name, in layers between two convolutions; without the input and the output."""
    network = nn.Sequential(nn.Conv2d(3, size, 3, padding=1), *layers, nn.Conv2d(size, 2, 1))
    structure = trace(network, torch.randn(1, 3, 4, 4), 1)
    told = ("channels of the input", "channels of the output")
    return {g.name: g for g in (*structure.groups, *structure.fixed) if not g.reason.startswith(told)}


def axes_of(group: Group) -> set[tuple[str, int, int]]:
    """(parameter, axis, positions of a unit)."""
    return {(member.name, member.axis, member.index.shape[1]) for member in group.members}


def test_a_convolution_reads_what_another_makes():
    found = groups_of(nn.Conv2d(8, 8, 3, padding=1), nn.ReLU())
    assert axes_of(found["0"]) == {("0.weight", 0, 1), ("0.bias", 0, 1), ("1.weight", 1, 1)}
    assert axes_of(found["1"]) == {("1.weight", 0, 1), ("1.bias", 0, 1), ("3.weight", 1, 1)}


def test_a_group_convolution_goes_group_by_group():
    found = groups_of(nn.Conv2d(8, 8, 3, padding=1, groups=4, bias=False))
    (group,) = found.values()
    assert (group.size, group.writers) == (4, ("0.weight", "1.weight"))
    assert axes_of(group) == {("0.weight", 0, 2), ("0.bias", 0, 2), ("1.weight", 0, 2), ("2.weight", 1, 2)}


def test_a_batch_norm_goes_with_its_channels_statistics_included():
    (group,) = groups_of(nn.BatchNorm2d(8)).values()
    names = {"weight", "bias", "running_mean", "running_var"}
    assert {name for name, _, _ in axes_of(group)} == {*(f"1.{n}" for n in names), "0.weight", "0.bias", "2.weight"}
    assert group.exact


@pytest.mark.parametrize(("norm", "size", "exact"), [
    (nn.GroupNorm(4, 8), 4, True),
    (nn.GroupNorm(1, 8), 8, False),
    (nn.InstanceNorm2d(8, affine=True), 8, True),
])  # fmt: skip
def test_a_group_norm_goes_group_by_group_and_one_over_all_channels_is_not_exact(norm, size, exact):
    (group,) = groups_of(norm).values()
    assert (group.size, group.exact) == (size, exact)
    assert ("1.weight", 0, 8 // size) in axes_of(group)


class Last(nn.Module):
    """A layer for channels that come last."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.layer(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


@pytest.mark.parametrize("norm", [nn.LayerNorm(8), nn.RMSNorm(8)])
def test_a_norm_over_channels_is_not_exact(norm):
    (group,) = groups_of(Last(norm)).values()
    assert (group.size, group.exact) == (8, False)
    assert ("1.layer.weight", 0, 1) in axes_of(group)


def test_a_layer_norm_over_positions_too_has_to_stay():
    found = groups_of(nn.LayerNorm([8, 4, 4]))
    assert "a layer norm over several axes in 1" in {group.reason for group in found.values()}
    assert all(group.reason for group in found.values())


@pytest.mark.parametrize("bias", [True, False])
def test_a_linear_layer_is_a_convolution_of_one_pixel(bias):
    found = groups_of(Last(nn.Linear(8, 8, bias=bias)))
    assert ("1.layer.weight", 1, 1) in axes_of(found["0"])
    assert ("1.layer.weight", 0, 1) in axes_of(found["1.layer"])
    assert (("1.layer.bias", 0, 1) in axes_of(found["1.layer"])) is bias


def test_a_transposed_convolution_has_to_stay():
    found = groups_of(nn.ConvTranspose2d(8, 8, 1))
    assert {group.reason for group in found.values()} == {
        "a transposed convolution in 1", "reads what is no layer's channel in 2"
    }  # fmt: skip


class Computed(nn.Conv2d):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return F.conv2d(x, self.weight * self.weight.norm(), None, padding=self.padding)


def test_a_convolution_whose_weight_is_computed_has_to_stay():
    found = groups_of(Computed(8, 8, 3, padding=1))
    assert "a convolution whose weight is computed in 1" in {group.reason for group in found.values()}
    assert all(group.reason for group in found.values())


class Attends(nn.Module):
    """Heads of two channels that are attended to over the pixels."""

    def __init__(self, how: Callable[..., torch.Tensor]) -> None:
        super().__init__()
        self.qkv, self.how = nn.Linear(8, 24), how
        self.biases = nn.Parameter(torch.zeros(4, 16))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        q, k, v = self.qkv(x.flatten(2).mT).unflatten(2, (3, 4, 2)).permute(2, 0, 3, 1, 4).unbind(0)
        bias = self.biases[:, torch.arange(16).expand(16, 16)]
        return self.how(q, k, v, bias).transpose(1, 2).flatten(2).mT.unflatten(2, x.shape[2:])


def fused(q, k, v, bias):
    return F.scaled_dot_product_attention(q, k, v, attn_mask=bias)


def by_hand(q, k, v, bias):
    return (q @ k.mT + bias).softmax(-1) @ v


def with_bias_at_once(q, k, v, bias):
    return torch.baddbmm(bias, q[0], k[0].mT).softmax(-1)[None] @ v


@pytest.mark.parametrize("how", [fused, by_hand, with_bias_at_once])
def test_a_head_goes_as_a_whole_in_queries_keys_values_and_biases(how):
    found = groups_of(Attends(how))
    heads = found["1.qkv"]
    assert (heads.size, heads.exact, heads.reason) == (4, True, "")
    assert axes_of(heads) == {
        ("1.qkv.weight", 0, 6), ("1.qkv.bias", 0, 6), ("1.biases", 0, 1), ("2.weight", 1, 2)
    }  # fmt: skip
