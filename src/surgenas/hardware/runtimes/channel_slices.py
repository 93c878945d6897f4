"""How does a runtime whose slices have no steps take every second channel?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import onnx
from onnx import helper, numpy_helper

Integers = npt.NDArray[np.int64]


def without_steps(model: bytes) -> bytes:
    """ONNX bytes of the same function, where slices of every k-th channel are slices of shuffled channels.

    x[:, s::k] is a piece of the channels in the order 0, k, 2k, .., 1, k + 1, ..; that order is a reshape, a
    transposition and a reshape, which converters know as the channel shuffle of ShuffleNet. All slices of one tensor
    share it.
    """
    proto = onnx.shape_inference.infer_shapes(onnx.load_from_string(model))
    graph = proto.graph
    known = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    known |= {n.output[0]: numpy_helper.to_array(n.attribute[0].t) for n in graph.node if n.op_type == "Constant"}
    shapes = {v.name: tuple(d.dim_value for d in v.type.tensor_type.shape.dim) for v in graph.value_info}
    nodes: dict[str, onnx.NodeProto] = {}  # by output, so that a shuffle is there once
    for node in graph.node:
        taken = _strided(node, known, shapes)
        if taken is None:
            nodes[node.output[0]] = node
            continue
        for new in taken.nodes(node):
            nodes.setdefault(new.output[0], new)
    del graph.node[:]
    graph.node.extend(nodes.values())
    return proto.SerializeToString()


class _Strided(NamedTuple):
    """The slice x[:, start::step] of a tensor (N, C, H, W)."""

    source: str
    shape: tuple[int, ...]
    start: int
    step: int

    def nodes(self, old: onnx.NodeProto) -> list[onnx.NodeProto]:
        """What takes the place of the slice: the shuffle, the same for all slices of the tensor, and a plain slice."""
        N, C, H, W = self.shape
        name, piece = f"{self.source}/by_{self.step}", C // self.step
        first, last, axis = f"{name}/{self.start}", f"{name}/{self.start + 1}", f"{name}/axis"
        return [
            _constant(f"{name}/in", [N, piece, self.step, H, W]),
            _constant(f"{name}/out", [N, C, H, W]),
            helper.make_node("Reshape", [self.source, f"{name}/in"], [f"{name}/split"]),
            helper.make_node("Transpose", [f"{name}/split"], [f"{name}/turned"], perm=[0, 2, 1, 3, 4]),
            helper.make_node("Reshape", [f"{name}/turned", f"{name}/out"], [name]),
            _constant(first, [self.start * piece]),
            _constant(last, [(self.start + 1) * piece]),
            _constant(axis, [1]),
            helper.make_node("Slice", [name, first, last, axis], old.output, old.name),
        ]


def _constant(name: str, values: list[int]) -> onnx.NodeProto:
    return helper.make_node("Constant", [], [name], value=numpy_helper.from_array(np.array(values, np.int64)))


def _strided(
    node: onnx.NodeProto, known: Mapping[str, Integers], shapes: Mapping[str, tuple[int, ...]]
) -> _Strided | None:
    """What a node takes, if it is a slice of every k-th channel, to the last."""
    if node.op_type != "Slice" or len(node.input) < 5 or not all(name in known for name in node.input[1:]):
        return None
    start, end, axis, step = (known[name].tolist() for name in node.input[1:5])
    shape = shapes.get(node.input[0], ())
    if axis != [1] or len(shape) != 4 or step[0] < 2 or shape[1] % step[0] or not 0 <= start[0] < step[0]:
        return None
    return _Strided(node.input[0], shape, start[0], step[0]) if end[0] >= shape[1] else None
