"""What does torch tell of one operation? Its name, its arguments by the names of its schema, its outputs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor
from torch.utils._pytree import tree_flatten


@dataclass(frozen=True, eq=False)
class Call:
    """One operation of torch's ATen library as it ran.

    args, kwargs: what it was called with. arguments: the same by name, with the defaults of those left out. tensors:
    all tensors among them. outputs: the tensors that it returned.
    """

    function: Any
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]
    arguments: Mapping[str, Any]
    tensors: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]

    @property
    def name(self) -> str:
        """As in `torch.ops.aten`, without the overload: "convolution", "add_"."""
        return self.function.overloadpacket.__name__

    @property
    def out(self) -> Tensor:
        """The first output."""
        return self.outputs[0]

    def __getitem__(self, argument: str) -> Any:
        return self.arguments[argument]


def call_of(function: Any, args: Sequence[Any], kwargs: Mapping[str, Any], returned: object) -> Call:
    """The call of `function`, an overload of an ATen operation, that returned `returned`."""
    known = function._schema.arguments
    named = {argument.name: argument.default_value for argument in known if argument.has_default_value()}
    named |= {argument.name: value for argument, value in zip(known, args, strict=False)} | dict(kwargs)
    outputs = returned if isinstance(returned, (tuple, list)) else [returned]
    return Call(
        function,
        tuple(args),
        kwargs,
        named,
        tuple(value for value in tree_flatten((args, kwargs))[0] if isinstance(value, Tensor)),
        tuple(value for value in outputs if isinstance(value, Tensor)),
    )
