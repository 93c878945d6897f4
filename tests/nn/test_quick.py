"""What is quickened computes and learns the same, under the same names."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from surgenas.nn.depthwise import DepthwiseConv2d
from surgenas.nn.named import make_network
from surgenas.nn.pointwise import PointwiseConv2d
from surgenas.nn.quick import quicken
from surgenas.nn.relu6 import ReLU6


def test_a_network_of_timm_stays_what_it_is():
    torch.manual_seed(0)
    network = make_network("test_efficientnet", 5, 32).double().train()
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = 0.0
    before = {name: value.clone() for name, value in network.state_dict().items() if "tracked" not in name}
    images = torch.randn(4, 3, 32, 32, dtype=torch.double)

    def outcome() -> list[torch.Tensor]:
        network.zero_grad()
        logits = network(images)
        logits.square().sum().backward()
        return [logits.detach(), *(p.grad for p in network.parameters())]

    expected, parameters = outcome(), list(network.parameters())
    assert quicken(network) is network
    assert any(isinstance(module, DepthwiseConv2d) for module in network.modules())
    assert all(one is other for one, other in zip(parameters, network.parameters(), strict=True))
    after = network.state_dict()
    assert all(torch.equal(after[name], value) for name, value in before.items())
    for one, other in zip(outcome(), expected, strict=True):
        assert torch.allclose(one, other, rtol=1e-9, atol=1e-9)


def test_an_activation_is_replaced_wherever_it_is():
    found = quicken(nn.Sequential(nn.Sequential(nn.ReLU6(inplace=True)), nn.ReLU()).eval())
    assert type(found[0][0]) is ReLU6
    assert type(found[1]) is nn.ReLU
    assert not found[0][0].training


def test_strided_1x1_convolutions_are_replaced_and_no_others():
    found = quicken(
        nn.Sequential(*(nn.Conv2d(8, 8, k, stride, padding=k // 2) for k, stride in ((1, 2), (1, 1), (3, 2))))
    )
    assert [type(conv) for conv in found] == [PointwiseConv2d, nn.Conv2d, nn.Conv2d]


class Odd(nn.Conv2d):
    """A layer of somebody's own."""


@pytest.mark.parametrize(
    "conv",
    [
        nn.Conv2d(4, 8, 3, padding=1, groups=4, bias=False),
        nn.Conv2d(4, 4, 3, padding=1, groups=4),
        nn.Conv2d(4, 4, 3, padding=0, groups=4, bias=False),
        nn.Conv2d(4, 4, 3, padding=2, dilation=2, groups=4, bias=False),
        nn.Conv2d(4, 4, (3, 5), padding=(1, 2), groups=4, bias=False),
        nn.Conv2d(4, 4, 2, padding=1, groups=4, bias=False),
        nn.Conv2d(4, 4, 3, (1, 2), 1, groups=4, bias=False),
        nn.Conv2d(4, 4, 3, padding=1, groups=4, bias=False, padding_mode="reflect"),
        nn.Conv2d(4, 4, 3, padding="same", groups=4, bias=False),
        nn.Conv2d(1, 1, 3, padding=1, bias=False),
        Odd(4, 4, 3, padding=1, groups=4, bias=False),
    ],
)
def test_what_is_not_the_same_is_left(conv):
    assert quicken(nn.Sequential(conv))[0] is conv
