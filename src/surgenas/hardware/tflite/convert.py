"""How does an ONNX graph become an int8 .tflite file? Operator by operator."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from surgenas.core.errors import DataError
from surgenas.hardware.runtimes import Images
from surgenas.hardware.tflite.conversion import Conversion, last
from surgenas.hardware.tflite.graph import Node, read_graph
from surgenas.hardware.tflite.layers import convolution, linear, normalization
from surgenas.hardware.tflite.pooling import mean, padding, pooling
from surgenas.hardware.tflite.run import output_shape
from surgenas.hardware.tflite.values import (
    activate,
    binary,
    concatenation,
    flatten,
    hard_sigmoid,
    sigmoid,
    slicing,
    unary,
)
from surgenas.hardware.tflite.writer import Writer

OPERATORS: dict[str, Callable[[Conversion, Node], None]] = {
    "Add": partial(binary, kind="ADD", options="AddOptions"),
    "AveragePool": partial(pooling, kind="AVERAGE_POOL_2D"),
    "BatchNormalization": normalization,
    "Clip": activate,
    "Concat": concatenation,
    "Conv": convolution,
    "Flatten": flatten,
    "Gemm": linear,
    "GlobalAveragePool": mean,
    "HardSigmoid": hard_sigmoid,
    "HardSwish": partial(unary, kind="HARD_SWISH"),
    "MatMul": linear,
    "MaxPool": partial(pooling, kind="MAX_POOL_2D"),
    "Mul": partial(binary, kind="MUL", options="MulOptions"),
    "Pad": padding,
    "ReduceMean": mean,
    "Relu": activate,
    "Reshape": flatten,
    "Sigmoid": sigmoid,
    "Slice": slicing,
    "Sub": partial(binary, kind="SUB", options="SubOptions"),
}
"""By the names of ONNX."""


def int8_tflite(model: bytes, images: Images) -> bytes:
    """A network in ONNX as .tflite for one image: int8 in, int8 inside, int8 out.

    images: (N, C, H, W), normalised, which say how large values become. Raises DataError for an operator that is not
    known here, EnvironmentFault if the format is not installed.
    """
    conversion = Conversion(read_graph(model, images), Writer())
    for node in conversion.graph.nodes:
        if node.op not in OPERATORS:
            raise DataError(f"the operator {node.op} has no int8 form here; known: {', '.join(sorted(OPERATORS))}")
        try:
            OPERATORS[node.op](conversion, node)
        except (LookupError, ValueError) as error:  # what should be constant is computed, or is told in another way
            raise DataError(f"the operator {node.op}, as it stands in this network, has no int8 form here") from error
    graph = conversion.graph
    file = conversion.writer.finish([conversion.value(graph.source)], [conversion.value(graph.sink)])
    if (made := output_shape(file)) != (asked := last(graph.shapes[graph.sink])):
        raise DataError(f"in int8 the network would give {made} in place of {asked}")
    return file
