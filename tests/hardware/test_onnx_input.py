"""Which images an ONNX model takes: their size, the order of their axes and their type are read from it."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from surgenas.core.errors import DataError
from surgenas.hardware.onnx_file import run_unoptimised
from surgenas.hardware.onnx_input import fix_shape
from surgenas.hardware.timed.session import random_images

SHAPE = (3, 8, 8)


def graph(dims, elem_type=TensorProto.FLOAT, inputs=1):
    """A model that hands its input through, of the dimensions asked for; a string leaves one open."""
    values = [helper.make_tensor_value_info(f"images{i}", elem_type, dims) for i in range(inputs)]
    out = helper.make_tensor_value_info("logits", elem_type, dims)
    made = helper.make_graph([helper.make_node("Identity", ["images0"], ["logits"])], "g", values, [out])
    return helper.make_model(made, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)


@pytest.mark.parametrize(
    "dims",
    [
        *(["N", 3, "H", "W"], ["N", 3, 8, 8], [2, 3, "H", 8], [2, 3, 8, 8]),
        *(["N", "H", "W", 3], [2, 8, 8, 3], [2, "H", 8, 3]),
    ],
    ids=lambda d: "x".join(map(str, d)),
)
def test_open_dimensions_are_closed_and_closed_ones_stay(dims):
    model = graph(dims)
    fixed = fix_shape(model, batch=2, size=(8, 8), name="x")
    assert fixed.shape == SHAPE
    images = random_images((2, *SHAPE) if fixed.layout == "NCHW" else (2, 8, 8, 3), "float32", 0)
    assert np.array_equal(run_unoptimised(fixed.model, images), images)
    closed = onnx.load_from_string(fixed.model)
    assert [d.dim_value for d in closed.graph.input[0].type.tensor_type.shape.dim] == [*images.shape]
    again = fix_shape(closed, batch=2, size=(0, 0), name="x")
    assert again == fixed
    assert model == graph(dims), "what was handed in is as before"


@pytest.mark.parametrize(
    ("dims", "layout", "shape"),
    [
        ([1, 3, 96, 96], "NCHW", (3, 96, 96)),
        ([1, 96, 96, 3], "NHWC", (3, 96, 96)),
        ([1, 3, 64, 256], "NCHW", (3, 64, 256)),
        ([1, 64, 256, 3], "NHWC", (3, 64, 256)),
        ([1, 1, 28, 28], "NCHW", (1, 28, 28)),
        ([1, 28, 28, 1], "NHWC", (1, 28, 28)),
        ([1, 49, 10, 1], "NHWC", (1, 49, 10)),
        ([1, 13, 64, 64], "NCHW", (13, 64, 64)),
        ([1, 64, 64, 13], "NHWC", (13, 64, 64)),
        ([1, 3, 3, 3], "NCHW", (3, 3, 3)),
        ([1, 3, 224, 4], "NCHW", (3, 224, 4)),
        (["N", 3, "H", "W"], "NCHW", (3, 64, 256)),
        (["N", "H", "W", 3], "NHWC", (3, 64, 256)),
        (["N", "H", "W", 13], "NHWC", (13, 64, 256)),
        (["N", "H", 256, 3], "NHWC", (3, 64, 256)),
    ],
)
def test_channels_are_found_where_they_stand(dims, layout, shape):
    fixed = fix_shape(graph(dims), 1, (64, 256) if "H" in dims else (0, 0), "x")
    assert (fixed.layout, fixed.shape) == (layout, shape)


@pytest.mark.parametrize(
    ("kind", "dtype"),
    [(TensorProto.FLOAT16, "float16"), (TensorProto.UINT8, "uint8"), (TensorProto.INT8, "int8")],
)
def test_a_type_of_images_is_read_and_fed(kind, dtype):
    fixed = fix_shape(graph([2, 3, 8, 8], kind), 2, (0, 0), "x")
    assert fixed.dtype == dtype
    images = random_images((2, *SHAPE), dtype, seed=1)
    assert images.dtype == dtype
    assert np.array_equal(run_unoptimised(fixed.model, images), images.astype(np.float32))


@pytest.mark.parametrize(
    ("model", "named"),
    [
        (graph(["N", "C", 8, 8]), "leaves its channels open"),
        (graph(["N", "C", "H", "W"]), "leaves its channels open"),
        (graph(["N", 3, "H", 8]), "leaves its image size open; say which with --resolution"),
        (graph(["N", "H", "W", 3]), "leaves its image size open; say which with --resolution"),
        (graph([4, 3, 8, 8]), "has a fixed dimension of 4, not 2"),
        (graph(["N", 0, 8, 8]), "has a dimension of 0"),
        (graph(["N", 3, 8]), "expected a single input of images"),
        (graph(["N", 3, 8, 8], TensorProto.INT64), "expected a single input of images.* float32, float16, uint8, int8"),
        (graph(["N", 3, 8, 8], inputs=2), "expected a single input of images"),
        (graph(["N", 3, 8, 8], inputs=0), "expected a single input of images"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_model_that_does_not_take_one_batch_of_images_says_what_it_takes(model, named):
    with pytest.raises(DataError, match=f"theirs: {named}"):
        fix_shape(model, batch=2, size=(0, 0), name="theirs")


@pytest.mark.parametrize("dims", [["N", 3, 8, 8], ["N", 8, 8, 3]])
def test_an_image_of_another_size_than_the_file_is_made_for_is_refused(dims):
    with pytest.raises(DataError, match="has a fixed dimension of 8, not 16"):
        fix_shape(graph(dims), batch=1, size=(16, 16), name="x")
