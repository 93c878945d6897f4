"""The network of a run as timm would give it: as trained, with other classes, without any, with its preprocessing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from timm.data import create_transform, resolve_model_data_config

import surgenas
from surgenas.core.errors import CorruptError, UsageError
from surgenas.nn.weights import save_weights
from surgenas.runs.model_use import RESIZE, ModelUse, write_use
from tests.runs.written import ARCH, SMALL, new_run, written_run

USE = ModelUse(
    {}, 16, 16, (0.5, 0.4, 0.3), (0.2, 0.2, 0.1), tuple("0123456789"), "bilinear", "squash", RESIZE["squash"]
)


@pytest.fixture
def folder(tmp_path) -> Path:
    """What a run leaves of its network."""
    torch.manual_seed(0)
    (tmp_path / "architecture.json").write_text(ARCH.to_json())
    save_weights(tmp_path / "model.safetensors", SMALL.build(ARCH).state_dict())
    write_use(tmp_path / "model.json", USE)
    return tmp_path


def test_it_is_the_trained_network_ready_to_go_on(folder):
    made, loaded = surgenas.create_model(folder), surgenas.load(folder)
    assert (made.training, loaded.training) == (True, False)
    x = torch.randn(2, 3, 16, 16)
    assert torch.equal(made.eval()(x), loaded(x))
    fresh = surgenas.create_model(folder, pretrained=False).eval()
    assert not torch.equal(fresh(x), loaded(x))


def test_other_classes_are_a_fresh_layer_on_the_same_features(folder):
    x = torch.randn(2, 3, 16, 16)
    features = surgenas.create_model(folder, num_classes=0).eval()(x)
    assert features.ndim == 2
    other = surgenas.create_model(folder, num_classes=3)
    assert other.pretrained_cfg["num_classes"] == 3
    assert other.eval()(x).shape == (2, 3)
    last = [module for module in other.modules() if isinstance(module, torch.nn.Linear)][-1]
    assert torch.allclose(last(features), other(x), atol=1e-5)


def test_timm_makes_its_preprocessing_from_it(folder):
    config = resolve_model_data_config(surgenas.load(folder))
    assert (config["mean"], config["std"], config["crop_mode"]) == (USE.mean, USE.std, "squash")
    pixels = np.random.default_rng(0).integers(0, 255, (40, 30, 3)).astype(np.uint8)
    shown = create_transform(**config, is_training=False)(Image.fromarray(pixels))
    small = np.asarray(Image.fromarray(pixels).resize((16, 16), Image.Resampling.BILINEAR)) / 255
    expected = (small - USE.mean) / USE.std
    assert np.allclose(shown.permute(1, 2, 0).numpy(), expected, atol=1e-5)


def test_without_a_network_it_says_how_to_get_one(folder, tmp_path):
    with pytest.raises(UsageError, match=r"architecture\.json"):
        surgenas.create_model(new_run(tmp_path / "new").folder)
    with pytest.raises(CorruptError, match="surgenas resume"):
        surgenas.create_model(written_run(tmp_path / "half").folder)
    with pytest.raises(UsageError, match="give 0 for features"):
        surgenas.create_model(folder, num_classes=-1)
