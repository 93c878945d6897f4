"""Which layer of an ONNX graph does a node of a runtime count for?"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import onnx

LAYERS = ("Conv", "Gemm", "MatMul")


@dataclass(frozen=True)
class OnnxLayer:
    """A convolution or linear layer: the name of its node, and how many weights it has."""

    name: str
    weights: int


def onnx_layers(model: bytes) -> list[OnnxLayer]:
    """The layers of a graph in the order in which they run: nodes that multiply by weights that the file holds."""
    graph = onnx.load_from_string(model).graph
    sizes = {tensor.name: math.prod(tensor.dims) for tensor in graph.initializer}
    sizes |= {
        node.output[0]: math.prod(held.t.dims)
        for node in graph.node
        if node.op_type == "Constant"
        for held in node.attribute
        if held.name == "value"
    }
    found = []
    for node in graph.node:
        held = [sizes[name] for name in node.input[1:2] if name in sizes]
        if node.op_type in LAYERS and held:
            found.append(OnnxLayer(node.name, held[0]))
    return found


def times_by_layer(model: bytes, times_ms: Mapping[str, float]) -> dict[str, float]:
    """A runtime's profile of a graph, added up by layer (by the name of its node) so that all of it is accounted for.

    Runtimes merge a layer with what follows it and name the result after either, so a name counts for the layer that
    it begins with the name of, or that lies last before what it begins with. What belongs to none is shared out in
    proportion. A layer of which the runtime says nothing has 0.
    """
    graph = onnx.load_from_string(model).graph
    layers = {layer.name for layer in onnx_layers(model)}
    owner: dict[str, str] = {}  # of tensors and of nodes
    for node in graph.node:
        before = next((owner[name] for name in node.input if name in owner), "")
        mine = node.name if node.name in layers else before
        owner |= dict.fromkeys((*node.output, node.name), mine)
    names = sorted((name for name in owner if owner[name]), key=len, reverse=True)
    found = dict.fromkeys(sorted(layers), 0.0)
    for name, ms in times_ms.items():
        known = next((own for own in names if own and name.startswith(own)), None)
        if known:
            found[owner[known]] += ms
    told, total = sum(found.values()), sum(times_ms.values())
    return {name: ms * total / told for name, ms in found.items()} if told else found
