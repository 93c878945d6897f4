"""It is torch's, to the bit, and holds less."""

from __future__ import annotations

import torch
from torch import nn

from surgenas.nn.relu6 import ReLU6
from surgenas.testing import held_bytes


def behind_a_norm(act: nn.Module) -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), act, nn.Conv2d(8, 4, 1))


def test_values_and_gradients_are_those_of_torch():
    images = 5 * torch.randn(4, 3, 9, 9)
    found = []
    for act in (nn.ReLU6(inplace=True), ReLU6(inplace=True), ReLU6()):
        network = behind_a_norm(act)
        nn.init.constant_(network[1].weight, 4.0)  # so that some values are above six
        logits = network(images)
        logits.square().sum().backward()
        found.append([logits.detach(), *(p.grad for p in network.parameters())])
    for one, *others in zip(*found, strict=True):
        assert all(torch.equal(one, other) for other in others)


def test_at_the_kinks_no_gradient_passes():
    x = torch.tensor([-1.0, 0.0, 3.0, 6.0, 7.0], requires_grad=True)
    for act in (nn.ReLU6(), ReLU6()):
        (gradient,) = torch.autograd.grad(act(x * 1).sum(), x)
        assert gradient.tolist() == [0, 0, 1, 0, 0]


def test_only_the_result_is_held():
    images = torch.randn(4, 3, 9, 9)
    own, of_torch = (
        held_bytes(lambda net=net: net(images), net) for net in map(behind_a_norm, (ReLU6(), nn.ReLU6(True)))
    )
    assert own == of_torch - 4 * 8 * 7 * 7 * 4


def test_it_does_not_touch_what_it_is_given_in_evaluation_or_by_a_user():
    images = torch.randn(2, 3)
    ReLU6()(images)
    assert (images < 0).any()
    behind = ReLU6().eval()
    given = images.clone().requires_grad_() * 1
    assert torch.equal(behind(given), given.clamp(0, 6))
    assert (given < 0).any()
    leaf = images.clone().requires_grad_()
    ReLU6()(leaf).sum().backward()
    assert (leaf < 0).any()
