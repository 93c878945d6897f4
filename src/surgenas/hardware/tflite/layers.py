"""Layers with weights as operators of a .tflite file: convolutions, linear layers, normalizations that stand alone.

Weights are symmetric, with a scale for each output channel.
"""

from __future__ import annotations

import numpy as np

from surgenas.core.errors import DataError
from surgenas.hardware.tflite.conversion import Conversion, activation, padded
from surgenas.hardware.tflite.graph import Node
from surgenas.hardware.tflite.writer import Scale, Values

MOST_BIAS = 2**30
"""Of a bias as an integer; a channel of tiny weights gets a larger scale."""


def convolution(conversion: Conversion, node: Node) -> None:
    graph = conversion.graph
    weight = graph.constants[node.inputs[1]]
    bias = graph.constants[node.inputs[2]] if len(node.inputs) > 2 else np.zeros(len(weight), np.float32)
    convolve(conversion, node, weight, bias)


def normalization(conversion: Conversion, node: Node) -> None:
    """A normalization that stands alone: each channel by a weight and a bias of its own."""
    if len(conversion.graph.shapes[node.inputs[0]]) != 4:
        raise DataError("a BatchNormalization of rows has no int8 form here")
    gamma, beta, mean, variance = (conversion.graph.constants[name] for name in node.inputs[1:5])
    weight = gamma / np.sqrt(variance + node.attributes.get("epsilon", 1e-5))
    convolve(conversion, node, weight.reshape(-1, 1, 1, 1), beta - mean * weight)


def convolve(conversion: Conversion, node: Node, weight: Values, bias: Values) -> None:
    """weight: (outputs, inputs of a group, height, width)."""
    graph, writer = conversion.graph, conversion.writer
    channels, kernel = graph.shapes[node.inputs[0]][1], weight.shape[2:]
    deep = weight.shape[1] == 1 and channels > 1
    stride = node.attributes.get("strides", [1, 1])
    dilation = node.attributes.get("dilations", [1, 1])
    source, padding = padded(conversion, node, kernel, stride, dilation)
    laid = weight[:, 0].transpose(1, 2, 0)[None] if deep else weight.transpose(0, 2, 3, 1)
    inputs = [source, *parameters(conversion, node, laid, bias, axis=3 if deep else 0)]
    kind = "DEPTHWISE_CONV_2D" if deep else "CONV_2D"
    own = {"depthMultiplier": len(weight) // channels} if deep else {}
    writer.operator(
        kind, inputs, [conversion.value(node.output)], "DepthwiseConv2DOptions" if deep else "Conv2DOptions",
        padding=padding, strideH=stride[0], strideW=stride[1], dilationHFactor=dilation[0], dilationWFactor=dilation[1],
        fusedActivationFunction=activation(node.fused), **own,
    )  # fmt: skip


def linear(conversion: Conversion, node: Node) -> None:
    weight, attributes = conversion.graph.constants[node.inputs[1]], node.attributes
    if len(conversion.graph.shapes[node.inputs[0]]) != 2:
        raise DataError(f"a {node.op} of anything but rows has no int8 form here")
    if attributes.get("transA") or {attributes.get("alpha", 1.0), attributes.get("beta", 1.0)} != {1.0}:
        raise DataError("a Gemm of scaled or turned factors has no int8 form here")
    if not attributes.get("transB"):
        weight = weight.T
    bias = conversion.graph.constants[node.inputs[2]] if len(node.inputs) > 2 else np.zeros(len(weight), np.float32)
    inputs = [conversion.value(node.inputs[0]), *parameters(conversion, node, weight, bias.reshape(-1), axis=0)]
    conversion.writer.operator(
        "FULLY_CONNECTED", inputs, [conversion.value(node.output)], "FullyConnectedOptions",
        fusedActivationFunction=activation(node.fused),
    )  # fmt: skip


def parameters(conversion: Conversion, node: Node, weight: Values, bias: Values, *, axis: int) -> tuple[int, int]:
    """Tensors of a layer's weights, as the file orders them, and of its bias. axis: that of the output channels."""
    step = float(conversion.graph.scales[node.inputs[0]].scale[0])
    others = tuple(i for i in range(weight.ndim) if i != axis)
    scale = np.maximum(np.abs(weight).max(axis=others) / 127, np.abs(bias) / (step * MOST_BIAS)).clip(1e-12)
    weights, sums = Scale(scale, axis=axis), Scale(scale * step)
    name, writer = node.output, conversion.writer
    return (
        writer.tensor(f"{name}/weight", weight.shape, np.int8, weights, weights.integers(weight, np.int8)),
        writer.tensor(f"{name}/bias", bias.shape, np.int32, sums, sums.integers(bias, np.int32)),
    )
