"""A network on its way from an ONNX graph to a .tflite file: its values and constants, and what lies around images.

The file's images are in the order (N, H, W, C).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from surgenas.core.errors import DataError
from surgenas.hardware.tflite.graph import Graph, Node
from surgenas.hardware.tflite.writer import Scale, Values, Writer

SAME, VALID = 0, 1
"""The format's words for padding: as much as keeps the size, in its own way, and none."""


class Conversion:
    """A graph that is being written."""

    def __init__(self, graph: Graph, writer: Writer) -> None:
        self.graph, self.writer = graph, writer
        self._values: dict[str, int] = {}

    def value(self, name: str) -> int:
        """The number of the tensor of a value that is computed."""
        if name not in self._values:
            shape = last(self.graph.shapes[name])
            self._values[name] = self.writer.tensor(name, shape, np.int8, self.graph.scales[name])
        return self._values[name]

    def constant(self, name: str, content: Values, rank: int) -> int:
        """A new tensor of what is given, as int8 with so many axes, to be combined with values of as many."""
        wide = content.reshape((1,) * (rank - content.ndim) + content.shape)
        laid = wide.transpose(0, 2, 3, 1) if rank == 4 else wide
        scale = Scale(np.array([max(float(np.abs(laid).max()) / 127, 1e-9)]))
        return self.writer.tensor(name, laid.shape, np.int8, scale, scale.integers(laid, np.int8))

    def integers(self, name: str, content: Sequence[int]) -> int:
        """A constant list of integers, which are no values: axes, sizes."""
        return self.writer.tensor(name, (len(content),), np.int32, None, np.array(content, np.int32))


def last(shape: Sequence[int]) -> tuple[int, ...]:
    """The shape with channels last; raises DataError for what is neither images nor rows."""
    if len(shape) == 4:
        return (shape[0], shape[2], shape[3], shape[1])
    if len(shape) == 2:
        return tuple(shape)
    raise DataError(f"values of {len(shape)} axes have no int8 form here")


def activation(kind: str) -> int:
    """The format's number of an activation that is part of an operator."""
    return {"": 0, "RELU": 1, "RELU6": 3}[kind]


def padded(
    conversion: Conversion, node: Node, kernel: Sequence[int], stride: Sequence[int], dilation: Sequence[int]
) -> tuple[int, int]:
    """(the tensor that an operator reads, the format's word for its padding). What the format cannot say is added
    before, as the value 0."""
    name, asked = node.inputs[0], pads_of(conversion, node, kernel, stride, dilation)
    if not any(asked):
        return conversion.value(name), VALID
    if asked == same_around(conversion, node, kernel, stride, dilation):
        return conversion.value(name), SAME
    return around(conversion, node, asked), VALID


def pads_of(
    conversion: Conversion, node: Node, kernel: Sequence[int], stride: Sequence[int], dilation: Sequence[int]
) -> list[int]:
    """What an operator adds around images: top, left, bottom, right. Raises DataError where the file leaves that to a
    rule that is not the format's."""
    rule = node.attributes.get("auto_pad", b"NOTSET")
    if rule == b"SAME_UPPER":
        return same_around(conversion, node, kernel, stride, dilation)
    if rule == b"SAME_LOWER":
        raise DataError(f"{node.op} with padding by the rule SAME_LOWER has no int8 form here")
    return [0] * 4 if rule == b"VALID" else list(node.attributes.get("pads", [0] * 4))


def same_around(
    conversion: Conversion, node: Node, kernel: Sequence[int], stride: Sequence[int], dilation: Sequence[int]
) -> list[int]:
    """What the format's SAME adds: top, left, bottom, right."""
    lines = zip(conversion.graph.shapes[node.inputs[0]][2:], kernel, stride, dilation, strict=True)
    (top, bottom), (left, right) = (same(*line) for line in lines)
    return [top, left, bottom, right]


def same(size: int, kernel: int, stride: int, dilation: int) -> tuple[int, int]:
    """What the format's SAME adds before and after a line of so many values."""
    total = max(0, (-(-size // stride) - 1) * stride + (kernel - 1) * dilation + 1 - size)
    return total // 2, total - total // 2


def around(
    conversion: Conversion, node: Node, pads: Sequence[int], output: int | None = None, *, least: bool = False
) -> int:
    """The tensor of an operator's input with zeros (top, left, bottom, right) around it.

    output: the tensor to fill, else a new one. least: the least integer in place of zeros, which no maximum takes.
    """
    name, writer = node.inputs[0], conversion.writer
    (N, C, H, W), scale = conversion.graph.shapes[name], conversion.graph.scales[name]
    top, left, bottom, right = pads
    if output is None:
        shape = (N, H + top + bottom, W + left + right, C)
        output = writer.tensor(f"{node.output}/padded", shape, np.int8, scale)
    counts = np.array([[0, 0], [top, bottom], [left, right], [0, 0]], np.int32)
    inputs = [conversion.value(name), writer.tensor(f"{node.output}/pads", counts.shape, np.int32, None, counts)]
    if least:
        inputs.append(writer.tensor(f"{node.output}/least", (1,), np.int8, scale, np.array([-128], np.int8)))
    writer.operator("PADV2" if least else "PAD", inputs, [output], "PadV2Options" if least else "PadOptions")
    return output
