"""Pooling, means over images and padding as operators of a .tflite file."""

from __future__ import annotations

from collections.abc import Sequence

from surgenas.core.errors import DataError
from surgenas.hardware.tflite.conversion import SAME, VALID, Conversion, around, pads_of, same_around
from surgenas.hardware.tflite.graph import Node


def pooling(conversion: Conversion, node: Node, *, kind: str) -> None:
    attributes = node.attributes
    kernel, stride = attributes["kernel_shape"], attributes.get("strides", [1, 1])
    window = (kernel, stride, (1, 1))
    asked = pads_of(conversion, node, *window)
    fits = not any(asked) or asked == same_around(conversion, node, *window)
    counted = kind == "AVERAGE_POOL_2D" and attributes.get("count_include_pad", 0) and any(asked)
    spread = any(step > 1 for step in attributes.get("dilations", ()))
    if attributes.get("ceil_mode") or spread or (not fits and kind == "AVERAGE_POOL_2D" and not counted):
        raise DataError(f"{node.op} of kernel {kernel}, stride {stride} and padding {asked} has no int8 form here")
    if counted:
        source, word = around(conversion, node, asked), VALID
    elif fits:
        source, word = conversion.value(node.inputs[0]), SAME if any(asked) else VALID
    else:
        source, word = around(conversion, node, asked, least=True), VALID
    conversion.writer.operator(
        kind, [source], [conversion.value(node.output)], "Pool2DOptions", padding=word, strideH=stride[0],
        strideW=stride[1], filterHeight=kernel[0], filterWidth=kernel[1],
    )  # fmt: skip


def mean(conversion: Conversion, node: Node) -> None:
    """The mean of each channel."""
    axes: Sequence[int] = (2, 3)
    if node.op == "ReduceMean":
        told = conversion.graph.constants[node.inputs[1]].tolist() if len(node.inputs) > 1 else None
        axes = told or node.attributes.get("axes", ())
    if sorted(axis % 4 for axis in axes) != [2, 3]:
        raise DataError(f"a mean over the axes {list(axes)} has no int8 form here, only one over images")
    inputs = [conversion.value(node.inputs[0]), conversion.integers(f"{node.output}/axes", (1, 2))]
    keep = bool(node.attributes.get("keepdims", 1))
    conversion.writer.operator("MEAN", inputs, [conversion.value(node.output)], "ReducerOptions", keepDims=keep)


def padding(conversion: Conversion, node: Node) -> None:
    """Zeros of the graph itself."""
    pads = conversion.graph.constants[node.inputs[1]].tolist()
    value = float(conversion.graph.constants[node.inputs[2]]) if len(node.inputs) > 2 and node.inputs[2] else 0.0
    plain = node.attributes.get("mode", b"constant") == b"constant" and len(node.inputs) < 4 and len(pads) == 8
    if not plain or min(pads) < 0 or any(pads[i] for i in (0, 1, 4, 5)) or value:
        raise DataError("only zeros around images have an int8 form here")
    around(conversion, node, [pads[2], pads[3], pads[6], pads[7]], conversion.value(node.output))
