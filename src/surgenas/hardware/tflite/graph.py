"""What does a network compute, and how large do its values become? Its ONNX graph, simplified and run on images."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
from onnx import numpy_helper

from surgenas.core.errors import DataError
from surgenas.hardware.runtimes import Images
from surgenas.hardware.tflite.writer import Scale, Values

TIED = ("MaxPool", "AveragePool", "Concat", "Slice", "Pad", "Flatten", "Reshape")
"""Operators that hand integers on as they are, so that what goes in and what comes out has one scale."""
FUSING = ("Conv", "Gemm", "Add", "BatchNormalization")
"""Operators that take a following activation into themselves."""
SIGMOID = Scale(np.array([1 / 256]), -128)
"""The one scale that the format knows for what a sigmoid computes."""
LEAST_RANGE = 1e-6
"""The range of values that are all zero."""


@dataclass(frozen=True, eq=False)
class Node:
    """One operator: op is its ONNX name. fused: the activation that it ends with, "" for none."""

    op: str
    name: str
    inputs: tuple[str, ...]
    output: str
    attributes: Mapping[str, Any]
    fused: str = ""


@dataclass(frozen=True, eq=False)
class Graph:
    """Operators in the order in which they run. shapes, scales: of each value that they compute; constants: of those
    that they are given."""

    source: str
    sink: str
    nodes: tuple[Node, ...]
    constants: Mapping[str, Values]
    shapes: Mapping[str, tuple[int, ...]]
    scales: Mapping[str, Scale]


def read_graph(model: bytes, images: Images) -> Graph:
    """The graph of ONNX bytes for one image at a time. images: (N, C, H, W), normalised; they say the ranges.

    Raises DataError for a model that cannot be run on them.
    """
    try:
        proto = _simplified(model)
        shapes, ranges = _observe(proto, proto.graph.input[0].name, images)
    except Exception as error:  # ONNX Runtime has no common base for what it raises
        raise DataError(f"ONNX Runtime cannot run this model ({str(error).splitlines()[0]})") from error
    graph = proto.graph
    constants = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    source, sink = graph.input[0].name, graph.output[0].name
    nodes = [_node(node) for node in graph.node if node.op_type != "Constant"]
    nodes = _fuse(_with_hard_swish(nodes, sink), constants, sink)
    return Graph(source, sink, tuple(nodes), constants, shapes, _scales(nodes, ranges))


def _simplified(model: bytes) -> onnx.ModelProto:
    """The same with constants computed and normalizations inside of convolutions, by ONNX Runtime."""
    with tempfile.TemporaryDirectory() as folder:
        options = ort.SessionOptions()
        options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_BASIC
        options.optimized_model_filepath = str(Path(folder) / "simple.onnx")
        options.log_severity_level, options.intra_op_num_threads = 4, 1
        # moved into a pool that takes the largest, zeros around images would count no longer
        ort.InferenceSession(model, options, providers=["CPUExecutionProvider"], disabled_optimizers=["Pad_Fusion"])
        return onnx.load(options.optimized_model_filepath)


def _node(node: onnx.NodeProto) -> Node:
    attributes = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
    return Node(node.op_type, node.name, tuple(node.input), node.output[0], attributes)


def is_sixth(node: Node) -> bool:
    """Is a HardSigmoid max(0, min(1, x/6 + 1/2))?"""
    return abs(node.attributes.get("alpha", 0.2) - 1 / 6) < 1e-6 and node.attributes.get("beta", 0.5) == 0.5


def _with_hard_swish(nodes: list[Node], sink: str) -> list[Node]:
    """The nodes, in which x times the hard sigmoid of x is one operator again: ONNX Runtime takes it apart."""
    gates = {node.output: node for node in nodes if node.op == "HardSigmoid" and is_sixth(node)}
    found = []
    for node in nodes:
        gate = next((gates[name] for name in node.inputs if name in gates), None) if node.op == "Mul" else None
        swish = gate is not None and gate.inputs[0] in node.inputs
        found.append(replace(node, op="HardSwish", inputs=gate.inputs[:1]) if gate and swish else node)
    read = {sink, *(name for node in found for name in node.inputs)}
    return [node for node in found if node.op != "HardSigmoid" or node.output in read]


def activation_of(node: Node, constants: Mapping[str, Values]) -> str:
    """The activation of the file format that a node is: "RELU", "RELU6" or ""."""
    if node.op == "Relu":
        return "RELU"
    if node.op == "Clip":
        told = (float(constants[name]) if name in constants else None for name in (*node.inputs, "", "")[1:3])
        low, high = (node.attributes.get(key, value) for key, value in zip(("min", "max"), told, strict=True))
        return {(0.0, 6.0): "RELU6", (0.0, None): "RELU"}.get((low, high), "") if low is not None else ""
    return ""


def _fuse(nodes: list[Node], constants: Mapping[str, Values], sink: str) -> list[Node]:
    """The nodes, in which an activation belongs to the operator that alone feeds it."""
    readers: dict[str, list[Node]] = {}
    for node in nodes:
        for name in node.inputs:
            readers.setdefault(name, []).append(node)
    found, gone = [], set()
    for node in nodes:
        if id(node) in gone:
            continue
        after = readers.get(node.output, [])
        kind = activation_of(after[0], constants) if len(after) == 1 and node.output != sink else ""
        if kind and node.op in FUSING:
            gone.add(id(after[0]))
            found.append(replace(node, output=after[0].output, fused=kind))
        else:
            found.append(node)
    return found


def _observe(
    proto: onnx.ModelProto, source: str, images: Images
) -> tuple[dict[str, tuple[int, ...]], dict[str, tuple[float, float]]]:
    """(shape, (least, most)) of every value over the images, which are run one by one."""
    names = [output for node in proto.graph.node for output in node.output if output]
    seen = onnx.ModelProto()
    seen.CopyFrom(proto)
    del seen.graph.output[:]
    seen.graph.output.extend(onnx.ValueInfoProto(name=name) for name in names)
    options = ort.SessionOptions()
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level, options.intra_op_num_threads = 4, 1
    session = ort.InferenceSession(seen.SerializeToString(), options, providers=["CPUExecutionProvider"])
    shapes: dict[str, tuple[int, ...]] = {}
    ranges: dict[str, tuple[float, float]] = {}
    for image in images:
        values = {source: image[None], **dict(zip(names, session.run(names, {source: image[None]}), strict=True))}
        for name, value in values.items():
            shapes[name] = value.shape
            low, high = ranges.get(name, (0.0, 0.0))  # 0 has to be among what integers can say
            ranges[name] = (min(low, float(value.min())), max(high, float(value.max())))
    return shapes, ranges


def _scales(nodes: list[Node], ranges: Mapping[str, tuple[float, float]]) -> dict[str, Scale]:
    """The scale of each value's range, or of all ranges that have to share one."""
    group = {name: {name} for name in ranges}
    for node in nodes:
        if node.op in TIED:
            for name in node.inputs:
                if name in group and group[name] is not group[node.output]:
                    group[node.output] |= group[name]
                    group |= dict.fromkeys(group[node.output], group[node.output])
    found = {}
    for name, members in group.items():
        low, high = min(ranges[member][0] for member in members), max(ranges[member][1] for member in members)
        step = max(high - low, LEAST_RANGE) / 255
        found[name] = Scale(np.array([step]), round(-128 - low / step))
    return found | {node.output: SIGMOID for node in nodes if node.op == "Sigmoid" and len(group[node.output]) == 1}
