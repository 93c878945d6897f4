"""timm models by name: as they are deployed, at any size that timm can make, and every failure in one line."""

from __future__ import annotations

import pytest
import timm
import torch
from torch import nn

from surgenas.core.errors import DataError, SurgenasError, UsageError
from surgenas.hardware.devices import make_target
from surgenas.hardware.target import all_costs
from surgenas.studies.sources import read_source
from surgenas.studies.timm_models import DEPLOYED, deployed, read_timm


def logits(job):
    with torch.no_grad():
        return job.module(torch.zeros(1, *job.input_shape))


def test_a_model_by_name():
    job = read_source("test_efficientnet", (32, 32))
    assert job.input_shape == (3, 32, 32)
    assert logits(job).shape == (1, 1000)
    assert not job.module.training
    assert job.notes == ()
    assert read_timm("test_efficientnet").input_shape == timm.get_pretrained_cfg("test_efficientnet").input_size


@pytest.mark.parametrize("name", ["mobileone_s0", "repghostnet_050"])
def test_a_model_that_is_fused_for_use_is_measured_so_and_says_so(name):
    job = read_timm(name, (32, 32))
    plain = timm.create_model(name)
    assert sum(p.numel() for p in job.module.parameters()) < sum(p.numel() for p in plain.parameters())
    assert job.notes == (DEPLOYED,)
    assert job.key.endswith("-32-deployed"), "what was stored of the network as trained is not taken for it"
    assert logits(job).shape == (1, 1000)


class Branches(nn.Module):
    """Two convolutions in training, one in use; `wrong` makes the fused one another."""

    def __init__(self, wrong):
        super().__init__()
        self.one, self.other, self.wrong = nn.Conv2d(3, 4, 3), nn.Conv2d(3, 4, 3), wrong

    def forward(self, images):
        return self.one(images) + self.other(images)

    def fuse(self):
        with torch.no_grad():
            self.one.weight += self.other.weight * (0.5 if self.wrong else 1.0)
            self.one.bias += self.other.bias
        return self.one


@pytest.mark.parametrize("wrong", [False, True])
def test_the_fused_network_must_compute_the_same(wrong):
    network = nn.Sequential(Branches(wrong), nn.BatchNorm2d(4), nn.Flatten())
    if wrong:
        with pytest.raises(SurgenasError, match="timm's fused network computes something else"):
            deployed(network, (3, 8, 8))
    else:
        assert isinstance(deployed(network, (3, 8, 8))[0], nn.Conv2d)


@pytest.mark.parametrize(("name", "size"), [("test_vit", (48, 80)), ("test_vit", (160, 160))])
def test_a_transformer_is_made_for_the_size_asked_for(name, size):
    job = read_timm(name, size)
    assert job.input_shape == (3, *size)
    assert logits(job).shape == (1, 1000)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("resnet18.nonsense", r"timm has no 'resnet18.nonsense' .*without the tag it is resnet18"),
        ("resnet18.", "timm has no 'resnet18.'"),
        ("resnet_18", "neither a file nor a timm model.*resnet18"),
        ("", "neither a file nor a timm model"),
        ("hf-hub:somebody", "neither a file nor a timm model"),
    ],
)
def test_a_name_that_does_not_exist_is_said_in_one_line(name, said):
    with pytest.raises(UsageError, match=said) as caught:
        read_timm(name)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("error", [AssertionError(), TypeError("no\nway"), RuntimeError("shape '[0, 4]' is invalid")])
def test_whatever_timm_raises_for_a_size_is_one_line(monkeypatch, error):
    def fails(*_, **__):
        raise error

    monkeypatch.setattr(timm, "create_model", fails)
    with pytest.raises(UsageError, match=r"timm cannot make test_vit for images of 8x16 px \(.+\)") as caught:
        read_timm("test_vit", (8, 16))
    assert "\n" not in str(caught.value)


def test_a_size_at_which_a_model_can_be_made_but_not_run_is_named_in_one_line():
    with pytest.raises(DataError, match="cannot run on images of 40 x 40"):
        all_costs(make_target("onnxruntime-cpu").price([read_source("test_vit", (40, 40))]))
