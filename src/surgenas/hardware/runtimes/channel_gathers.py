"""How does a runtime that cannot pick channels by number take some? As slices, one for each run of neighbours."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import onnx
from onnx import helper, numpy_helper

Integers = npt.NDArray[np.int64]


def without_gathers(model: bytes) -> bytes:
    """ONNX bytes of the same function, where known channels x[:, [0, 3, 4, 9]] are the slices 0, 3 to 4, and 9, side by
    side."""
    proto = onnx.load_from_string(model)
    graph = proto.graph
    known = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    known |= {n.output[0]: numpy_helper.to_array(n.attribute[0].t) for n in graph.node if n.op_type == "Constant"}
    nodes: list[onnx.NodeProto] = []
    for node in graph.node:
        channels = known.get(node.input[1]) if node.op_type == "Gather" else None
        picks = channels is not None and channels.ndim == 1 and len(channels) and channels.min() >= 0
        axis = next((attribute.i for attribute in node.attribute if attribute.name == "axis"), 0)
        nodes += _slices(node, channels) if channels is not None and picks and axis == 1 else [node]
    del graph.node[:]
    graph.node.extend(nodes)
    return proto.SerializeToString()


def _slices(node: onnx.NodeProto, channels: Integers) -> list[onnx.NodeProto]:
    """What takes the place of a node that picks channels."""
    runs = np.split(channels, np.flatnonzero(np.diff(channels) != 1) + 1)
    made, pieces = [_constant(f"{node.output[0]}/axis", 1)], []
    for i, run in enumerate(runs):
        piece, first, last = (f"{node.output[0]}/{i}/{what}" for what in ("piece", "first", "last"))
        made += [_constant(first, int(run[0])), _constant(last, int(run[-1]) + 1)]
        made.append(helper.make_node("Slice", [node.input[0], first, last, f"{node.output[0]}/axis"], [piece], piece))
        pieces.append(piece)
    return [*made, helper.make_node("Concat", pieces, node.output, node.name, axis=1)]


def _constant(name: str, value: int) -> onnx.NodeProto:
    return helper.make_node("Constant", [], [name], value=numpy_helper.from_array(np.array([value], np.int64)))
