"""What rounding costs is told for each layer by both of its names, and of networks that are no chain it is refused."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from surgenas.core.errors import UsageError
from surgenas.hardware.onnx_layers import OnnxLayer
from surgenas.studies.layer_losses import layer_losses

SHAPE = (3, 16, 16)


def network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 10)).eval()


def layers(*weights: int) -> list[OnnxLayer]:
    return [OnnxLayer(f"/{i}/node", count) for i, count in enumerate(weights)]


def test_layers_come_in_order_and_what_rounds_to_itself_costs_nothing(few_digits):
    net = network()
    with torch.no_grad():
        net[4].weight.copy_(net[4].weight.sign())  # of one size, which few bits can say
    (conv, conv_loss, conv_doubt), (linear, linear_loss, _) = layer_losses(
        net, SHAPE, few_digits, layers(108, 40), 0, 8
    )
    assert (conv, linear) == ("0", "4")
    assert conv_loss > 0
    assert conv_doubt > 0
    assert linear_loss < 1e-9


def test_the_same_seed_tells_the_same(few_digits):
    found = [layer_losses(network(), SHAPE, few_digits, layers(108, 40), seed, 2) for seed in (0, 0, 1)]
    assert found[0] == found[1] != found[2]


def test_other_layers_in_the_file_than_in_the_network_are_refused(few_digits):
    with pytest.raises(UsageError, match="are not the same; only plain chains are mixed"):
        layer_losses(network(), SHAPE, few_digits, layers(108), 0, 1)
