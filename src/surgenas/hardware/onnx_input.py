"""What images does an ONNX model take: of which size, in which order of the axes, of which type?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import onnx

from surgenas.core.errors import DataError

TYPES: dict[int, str] = {
    onnx.TensorProto.FLOAT: "float32",
    onnx.TensorProto.FLOAT16: "float16",
    onnx.TensorProto.UINT8: "uint8",
    onnx.TensorProto.INT8: "int8",
}
"""The types of images that a model may ask for, by their names in numpy."""
COLOURS = 4
"""A dimension up to this is taken for the channels of an image, wherever it stands."""


class FixedModel(NamedTuple):
    """ONNX bytes without open dimensions, and what they take: (C, H, W), the order of the axes, "NCHW" or "NHWC", and
    the type of the values."""

    model: bytes
    shape: tuple[int, int, int]
    layout: str = "NCHW"
    dtype: str = "float32"


def fix_shape(model: onnx.ModelProto, batch: int, size: tuple[int, int], name: str) -> FixedModel:
    """Fill in the dimensions that a model leaves open: the batch size, and height and width by `size`.

    size: (H, W); 0 for what the model says. name: what messages call the model. Raises DataError for a model that does
    not take a single batch of images, or whose fixed dimensions are others.
    """
    closed = onnx.ModelProto()
    closed.CopyFrom(model)
    weights = {tensor.name for tensor in closed.graph.initializer}
    inputs = [value for value in closed.graph.input if value.name not in weights]
    taken = inputs[0].type.tensor_type if len(inputs) == 1 else None
    if taken is None or len(taken.shape.dim) != 4 or taken.elem_type not in TYPES:
        raise DataError(
            f"{name}: expected a single input of images, (N, C, H, W) or (N, H, W, C), of {', '.join(TYPES.values())}"
        )
    layout = _layout(taken.shape.dim)
    wanted = dict(zip("NCHW", (batch, 0, *size), strict=True))
    for axis, dim in zip(layout, taken.shape.dim, strict=True):
        _close(dim, axis, wanted[axis], name)
    found = {axis: dim.dim_value for axis, dim in zip(layout, taken.shape.dim, strict=True)}
    for value in closed.graph.output:  # inferred again from the input
        value.type.tensor_type.ClearField("shape")
    shape = (found["C"], found["H"], found["W"])
    return FixedModel(closed.SerializeToString(), shape, layout, TYPES[taken.elem_type])


def _layout(dims: Sequence[Any]) -> str:
    """ "NHWC" if the last dimension must be the channels: it alone is as small as colours, or smaller than a square
    before it, or the only one of an image that is fixed."""
    _, second, third, last = (dim.dim_value if dim.HasField("dim_value") else 0 for dim in dims)
    colours = 0 < last <= COLOURS and not 0 < second <= COLOURS
    beside_a_square = 0 < last < second == third
    alone = last > 0 and not second and not third
    return "NHWC" if colours or beside_a_square or alone else "NCHW"


def _close(dim: Any, axis: str, wanted: int, name: str) -> None:
    """Give an open dimension the wanted value; 0 for any. Raises DataError for one that is fixed to another."""
    if not dim.HasField("dim_value"):
        if axis == "C":
            raise DataError(f"{name}: leaves its channels open; export it with their number fixed")
        if not wanted:
            raise DataError(f"{name}: leaves its image size open; say which with --resolution")
        dim.dim_value = wanted
    elif dim.dim_value < 1:
        raise DataError(f"{name}: has a dimension of {dim.dim_value}; export it with that of an image")
    elif wanted and dim.dim_value != wanted:
        raise DataError(f"{name}: has a fixed dimension of {dim.dim_value}, not {wanted}")
