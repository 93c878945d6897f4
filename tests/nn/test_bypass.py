"""A removed filter hands on the input channel of its position: NetAdaptV2's widths, also one an image."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from surgenas.core.errors import UsageError
from surgenas.nn.bypass import ChannelBypass, channels_left


def unit(inputs: int, filters: int, bias: bool = False) -> ChannelBypass:
    torch.manual_seed(0)
    norm = nn.BatchNorm2d(filters)
    nn.init.uniform_(norm.weight, 0.5, 2)
    nn.init.uniform_(norm.bias, 0.5, 2)
    nn.init.uniform_(norm.running_mean)
    return ChannelBypass(nn.Conv2d(inputs, filters, 3, padding=1, bias=bias), norm, nn.Hardswish()).eval()


def plain(made: ChannelBypass, x: Tensor) -> Tensor:
    return made.activation(made.norm(made.conv(x)))


@pytest.mark.parametrize(("inputs", "filters", "kept", "left"), [
    (12, 16, 16, 16), (12, 16, 12, 12), (12, 16, 8, 12), (12, 16, 0, 12),
    (16, 12, 12, 12), (16, 12, 5, 12), (16, 12, 0, 12),
])  # fmt: skip
@torch.no_grad()
def test_what_is_missing_is_passed_on(inputs, filters, kept, left):
    made, x = unit(inputs, filters, bias=True), torch.randn(2, inputs, 5, 5)
    out = made(x, kept)
    assert channels_left(inputs, filters, kept) == left
    assert out.shape == (2, left, 5, 5)
    assert torch.allclose(out[:, :kept], plain(made, x)[:, :kept], atol=1e-6)
    assert torch.equal(out[:, kept:], x[:, kept:left])


@pytest.mark.parametrize("mode", [False, True])
def test_all_filters_are_the_plain_layer_bit_for_bit(mode):
    made, other, x = unit(12, 16).train(mode), unit(12, 16).train(mode), torch.randn(2, 12, 5, 5)
    out, expected = made(x, 16), plain(other, x)
    assert torch.equal(out, expected)
    for each in (out, expected):
        each.square().sum().backward()
    for one, two in zip(made.parameters(), other.parameters(), strict=True):
        assert torch.equal(one.grad, two.grad)
    assert torch.equal(made.norm.running_mean, other.norm.running_mean)
    assert int(made.norm.num_batches_tracked) == int(mode)


@pytest.mark.parametrize(("inputs", "filters"), [(12, 16), (16, 12)])
@torch.no_grad()
def test_each_image_has_a_width_of_its_own(inputs, filters):
    """Also behind another unit whose images have widths of their own: what an image does not have is zero."""
    first, second, x = unit(inputs, filters).double(), unit(filters, 14).double(), torch.randn(4, inputs, 5, 5).double()
    kept, then = torch.tensor([filters, 8, 5, 0]), torch.tensor([6, 14, 0, 9])
    found = second(first(x, kept), then)
    assert found.shape == (4, 14, 5, 5)
    for i in range(len(x)):
        alone = second(first(x[i : i + 1], int(kept[i])), int(then[i]))
        width = alone.shape[1]
        assert width == channels_left(channels_left(inputs, filters, int(kept[i])), 14, int(then[i]))
        assert torch.allclose(found[i, :width], alone[0])
        assert not found[i, width:].any()


def test_filters_that_are_removed_learn_nothing_and_statistics_of_the_others_flow_back():
    made, x = unit(4, 6).train(), torch.randn(3, 4, 5, 5, requires_grad=True)
    before = made.norm.running_var.clone()
    for kept in (2, torch.tensor([2, 1, 0])):
        made.zero_grad()
        made(x, kept).sum().backward()
        assert made.conv.weight.grad[:2].abs().sum() > 0
        assert not made.conv.weight.grad[2:].any()
        assert not made.norm.bias.grad[2:].any()
    assert x.grad.abs().sum() > 0
    other, ran = unit(4, 6).train(), unit(4, 6).train()
    other(x, 2)
    assert ((other.norm.running_var != before).tolist()) == [True] * 2 + [False] * 4
    ran(x, 0)
    assert torch.equal(ran.norm.running_var, before)


@pytest.mark.parametrize("conv", [
    nn.Conv2d(4, 4, 3, stride=2, padding=1), nn.Conv2d(4, 4, 3), nn.Conv2d(4, 4, 3, padding=1, groups=4),
    nn.Conv2d(4, 4, 2, padding=1),
])  # fmt: skip
def test_only_layers_that_keep_the_map_have_a_bypass(conv):
    with pytest.raises(UsageError, match=r"channels cannot pass by Conv2d\(.*expected stride 1, one group"):
        ChannelBypass(conv, nn.BatchNorm2d(4), nn.ReLU())


@pytest.mark.parametrize("kept", [-1, 7, torch.tensor([0, 7])])
def test_filters_that_there_are_not_cannot_be_kept(kept):
    with pytest.raises(UsageError, match="filters cannot be kept; expected 0 to 6"):
        unit(4, 6)(torch.randn(2, 4, 5, 5), kept)
