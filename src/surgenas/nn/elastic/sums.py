"""Which modules add something to their input, and can therefore be off? Told from the additions of one forward pass."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor
from torch.utils.weak import WeakTensorKeyDictionary

from surgenas.nn.elastic.call import Call

ADDS = frozenset({"add", "add_"})
_PASSING = """
    relu relu_ hardtanh hardtanh_ hardswish hardswish_ sigmoid silu silu_ gelu tanh elu leaky_relu clone alias detach
    view _unsafe_view permute transpose t squeeze unsqueeze as_strided_
"""
PASSES = frozenset(_PASSING.split())
"""What may come behind the addition: activations, and other ways to lay an image out."""


class Sums:
    """For every tensor, which tensors it is a sum of, itself included; each is known by a number of its own."""

    def __init__(self) -> None:
        self.count = 0
        self._terms: WeakTensorKeyDictionary = WeakTensorKeyDictionary()

    def number(self, tensor: Tensor) -> int:
        """The number of a tensor."""
        if tensor not in self._terms:
            self._note(tensor, ())
        return self._terms[tensor][0]

    def has_term(self, tensor: Tensor, number: int) -> bool:
        """Whether the tensor of this number is one of the terms of `tensor`, which is not that tensor itself."""
        own, terms = self._terms.get(tensor, (number, frozenset()))
        return own != number and number in terms

    def follow(self, call: Call) -> None:
        """Note what an operation's output is the sum of."""
        if call.name in ADDS:
            self._note(call.out, call.tensors)
        elif call.name in PASSES:
            self._note(call.out, call.tensors[:1])
        else:
            for output in call.outputs:
                self._note(output, ())

    def _note(self, tensor: Tensor, parts: Sequence[Tensor]) -> None:
        terms: frozenset[int] = frozenset()
        for part in parts:
            terms |= self._terms.get(part, (0, frozenset()))[1]
        self.count += 1
        self._terms[tensor] = (self.count, terms | {self.count})
