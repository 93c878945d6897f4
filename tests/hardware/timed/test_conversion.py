"""What runtimes get: the same function in every format, int8 by the images given, and wrong results refused."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import onnx
import pytest
import torch

from surgenas.core import moves
from surgenas.core.errors import DataError, SurgenasError, UsageError
from surgenas.engine.jobs import job_of
from surgenas.hardware.onnx_file import to_onnx
from surgenas.hardware.runtimes.onnxruntime import OnnxRuntime
from surgenas.hardware.runtimes.openvino import OpenVino
from surgenas.hardware.runtimes.pytorch import PyTorch
from surgenas.hardware.target import Job
from surgenas.hardware.timed.conversion import TOLERANCE, Conversions, check_equal, convert_for
from surgenas.hardware.timed.session import Network
from surgenas.nn.statistics import settle_statistics


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
    ones, tens = scaled(1.0), scaled(10.0)
    assert len(ones) < 0.6 * len(plain)

    def input_scale(model):
        graph = onnx.load_from_string(model).graph
        first = next(node for node in graph.node if node.op_type == "QuantizeLinear" and node.input[0] == "images")
        value = next(t for t in graph.initializer if t.name == first.input[1])
        return float(onnx.numpy_helper.to_array(value))

    assert input_scale(tens) == pytest.approx(10 * input_scale(ones), rel=0.05)


def test_an_onnx_file_runs_on_runtimes_that_take_onnx_only(small):
    network = small.build(moves.uniform_architecture(small, "skip")).eval()
    job = Job("file", None, small.input_shape, model=lambda batch: to_onnx(network, small.input_shape, batch=batch))
    with pytest.raises(UsageError, match="pytorch runs networks from PyTorch, not ONNX files"):
        convert_for(PyTorch(), job, 1, "fp32")


def test_a_converter_that_fails_in_its_own_way_is_one_line(small, monkeypatch):
    def broken(*_):
        raise KeyError("aten.odd\nand a page of MLIR")

    monkeypatch.setattr(OnnxRuntime, "quantize", broken)
    with pytest.raises(DataError, match=r"cannot be quantized \('aten.odd") as caught:
        convert_for(OnnxRuntime(), job_of(moves.uniform_architecture(small, "skip")), 1, "int8")
    assert "\n" not in str(caught.value)


def test_a_wrong_result_is_refused():
    right = np.array([[0.5, -2.0]], np.float32)
    assert check_equal(right, right, "x") == 0.0
    for wrong in (right + 0.1, right * np.nan):
        with pytest.raises(SurgenasError, match="something else than PyTorch"):
            check_equal(right, wrong, "x")
    check_equal(right, right + 0.5, "x", TOLERANCE["bf16"])
    with pytest.raises(SurgenasError, match="something else than PyTorch"):
        check_equal(right / 10, right / 10 + 0.5, "x", TOLERANCE["bf16"])


def test_a_difference_is_told_relative_to_the_largest_logit():
    """So that 1.7e8 of logits of 1e13 is as small as it is."""
    for size in (1e-3, 1.0, 1e13):
        right = np.array([[0.5, -2.0]]) * size
        assert check_equal(right, right + 0.001 * size, "x") == pytest.approx(0.0005)
        with pytest.raises(SurgenasError, match=r"off by 0\.5 of the largest logit, 0\.001 is accepted"):
            check_equal(right, right + size, "x")
    nothing = np.zeros((1, 2), np.float32)
    assert check_equal(nothing, nothing, "x") == 0.0
    with pytest.raises(SurgenasError, match="something else than PyTorch"):
        check_equal(nothing, nothing + 1e-9, "x")


def test_a_fresh_network_is_compared_by_a_signal_that_is_alive(small):
    """Before, all logits were within 1e-8 of their bias, and any two networks were equal."""
    job = job_of(moves.uniform_architecture(small, "k5e3"))
    module = settle_statistics(job.module, job.input_shape)
    with torch.no_grad():
        one, other = module(torch.randn(2, *job.input_shape))
    assert not module.training
    assert (one - other).abs().max() > 10 * TOLERANCE["fp32"]


@pytest.mark.parametrize("runtime", [PyTorch(), OnnxRuntime()], ids=lambda r: r.name)
def test_what_is_expected_is_what_the_module_computes_in_batches_of_its_size(runtime, small):
    network, expected = convert_for(runtime, job_of(moves.uniform_architecture(small, "k3e3")), 2, "fp32")
    found = runtime.prepare(network.model, network.images, 1, "fp32")()
    assert network.input_shape == (2, *small.input_shape)
    assert found.shape == (2, 10)
    assert check_equal(expected, found, runtime.name) < 1e-4


def test_a_network_that_is_measured_again_is_not_converted_again_and_old_ones_make_room():
    asked = []

    def convert(job):
        asked.append(job.key)
        return Network(bytes(60), (1, *job.input_shape)), np.zeros((1, 2), np.float32)

    known, (a, b, c) = Conversions(most_bytes=150), (Job(key, None, (3, 8, 8)) for key in "abc")
    for job in (a, b, a, c, a, b):
        assert known.get(job, convert)[0].input_shape == (1, 3, 8, 8)
    assert asked == ["a", "b", "c", "b"], "b was the oldest when c came"


def test_what_has_files_or_images_of_its_own_is_converted_each_time():
    known, asked = Conversions(), []
    of_its_own = [
        Job("a", None, (3, 8, 8)), Job("a", None, (3, 8, 8), images=dict), Job("a", None, (3, 8, 8), files=dict)
    ]  # fmt: skip
    for job in of_its_own * 2:
        known.get(job, lambda job: asked.append(job) or (Network(b"m", (1, 3, 8, 8)), np.zeros((1, 2))))
    assert len(asked) == 5
