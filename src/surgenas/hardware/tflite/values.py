"""What is computed value by value, and what moves values, as operators of a .tflite file."""

from __future__ import annotations

import numpy as np

from surgenas.core.errors import DataError
from surgenas.hardware.tflite.conversion import Conversion, activation, last
from surgenas.hardware.tflite.graph import SIGMOID, Node, activation_of, is_sixth
from surgenas.hardware.tflite.writer import Scale


def activate(conversion: Conversion, node: Node) -> None:
    kind = activation_of(node, conversion.graph.constants)
    if not kind:
        raise DataError("a Clip to other bounds than [0, 6] has no int8 form here")
    unary(conversion, node, kind=kind)


def unary(conversion: Conversion, node: Node, *, kind: str) -> None:
    conversion.writer.operator(kind, [conversion.value(node.inputs[0])], [conversion.value(node.output)])


def sigmoid(conversion: Conversion, node: Node) -> None:
    if conversion.graph.scales[node.output] is not SIGMOID:
        raise DataError("a Sigmoid whose values are moved (as by Concat, Slice, Flatten) has no int8 form here")
    unary(conversion, node, kind="LOGISTIC")


def hard_sigmoid(conversion: Conversion, node: Node) -> None:
    """max(0, min(1, x/6 + 1/2)), as min(6, max(0, x + 3)) / 6."""
    if not is_sixth(node):
        raise DataError("a HardSigmoid of another slope than 1/6 has no int8 form here")
    name, writer = node.output, conversion.writer
    shape = last(conversion.graph.shapes[name])
    six = writer.tensor(f"{name}/shifted", shape, np.int8, Scale(np.array([6 / 255]), -128))
    rank = len(shape)
    three, sixth = (conversion.constant(f"{name}/{part}", np.full(1, part), rank) for part in (3.0, 1 / 6))
    inputs = [conversion.value(node.inputs[0]), three]
    writer.operator("ADD", inputs, [six], "AddOptions", fusedActivationFunction=activation("RELU6"))
    writer.operator("MUL", [six, sixth], [conversion.value(name)], "MulOptions")


def binary(conversion: Conversion, node: Node, *, kind: str, options: str) -> None:
    graph = conversion.graph
    rank = len(graph.shapes[node.output])
    if any(name not in graph.constants and len(graph.shapes[name]) != rank for name in node.inputs):
        raise DataError(f"{node.op} of rows and images has no int8 form here")
    inputs = [
        conversion.constant(f"{node.output}/{name}", graph.constants[name], rank)
        if name in graph.constants
        else conversion.value(name)
        for name in node.inputs
    ]
    fused = activation(node.fused)
    conversion.writer.operator(kind, inputs, [conversion.value(node.output)], options, fusedActivationFunction=fused)


def concatenation(conversion: Conversion, node: Node) -> None:
    rank = len(conversion.graph.shapes[node.output])
    axis = node.attributes["axis"] % rank
    if not axis:
        raise DataError("a Concat of images one after the other has no int8 form here")
    moved = {1: 3, 2: 1, 3: 2}[axis] if rank == 4 else axis
    if any(name in conversion.graph.constants for name in node.inputs):
        raise DataError("a Concat with what is not computed has no int8 form here")
    inputs = [conversion.value(name) for name in node.inputs]
    conversion.writer.operator(
        "CONCATENATION", inputs, [conversion.value(node.output)], "ConcatenationOptions", axis=moved
    )


def slicing(conversion: Conversion, node: Node) -> None:
    constants, shape = conversion.graph.constants, conversion.graph.shapes[node.inputs[0]]
    starts, ends = (constants[name].tolist() for name in node.inputs[1:3])
    axes = constants[node.inputs[3]].tolist() if len(node.inputs) > 3 else list(range(len(starts)))
    steps = constants[node.inputs[4]].tolist() if len(node.inputs) > 4 else [1] * len(starts)
    if min(steps) < 1:
        raise DataError("a Slice that turns values round has no int8 form here")
    lines = [(0, size, 1) for size in shape]
    for axis, start, end, step in zip(axes, starts, ends, steps, strict=True):
        lines[axis] = slice(start, end, step).indices(shape[axis])
    if len(lines) == 4:
        lines = [lines[i] for i in (0, 2, 3, 1)]
    parts = (conversion.integers(f"{node.output}/{i}", [line[i] for line in lines]) for i in range(3))
    conversion.writer.operator(
        "STRIDED_SLICE", [conversion.value(node.inputs[0]), *parts], [conversion.value(node.output)],
        "StridedSliceOptions",
    )  # fmt: skip


def flatten(conversion: Conversion, node: Node) -> None:
    shape, found = conversion.graph.shapes[node.inputs[0]], conversion.graph.shapes[node.output]
    if len(found) != 2 or any(size > 1 for size in shape[2:]):
        raise DataError(f"a {node.op} of {shape} to {found} has no int8 form here, only one after global pooling")
    inputs = [conversion.value(node.inputs[0]), conversion.integers(f"{node.output}/shape", found)]
    conversion.writer.operator(
        "RESHAPE", inputs, [conversion.value(node.output)], "ReshapeOptions", newShape=list(found)
    )
