"""What of a network a formula can count, and what it must refuse."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from surgenas.core.errors import UsageError
from surgenas.hardware.estimated.counted import count_layers
from surgenas.hardware.target import Job


def half_attention() -> nn.Module:
    """A convolution of 2 x 2 weights and 200 pixels, and a product of as many MACs that is in no layer."""

    class Half(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(2, 2, 1, bias=False)

        def forward(self, x_NCHW: torch.Tensor) -> torch.Tensor:
            return self.conv(x_NCHW) @ torch.ones(20, 2, device=x_NCHW.device)

    return Half()


def test_layers_come_with_the_network_that_they_are_of():
    network, works = count_layers(Job("one", lambda: nn.Sequential(nn.Conv2d(2, 4, 1), nn.ReLU()), (2, 3, 3)), "ruler")
    assert [work.name for work in works] == ["0"]
    assert isinstance(network.get_submodule("0"), nn.Conv2d)
    assert not network.training


@pytest.mark.parametrize(
    ("job", "said"),
    [
        (
            Job("half", half_attention, (2, 10, 20)),
            "half: 50% of its MACs are in no convolution .* that a ruler counts",
        ),
        (Job("none", nn.ReLU, (2, 10, 20)), "none: 100% of its MACs are in no"),
        (Job("tiny", lambda: nn.Conv2d(2, 2, 3), (2, 1, 1)), r"tiny cannot take an image of \(2, 1, 1\)"),
        (Job("file", None, (2, 10, 10)), "file is an ONNX file"),
    ],
)
def test_what_is_not_made_of_layers_is_refused_in_one_line(job, said):
    with pytest.raises(UsageError, match=said) as caught:
        count_layers(job, "ruler")
    assert "\n" not in str(caught.value)
