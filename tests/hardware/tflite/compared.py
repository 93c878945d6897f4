"""A module beside its int8 file."""

from __future__ import annotations

import numpy as np
import pytest
import torch

pytest.importorskip("ai_edge_litert")

from ai_edge_litert.interpreter import Interpreter, OpResolverType

from surgenas.hardware.onnx_file import to_onnx
from surgenas.hardware.tflite.convert import int8_tflite
from surgenas.hardware.tflite.writer import Scale

IMAGES = 4


def images_of(shape):
    return np.random.default_rng(0).standard_normal((IMAGES, *shape), dtype=np.float32)


def file_of(module, shape):
    """The int8 file of a module for images (C, H, W), whose ranges are those of `images_of`."""
    return int8_tflite(to_onnx(module.eval(), shape), images_of(shape))


def run(file, images):
    """(what comes out, in real values and with channels first; the size of one step of it)."""
    interpreter = Interpreter(model_content=file, experimental_op_resolver_type=OpResolverType.BUILTIN_REF)
    interpreter.allocate_tensors()
    source, sink = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
    taken, given = (Scale(np.array([d["quantization"][0]]), d["quantization"][1]) for d in (source, sink))
    found = []
    for image in taken.integers(images.transpose(0, 2, 3, 1), np.int8):
        interpreter.set_tensor(source["index"], image[None])
        interpreter.invoke()
        found.append(given.values(interpreter.get_tensor(sink["index"])))
    values = np.concatenate(found)
    return (values.transpose(0, 3, 1, 2) if values.ndim == 4 else values), float(given.scale[0])


def steps_off(module, shape):
    """How far the int8 file is from the module at most, in steps of what comes out."""
    images = images_of(shape)
    found, step = run(file_of(module, shape), images)
    with torch.no_grad():
        expected = module(torch.from_numpy(images)).numpy()
    assert found.shape == expected.shape
    assert expected.std() > 0, "nothing would be compared"
    return float(np.abs(found - expected).max() / step)


def operators(file):
    """The names of a file's operators, in order."""
    interpreter = Interpreter(model_content=file, experimental_op_resolver_type=OpResolverType.BUILTIN_REF)
    return [found["op_name"] for found in interpreter._get_ops_details()]
