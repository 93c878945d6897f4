"""Networks by name: for so many classes and such images, without weights; and what a name says of its images."""

from __future__ import annotations

import pytest
import timm
import torch

from surgenas.core.errors import UsageError
from surgenas.core.look import Look
from surgenas.nn.named import input_shape, look_of, make_network


@pytest.mark.parametrize("name", ["resnet10t", "mobilenetv3_small_050", "test_vit", "test_convnext"])
def test_a_network_is_made_for_the_classes_and_the_size_asked_for(name):
    with torch.no_grad():
        assert make_network(name, 7, 64).eval()(torch.zeros(2, 3, 64, 64)).shape == (2, 7)


def test_a_tag_says_which_weights_are_meant_and_loads_none(monkeypatch):
    said = []
    monkeypatch.setattr(timm, "create_model", lambda *a, **k: said.append((a, k)))
    make_network("test_vit.r160_in1k", 5, 32)
    assert said == [(("test_vit.r160_in1k",), {"pretrained": False, "num_classes": 5, "img_size": (32, 32)})]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("resnet_18", "'resnet_18' is no network of timm; .*resnet18"),
        ("resnet18.nonsense", "timm has no 'resnet18.nonsense'.*without the tag it is resnet18"),
        ("hf-hub:somebody/something", "is no network of timm"),
        ("local-dir:/etc", "is no network of timm"),
        ("", "is no network of timm"),
    ],
)
def test_an_unknown_name_is_one_line_with_names_like_it(name, said):
    with pytest.raises(UsageError, match=said) as caught:
        make_network(name, 10, 32)
    assert "\n" not in str(caught.value)


def test_a_size_at_which_a_network_cannot_be_made_is_one_line():
    with pytest.raises(
        UsageError, match=r"timm cannot make maxvit_rmlp_pico_rw_256 for images of 8 px \(.+\)"
    ) as caught:
        make_network("maxvit_rmlp_pico_rw_256", 10, 8)
    assert "\n" not in str(caught.value)


def test_a_network_has_a_size_of_its_own():
    assert input_shape("test_vit") == (3, 160, 160)
    assert input_shape("test_vit", (32, 0)) == (3, 32, 160)


@pytest.mark.parametrize(
    ("name", "mean", "interpolation"),
    [("tf_efficientnet_lite0", 0.5, "bicubic"), ("vgg11.tv_in1k", 0.485, "bilinear")],
)
def test_a_name_says_how_its_images_look(monkeypatch, name, mean, interpolation):
    network = torch.nn.Identity()  # only its configuration is asked
    network.pretrained_cfg = timm.get_pretrained_cfg(name).to_dict()
    look = look_of(network)
    assert isinstance(look, Look)
    assert (look.mean[0], look.interpolation) == (mean, interpolation)
