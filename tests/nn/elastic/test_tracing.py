"""One pass tells what can be smaller, whatever code runs, and leaves the network as it was."""

from __future__ import annotations

import pytest
import timm
import torch
from torch import nn

from surgenas.core.errors import UsageError
from surgenas.nn.elastic.tracing import trace

IMAGE = torch.randn(1, 3, 8, 8)


def test_blocks_that_add_to_their_input_can_be_off(make):
    assert trace(make("residual"), IMAGE, 2).blocks == ("1", "2")
    assert trace(make("layer scale"), IMAGE, 2).blocks == ("1", "2")
    assert trace(make("chain"), IMAGE, 2).blocks == ()


def test_only_the_innermost_of_nested_blocks_are_named(make):
    assert trace(nn.Sequential(nn.Sequential(make("residual"))), IMAGE, 2).blocks == ("0.0.1", "0.0.2")


def test_the_network_stays_as_it_was(make):
    network = make("residual").train()
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    trace(network, IMAGE)
    assert all(module.training for module in network.modules())
    assert all(torch.equal(tensor, before[name]) for name, tensor in network.state_dict().items())
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in network.modules())


def test_an_example_of_the_wrong_shape_is_refused_in_one_line(make):
    with pytest.raises(
        UsageError, match=r"^Sequential does not run on an example of shape \(1, 4, 8, 8\) \(.*\); expected"
    ):
        trace(make("chain"), torch.randn(1, 4, 8, 8))
    for nothing in (torch.zeros(1, 3, 8, 8, dtype=torch.uint8), torch.zeros(3), "images"):
        with pytest.raises(UsageError, match=r"must be a tensor of floating-point images"):
            trace(make("chain"), nothing)
    with pytest.raises(UsageError, match="multiples of 0; expected 1 or more"):
        trace(make("chain"), IMAGE, 0)


class Impossible(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        raise KeyError("two\nlines")


def test_a_network_that_does_not_run_is_refused_in_one_line():
    with pytest.raises(UsageError) as failure:
        trace(Impossible(), IMAGE)
    assert "Impossible does not run" in str(failure.value)
    assert "\n" not in str(failure.value)


def test_a_copy_of_a_parameter_does_not_hide_it():
    """timm's attentions look biases up once in eval mode, and then again only after train() or eval()."""
    network, images = timm.create_model("levit_128s", pretrained=False).eval(), torch.randn(1, 3, 224, 224)
    network(images)  # so the copies are part of a graph of gradients, which cannot be copied either
    assert any(getattr(module, "attention_bias_cache", None) for module in network.modules())
    structure = trace(network, images)
    names = {m.name for group in (*structure.groups, *structure.fixed) for m in group.members}
    assert any(name.endswith("attention_biases") for name in names)
