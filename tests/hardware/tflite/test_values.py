"""Activations, sums, products and what moves values compute in int8 what they compute in PyTorch."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from surgenas.core.errors import DataError
from tests.hardware.tflite.compared import file_of, operators, steps_off


class Applied(nn.Module):
    """A function of two convolutions of the images."""

    def __init__(self, function):
        super().__init__()
        self.a, self.b, self.function = nn.Conv2d(4, 4, 1), nn.Conv2d(4, 4, 1), function

    def forward(self, images):
        return self.function(self.a(images), self.b(images))


FUNCTIONS = {
    "sum": lambda a, b: a + b,
    "sum, then at least 0": lambda a, b: torch.relu(a + b),
    "product": lambda a, b: a * b,
    "by a constant": lambda a, b: a * 0.37 + b,
    "by a gate for each channel": lambda a, b: a * torch.sigmoid(b.mean((2, 3), keepdim=True)),
    "hard gate": lambda a, b: a * nn.functional.hardsigmoid(b),
    "hard swish": lambda a, b: nn.functional.hardswish(a) + b,
    "swish": lambda a, b: nn.functional.silu(a) + b,
    "relu of what others read too": lambda a, b: torch.relu(a) + a * b,
    "side by side": lambda a, b: torch.cat([a, b], 1),
    "half of the channels": lambda a, b: torch.cat([a[:, :2], b[:, 1::2]], 1),
    "difference": lambda a, b: a - b,
    "hard gate at the end": lambda a, b: nn.functional.hardsigmoid(a + b),
    "rows times a vector": lambda a, b: (a * b).mean((2, 3)) * torch.arange(1.0, 5.0),
    "rows by a temperature": lambda a, b: torch.relu((a + b).mean((2, 3))) * 3,
    "without the last row": lambda a, b: a[:, :, :-1] + b[:, :, 1:],
}


@pytest.mark.parametrize("function", FUNCTIONS.values(), ids=FUNCTIONS)
def test_values_are_off_by_rounding_alone(function):
    assert steps_off(Applied(function), (4, 8, 8)) < 6


def test_an_activation_that_others_do_not_share_costs_no_operator():
    assert operators(file_of(Applied(FUNCTIONS["sum, then at least 0"]), (4, 8, 8))) == ["CONV_2D", "CONV_2D", "ADD"]


@pytest.mark.parametrize(
    ("function", "why"),
    [
        (lambda a, b: torch.clamp(a, -1, 1) + b, "a Clip to other bounds"),
        (lambda a, b: torch.cat([torch.sigmoid(a), b], 1), "a Sigmoid whose values are moved"),
        (lambda a, b: (a + b).flatten(1), "only one after global pooling"),
        (lambda a, b: torch.exp(a) + b, "the operator Exp has no int8 form here"),
        (lambda a, b: torch.cat([a, torch.ones(1, 4, 8, 8)], 1) + torch.cat([b, b], 1), "what is not computed"),
        (lambda a, b: (a + b).flip(3), "a Slice that turns values round"),
        (lambda a, b: a[..., :4] * b.mean((2, 3)), "Mul of rows and images"),
        (lambda a, b: torch.cat([a, b], 0), "a Concat of images one after the other"),
    ],
)
def test_what_has_no_int8_form_is_named(function, why):
    with pytest.raises(DataError, match=why):
        file_of(Applied(function), (4, 8, 8))
