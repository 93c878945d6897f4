"""Weights by name come from timm's own download; where they cannot, it is one line, at once. No network is needed."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from surgenas.core.errors import EnvironmentFault, UsageError
from surgenas.nn.download import download


def reached(repository):
    """A hub that answers."""


def test_weights_by_name_are_what_timm_makes_with_them():
    asked = []

    def create(name, *, pretrained):
        asked.append((name, pretrained))
        return nn.Linear(2, 2)

    found = download("test_resnet.r160_in1k", ask=reached, create=create)
    assert asked == [("test_resnet.r160_in1k", True)]
    assert {name: tuple(value.shape) for name, value in found.items()} == {"weight": (2, 2), "bias": (2,)}
    assert isinstance(found["weight"], torch.Tensor)


def test_without_a_network_nothing_is_tried_and_one_line_says_which_file_to_get():
    def unreachable(repository):
        raise ConnectionError(f"{repository}:\nName or service not known")

    def create(*_, **__):
        raise AssertionError("not before the hub answers")

    with pytest.raises(EnvironmentFault, match=r"test_resnet cannot be fetched .*get timm/test_resnet") as caught:
        download("test_resnet", ask=unreachable, create=create)
    assert "\n" not in str(caught.value)


def test_whatever_breaks_a_download_is_one_line():
    def create(*_, **__):
        raise OSError("connection reset\nby peer")

    with pytest.raises(EnvironmentFault, match="connection reset") as caught:
        download("test_resnet", ask=reached, create=create)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("mobilenetv2_035", "timm publishes no weights for mobilenetv2_035"),
        ("resnet_18", "no network of timm; .*resnet18"),
        ("resnet18.nonsense", "without the tag it is resnet18"),
    ],
)
def test_a_name_without_weights_is_one_line(name, said):
    with pytest.raises(UsageError, match=said) as caught:
        download(name, ask=reached)
    assert "\n" not in str(caught.value)
