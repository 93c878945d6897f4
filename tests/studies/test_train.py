"""Training one architecture outside of a run: gone on with, and never from the checkpoints of something else."""

from __future__ import annotations

import json

import numpy as np
import onnxruntime
import pytest
import torch

from surgenas import api
from surgenas.core.errors import UsageError
from surgenas.runs.checkpoint import Checkpoints
from surgenas.spaces.mobile import Mobile
from surgenas.studies.train import TrainedFile, claim_checkpoints
from tests.runs.written import ARCH, SMALL, Interrupting, architecture_file, pictures

THREE = Mobile(layout="small", resolution=16, classes=3)


@pytest.fixture
def data(tmp_path):
    return str(pictures(tmp_path / "pictures"))


@pytest.fixture
def arch(tmp_path):
    return architecture_file(tmp_path / "arch.json", THREE.architecture(ARCH.genes))


def test_checkpoints_of_another_training_are_not_gone_on_from(tmp_path):
    checkpoints = Checkpoints(tmp_path)
    claim_checkpoints(checkpoints, {"architecture": "a", "seed": 0})
    checkpoints.save(1, {"weights": torch.ones(2)})
    claim_checkpoints(checkpoints, {"architecture": "a", "seed": 0})
    with pytest.raises(UsageError, match="another training"):
        claim_checkpoints(checkpoints, {"architecture": "a", "seed": 1})
    (tmp_path / "training.json").unlink()
    with pytest.raises(UsageError, match="another training"):
        claim_checkpoints(checkpoints, {"architecture": "a", "seed": 0})


def test_interrupted_and_asked_again_it_ends_the_same(tmp_path, data, arch):
    how = {"epochs": 3, "batch": 32, "accelerator": "cpu"}
    whole = api.train(arch, data, tmp_path / "whole", **how)
    with pytest.raises(KeyboardInterrupt):
        api.train(arch, data, tmp_path / "cut", progress=Interrupting(2), **how)
    cut = api.train(arch, data, tmp_path / "cut", **how)
    assert (tmp_path / "cut" / "model.safetensors").read_bytes() == (
        tmp_path / "whole" / "model.safetensors"
    ).read_bytes()
    assert (cut.accuracy, cut.classes) == (whole.accuracy, whole.classes)
    assert [row.name for row in cut.classes.classes] == ["bright", "dark", "middling"]
    assert TrainedFile.from_json(cut.to_json()) == cut
    for other in ({"seed": 1}, {"batch": 16}, {"epochs": 4}, {"flips": "off"}, {"classes": "balanced"}):
        with pytest.raises(UsageError, match="another training"):
            api.train(arch, data, tmp_path / "cut", **{**how, **other})


def test_the_folder_holds_a_model_that_loads_and_says_how_it_is_used(tmp_path, data, arch):
    found = api.train(arch, data, tmp_path / "out", epochs=1, batch=32, accelerator="cpu")
    images = torch.randn(2, 3, 16, 16)
    with torch.no_grad():
        expected = api.load(tmp_path / "out")(images).numpy()
    session = onnxruntime.InferenceSession(found.onnx)
    assert np.allclose(session.run(None, {"images": images.numpy()})[0], expected, atol=1e-4)
    use = json.loads((tmp_path / "out" / "model.json").read_text())
    assert use["classes"] == ["bright", "dark", "middling"]
    assert list(use["files"]) == ["model.onnx"]


def test_what_does_not_fit_is_refused_before_anything_is_trained(tmp_path, data, arch):
    ten = architecture_file(tmp_path / "ten.json", SMALL.architecture(ARCH.genes))
    with pytest.raises(UsageError, match=r"10 classes, .* has 3"):
        api.train(ten, data, tmp_path / "out", epochs=1)
    wrong = (
        ({"epochs": 0}, "--epochs 0"), ({"batch": 0}, "--batch 0"), ({"fit": "fill"}, "--fit 'fill'"),
        ({"flips": "up"}, "--flips 'up'"), ({"classes": "even"}, "--classes 'even'"),
    )  # fmt: skip
    for how, named in wrong:
        with pytest.raises(UsageError, match=named):
            api.train(arch, data, tmp_path / "out", **{"epochs": 1, **how})
    assert not (tmp_path / "out" / "model.safetensors").exists()
