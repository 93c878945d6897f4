"""ONNX Runtime: layers by the module's own names, threads as asked, int8, and never the CPU in a GPU's disguise."""

from __future__ import annotations

import numpy as np
import onnxruntime as ort
import pytest
import torch
from torch import nn

from surgenas.core.errors import EnvironmentFault
from surgenas.hardware.runtimes.onnxruntime import OnnxRuntime, OnnxRuntimeCuda, OnnxRuntimeTensorRT

SHAPE = (3, 16, 16)


class Named(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem, self.body, self.head = nn.Conv2d(3, 8, 3), nn.Conv2d(8, 64, 3), nn.Linear(64, 4)

    def forward(self, x_NCHW):
        return self.head(self.body(self.stem(x_NCHW)).mean((2, 3)))


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    return OnnxRuntime().convert(Named().eval(), SHAPE, 2)


@pytest.fixture
def images():
    return np.random.default_rng(0).standard_normal((2, *SHAPE), dtype=np.float32)


def test_the_time_of_layers_is_told_by_module_path_for_one_run(model, images, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    few, many = (OnnxRuntime().layer_times_ms(model, images, 1, "fp32", runs=runs) for runs in (5, 50))
    for part in ("/stem/", "/body/", "/head/"):
        assert any(name.startswith(part) for name in few), few
    assert few.keys() == many.keys()
    assert all(ms >= 0 for ms in few.values())
    assert sum(many.values()) < 5 * sum(few.values()) + 0.1, "of one run, however many there were"
    assert list(tmp_path.iterdir()) == [], "no profile is left lying about"


@pytest.mark.parametrize("threads", [1, 2])
def test_the_number_of_threads_changes_nothing_of_what_is_computed(model, images, threads):
    one = OnnxRuntime().prepare(model, images, 1, "fp32")()
    assert np.allclose(OnnxRuntime().prepare(model, images, threads, "fp32")(), one, atol=1e-5)


def test_two_networks_that_are_prepared_do_not_disturb_each_other(model, images):
    first, other = (OnnxRuntime().prepare(model, x, 1, "fp32") for x in (images, 2 * images))
    one = first().copy()
    two = other().copy()
    assert not np.allclose(one, two)
    assert np.array_equal(first(), one)


def test_int8_runs_in_the_same_way_and_close_by(model, images):
    found = OnnxRuntime().prepare(OnnxRuntime().quantize(model, images), images, 1, "int8")()
    right = OnnxRuntime().prepare(model, images, 1, "fp32")()
    assert 0 < np.abs(found - right).max() < 0.2 * np.abs(right).max()


@pytest.mark.parametrize("runtime", [OnnxRuntimeCuda(), OnnxRuntimeTensorRT()], ids=lambda r: r.name)
def test_without_a_gpu_or_its_provider_it_says_what_to_install(monkeypatch, driver, runtime):
    monkeypatch.setattr(ort, "get_available_providers", lambda: ["CPUExecutionProvider", runtime.provider])
    with pytest.raises(EnvironmentFault, match=f"NVIDIA GPU, and {runtime.provider}.*pip install onnxruntime-gpu"):
        _ = runtime.version
    driver("echo 'NVIDIA H100'")
    assert runtime.version == f"{ort.__version__} on NVIDIA H100"
    monkeypatch.setattr(ort, "get_available_providers", lambda: ["CPUExecutionProvider"])
    with pytest.raises(EnvironmentFault, match=runtime.provider):
        _ = runtime.version
