"""What runtimes get: the same function in every format, int8 by the images given, and no pickle by a back door."""

from __future__ import annotations

import io
import pickle
import zipfile
from dataclasses import replace

import numpy as np
import onnx
import pytest
import torch
from surgenas.runs.steps.measured import job_of
from torch import nn

from surgenas.core import moves
from surgenas.core.errors import DataError, EnvironmentFault, SurgenasError, UsageError
from surgenas.hardware.devices import make_target
from surgenas.hardware.onnx_file import to_onnx
from surgenas.hardware.runtimes.onnxruntime import OnnxRuntime
from surgenas.hardware.runtimes.openvino import OpenVino
from surgenas.hardware.runtimes.pytorch import PyTorch
from surgenas.hardware.target import Job
from surgenas.hardware.timed.conversion import check_equal, convert_for


class Tiny(nn.Module):
    def forward(self, x_NCHW):
        return x_NCHW.mean((2, 3))


def test_images_are_classified_by_the_converted_network(small):
    """Eleven images in batches of eight: the last batch is short."""
    job = job_of(moves.uniform_architecture(small, "k3e3"))
    network = job.module
    job = replace(job, build=lambda: network)
    device = make_target("onnxruntime-cpu-batch8")
    images = np.random.default_rng(0).standard_normal((11, *job.input_shape), dtype=np.float32)
    found = device.logits(job, images)
    with torch.no_grad():
        assert np.allclose(found, network(torch.from_numpy(images)).numpy(), atol=1e-4)
    with pytest.raises(UsageError, match="this machine only"):
        make_target("pytorch-cpu").logits(job, images)


@pytest.mark.parametrize(
    "runtime", [OnnxRuntime(), pytest.param(OpenVino(), marks=pytest.mark.slow)], ids=lambda r: r.name
)
def test_int8_is_a_quarter_of_the_size_and_its_ranges_come_from_the_images(small, runtime):
    if runtime.name == "openvino":
        pytest.importorskip("nncf")
    job = job_of(moves.uniform_architecture(small, "k3e6"))

    def scaled(factor):
        images = factor * np.random.default_rng(0).standard_normal((5, *job.input_shape), dtype=np.float32)
        return convert_for(runtime, replace(job, images=lambda: images), 2, "int8")[0].model

    plain = convert_for(runtime, job, 2, "fp32")[0].model
    assert len(scaled(1.0)) < 0.6 * len(plain)

    def input_scale(model):
        graph = onnx.load_from_string(model).graph
        first = next(node for node in graph.node if node.op_type == "QuantizeLinear" and node.input[0] == "images")
        value = next(t for t in graph.initializer if t.name == first.input[1])
        return float(onnx.numpy_helper.to_array(value))

    assert input_scale(scaled(10.0)) == pytest.approx(10 * input_scale(scaled(1.0)), rel=0.05)


def test_a_precision_that_a_runtime_or_a_processor_lacks_is_said(tmp_path, monkeypatch):
    (tmp_path / "x.toml").write_text('runtime = "pytorch"\nprecision = "int8"\n')
    with pytest.raises(UsageError, match="pytorch has no int8; one of fp32"):
        make_target(str(tmp_path / "x.toml"))
    pytest.importorskip("openvino")
    monkeypatch.setattr("surgenas.hardware.runtimes.openvino._has_bf16", lambda: False)
    with pytest.raises(EnvironmentFault, match="this processor has no bf16"):
        make_target("openvino-cpu-bf16")


def test_an_onnx_file_runs_on_runtimes_that_take_onnx_only(small):
    network = small.build(moves.uniform_architecture(small, "skip")).eval()
    job = Job("file", None, small.input_shape, model=lambda batch: to_onnx(network, small.input_shape, batch=batch))
    with pytest.raises(UsageError, match="pytorch runs networks from PyTorch, not ONNX files"):
        convert_for(PyTorch(), job, 1, "fp32")


class Bomb:
    def __reduce__(self):
        return pytest.fail, ("somebody's pickle was run",)


def test_pytorch_computes_what_the_module_does(small):
    network, expected = convert_for(PyTorch(), job_of(moves.uniform_architecture(small, "k3e3")), 2, "fp32")
    found = PyTorch().prepare(network.model, network.images, 1, "fp32")()
    assert check_equal(expected, found, "pytorch") < 1e-4
    assert found.shape == (2, 10)


def test_an_exported_program_with_a_pickle_is_refused_before_it_is_loaded():
    """The format's own loader would run it, both in the sample inputs and as an opaque constant."""
    images = np.zeros((1, 3, 4, 4), np.float32)
    model = PyTorch().convert(Tiny(), (3, 4, 4), 1)
    assert PyTorch().prepare(model, images, 1, "fp32")().shape == (1, 3)
    config = b'{"config": {"x": {"path_name": "opaque_obj_0", "use_pickle": true}}}'
    for part, content in (("/sample_inputs/", pickle.dumps(Bomb(), protocol=2)), ("constants_config.json", config)):
        with pytest.raises(SurgenasError, match="refused"):
            PyTorch().prepare(with_part(model, part, content), images, 1, "fp32")


def with_part(model: bytes, part: str, content: bytes) -> bytes:
    sink = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(model)) as old, zipfile.ZipFile(sink, "w") as new:
        for name in old.namelist():
            new.writestr(name, content if part in name else old.read(name))
    return sink.getvalue()


def test_a_converter_that_fails_in_its_own_way_is_one_line(small, monkeypatch):
    def broken(*_):
        raise KeyError("aten.odd\nand a page of MLIR")

    monkeypatch.setattr(OnnxRuntime, "quantize", broken)
    with pytest.raises(DataError, match=r"cannot be quantized \('aten.odd") as caught:
        convert_for(OnnxRuntime(), job_of(moves.uniform_architecture(small, "skip")), 1, "int8")
    assert "\n" not in str(caught.value)
