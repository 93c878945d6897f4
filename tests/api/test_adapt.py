"""The words of `adapt` are words of a search whose space is a network."""

from __future__ import annotations

import pytest

from surgenas.api import adapting
from surgenas.core.errors import UsageError
from surgenas.runs.config import make_config


def test_the_space_is_the_network_at_its_own_size():
    said = adapting("test_resnet", {"weights": "w.safetensors"})
    config = make_config(**said)
    assert (config.space.name, config.space.settings) == ("elastic", {"network": "test_resnet"})
    assert config.data.resolution == 160, "timm's own of this network"
    assert (config.training.weights, config.method.name) == ("w.safetensors", "netadaptv2")


def test_what_is_said_counts_before_what_is_usual():
    said = adapting("test_resnet", {"resolution": 64, "method": "spos", "space_settings": {"widths": 4}})
    assert (said["resolution"], said["method"], said["weights"]) == (64, "spos", "timm")
    assert said["space_settings"] == {"network": "test_resnet", "widths": 4}


@pytest.mark.parametrize(
    ("network", "said", "why"),
    [
        ("resnett18", {}, "'resnett18' is no network of timm.*resnet18"),
        ("test_resnet", {"space": "mobile"}, "the space of `adapt` is the network"),
    ],
)
def test_what_cannot_be_meant_is_one_line(network, said, why):
    with pytest.raises(UsageError, match=why):
        adapting(network, said)
