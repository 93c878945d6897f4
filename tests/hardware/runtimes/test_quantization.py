"""int8 by the runtimes' own tools: small, close to fp32, and its ranges come from the images given."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
import torch
from onnx import numpy_helper
from torch import nn

from surgenas.hardware.onnx_file import run_unoptimised, to_onnx
from surgenas.hardware.runtimes.quantization import nncf_int8, static_int8

SHAPE = (3, 8, 8)


def images(N, scale=1.0):
    return scale * np.random.default_rng(0).standard_normal((N, *SHAPE), dtype=np.float32)


@pytest.fixture(scope="module")
def model():
    """Two convolutions and a classifier, for two images at a time."""
    torch.manual_seed(0)
    layers = (nn.Conv2d(3, 8, 3), nn.ReLU(), nn.Conv2d(8, 8, 3), nn.ReLU(), nn.Flatten(), nn.Linear(128, 10))
    return to_onnx(nn.Sequential(*layers), SHAPE, batch=2)


def constants(model):
    return {t.name: numpy_helper.to_array(t) for t in onnx.load_from_string(model).graph.initializer}


def input_scale(model):
    """The step between two values of the images."""
    nodes = onnx.load_from_string(model).graph.node
    first = next(node for node in nodes if node.op_type == "QuantizeLinear" and node.input[0] == "images")
    return float(constants(model)[first.input[1]])


def nncf(model, calibration, spared=()):
    pytest.importorskip("nncf")
    return nncf_int8(model, calibration, spared)


BOTH = pytest.mark.parametrize("quantize", [static_int8, nncf])


@BOTH
def test_it_computes_nearly_the_same_with_weights_of_seven_bits(model, quantize):
    """Eight bits overflow in the 16-bit sums of processors without VNNI."""
    found = quantize(model, images(16))
    right, seen = run_unoptimised(model, images(2)), run_unoptimised(found, images(2))
    assert 0 < np.abs(seen - right).max() < 0.1 * np.abs(right).max()
    weights = [w for w in constants(found).values() if w.dtype == np.int8 and w.ndim > 1]
    assert len(weights) == 3, "two convolutions and a classifier"
    assert max(np.abs(w.astype(int)).max() for w in weights) <= 64


@BOTH
def test_layers_that_are_spared_stay_in_fp32(model, quantize):
    spared = {node.name for node in onnx.load_from_string(model).graph.node if node.op_type == "Conv"}
    found = quantize(model, images(16), spared)
    kept = [w for w in constants(found).values() if w.dtype == np.float32 and w.ndim == 4]
    assert [w.shape for w in kept] == [(8, 3, 3, 3), (8, 8, 3, 3)]
    assert [w.shape for w in constants(found).values() if w.dtype == np.int8 and w.ndim > 1] == [(10, 128)]
    assert len(model) > len(found) > len(quantize(model, images(16)))


def test_a_step_between_two_values_is_the_range_of_the_images_in_eight_bits(model):
    calibration = images(8)
    reach = float(calibration.max() - calibration.min())
    assert input_scale(static_int8(model, calibration)) == pytest.approx(reach / 255, rel=1e-3)
    assert input_scale(static_int8(model, 10 * calibration)) == pytest.approx(10 * reach / 255, rel=1e-3)


def test_a_last_batch_that_is_not_full_counts_with_every_image(model):
    """Five images in batches of two, the fifth ten times as bright as the others."""
    calibration = images(5)
    calibration[4] *= 10
    reach = float(calibration.max() - calibration.min())
    assert input_scale(static_int8(model, calibration)) == pytest.approx(reach / 255, rel=1e-3)
    assert input_scale(static_int8(model, calibration[:1])) < 0.2 * reach / 255, "filled up with what there is"


def test_converters_say_nothing_of_their_own(model, capfd, recwarn):
    static_int8(model, images(2))
    assert capfd.readouterr() == ("", "")
    assert len(recwarn) == 0
