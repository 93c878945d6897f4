"""How does a network become the bytes of a .tflite file? Tensor by tensor, operator by operator (a flatbuffer).

The format is TensorFlow Lite's schema, version 3, of which ai-edge-litert ships the classes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from surgenas.core.errors import EnvironmentFault

Values = npt.NDArray[Any]
VERSION = 3
IDENTIFIER = b"TFL3"


def schema() -> Any:
    """The module of the format's classes. Raises EnvironmentFault if it is not installed."""
    try:
        from ai_edge_litert import schema_py_generated
    except ImportError as error:
        raise EnvironmentFault(f"no .tflite can be written ({error}); pip install 'surgenas[ethos-u]'") from error
    return schema_py_generated


@dataclass(frozen=True, eq=False)
class Scale:
    """What an integer q stands for: scale x (q - zero_point). scale: (1,), or one of each slice along the axis."""

    scale: Values
    zero_point: int = 0
    axis: int = 0

    def integers(self, values: Values, dtype: Any) -> Values:
        """The nearest integers of a type that stand for these values."""
        shape = [1] * values.ndim
        if len(self.scale) > 1:
            shape[self.axis] = -1
        limits = np.iinfo(dtype)
        found = np.rint(values / self.scale.reshape(shape)) + self.zero_point
        return found.clip(limits.min, limits.max).astype(dtype)

    def values(self, integers: Values) -> Values:
        """What the integers of a tensor with one scale stand for."""
        found: Values = (integers.astype(np.float32) - self.zero_point) * np.float32(self.scale[0])
        return found


class Writer:
    """One network that is being written; `finish` returns its bytes."""

    def __init__(self) -> None:
        self._schema = schema()
        self._buffers = [self._schema.BufferT()]  # the first is that of tensors without contents
        self._tensors: list[Any] = []
        self._codes: dict[int, int] = {}
        self._operators: list[Any] = []

    def tensor(
        self, name: str, shape: Sequence[int], dtype: Any, scale: Scale | None = None, content: Values | None = None
    ) -> int:
        """Add a tensor, and return its number. content: of one that is constant."""
        s, index = self._schema, 0
        if content is not None:
            index = len(self._buffers)
            self._buffers.append(s.BufferT(data=np.ascontiguousarray(content, dtype).view(np.uint8).ravel()))
        quantization = None
        if scale is not None:
            points = np.full(len(scale.scale), scale.zero_point, np.int64)
            quantization = s.QuantizationParametersT(
                scale=scale.scale.astype(np.float32), zeroPoint=points, quantizedDimension=scale.axis
            )
        kind = getattr(s.TensorType, np.dtype(dtype).name.upper())
        self._tensors.append(
            s.TensorT(shape=list(shape), type=kind, buffer=index, name=name, quantization=quantization, hasRank=True)
        )
        return len(self._tensors) - 1

    def operator(
        self, name: str, inputs: Sequence[int], outputs: Sequence[int], options: str = "", **fields: Any
    ) -> None:
        """Add an operator by its name in the schema. options: the name of its options, whose fields follow."""
        s = self._schema
        code = getattr(s.BuiltinOperator, name)
        index = self._codes.setdefault(code, len(self._codes))
        made = getattr(s, f"{options}T")(**fields) if options else None
        kind = getattr(s.BuiltinOptions, options) if options else 0
        self._operators.append(
            s.OperatorT(
                opcodeIndex=index, inputs=list(inputs), outputs=list(outputs), builtinOptionsType=kind,
                builtinOptions=made,
            )
        )  # fmt: skip

    def finish(self, inputs: Sequence[int], outputs: Sequence[int]) -> bytes:
        """The bytes of the file of what was added."""
        import flatbuffers

        s = self._schema
        codes = [
            s.OperatorCodeT(builtinCode=code, deprecatedBuiltinCode=min(code, 127), version=1) for code in self._codes
        ]
        graph = s.SubGraphT(
            tensors=self._tensors, inputs=list(inputs), outputs=list(outputs), operators=self._operators, name="main"
        )
        model = s.ModelT(
            version=VERSION, operatorCodes=codes, subgraphs=[graph], buffers=self._buffers, description="surgenas"
        )
        builder = flatbuffers.Builder(1 << 20)
        builder.Finish(model.Pack(builder), IDENTIFIER)
        return bytes(builder.Output())
