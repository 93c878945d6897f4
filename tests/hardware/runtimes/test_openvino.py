"""OpenVINO: bf16 only where the processor has it, and layers by the names of ours."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
import torch
from torch import nn

from surgenas.core.errors import EnvironmentFault
from surgenas.hardware.runtimes.openvino import OpenVino

openvino = pytest.importorskip("openvino")
SHAPE = (3, 16, 16)


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    layers = (nn.Conv2d(3, 32, 3), nn.ReLU(), nn.Conv2d(32, 32, 3), nn.Flatten(), nn.Linear(4608, 4))
    return OpenVino().convert(nn.Sequential(*layers).eval(), SHAPE, 2)


@pytest.fixture
def images():
    return np.random.default_rng(0).standard_normal((2, *SHAPE), dtype=np.float32)


def processor_has(monkeypatch, *what):
    monkeypatch.setattr(openvino.Core, "get_property", lambda *_: list(what))


def test_bf16_is_missing_where_the_processor_has_none_and_is_not_silently_fp32(monkeypatch, model, images):
    processor_has(monkeypatch, "FP32", "INT8", "BF16")
    assert OpenVino().missing_feature("bf16") == ""
    processor_has(monkeypatch, "FP32", "INT8")
    assert [OpenVino().missing_feature(precision) for precision in ("fp32", "int8")] == ["", ""]
    assert "bf16" in OpenVino().missing_feature("bf16")
    with pytest.raises(EnvironmentFault, match="this processor has no bf16"):
        OpenVino().prepare(model, images, 1, "bf16")


def test_bf16_computes_nearly_the_same_and_not_the_same(model, images):
    if missing := OpenVino().missing_feature("bf16"):
        pytest.skip(f"this processor has no {missing}")
    right, found = (OpenVino().prepare(model, images, 1, precision)().copy() for precision in ("fp32", "bf16"))
    assert 1e-5 < np.abs(found - right).max() / np.abs(right).max() < 0.05


def test_int8_is_close_to_fp32_and_not_the_same(model, images):
    pytest.importorskip("nncf")
    right = OpenVino().prepare(model, images, 1, "fp32")().copy()
    found = OpenVino().prepare(OpenVino().quantize(model, images), images, 1, "int8")()
    assert 0 < np.abs(found - right).max() < 0.2 * np.abs(right).max()


def test_a_later_answer_is_of_the_images_then_though_memory_is_shared(model, images):
    call = OpenVino().prepare(model, images, 1, "fp32")
    first = call().copy()
    images[:] = 0.0
    assert not np.allclose(call(), first)


def test_layers_are_told_by_the_names_of_the_network(model, images):
    """A change of layout is charged to the layer that it is for."""
    times = OpenVino().layer_times_ms(model, images, 1, "fp32", runs=20)
    busy = {name for name, ms in times.items() if ms > 0}
    assert any(name.startswith("/0/Conv") for name in busy), times
    assert any(name.startswith("/2/Conv") for name in busy), times
    assert not any("/" in name and not name.startswith("/") for name in times), times


REPORTING = """
import sys
from surgenas.hardware.runtimes.openvino import OpenVino
OpenVino().missing_feature("bf16")
from openvino.tools.ovc import telemetry_utils
print(telemetry_utils.tm.__name__, "openvino_telemetry" in sys.modules)
"""


def test_importing_it_reports_to_nobody():
    """It would fork a process for that, in a worker whose standard input is being read."""
    done = subprocess.run([sys.executable, "-c", REPORTING], capture_output=True, text=True, check=False)
    assert done.stdout.split() == ["openvino.tools.ovc.telemetry_stub", "False"], done.stderr
