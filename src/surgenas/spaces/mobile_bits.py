"""Chains of MBConv blocks that choose kernel, expansion and the bits of their weights in every layer: what HAO's joint
search decides of a network (docs/methods/hao.md, 4)."""

from __future__ import annotations

from typing import ClassVar

from torch import nn

from surgenas.nn.rounded import with_rounded_weights
from surgenas.spaces.chain import SKIP
from surgenas.spaces.mobile import OPERATORS, Mobile, Operator, Slot

BITS = (4, 8)


class MobileBits(Mobile):
    """Chains of MBConv blocks whose weights have 4 or 8 bits, in training too. Settings are those of `mobile`; the
    default layout is small. Stem and classifier are not rounded."""

    name = "mobile_bits"
    operators: ClassVar[dict[str, Operator]] = {f"{gene}w{bits}": op for gene, op in OPERATORS.items() for bits in BITS}

    def __init__(self, *, layout: str = "small", **settings: float) -> None:
        super().__init__(layout=layout, **settings)  # type: ignore[arg-type]

    def _operator(self, gene: str, slot: Slot, *, affine: bool) -> nn.Module:
        block = super()._operator(gene, slot, affine=affine)
        return block if gene == SKIP else with_rounded_weights(block, bits_of(gene))


def bits_of(gene: str) -> int:
    """The bits of an operator's weights, which its name ends with."""
    return int(gene.rpartition("w")[2])
