"""The space of Single-Path NAS (arXiv 1904.02877; docs/methods/single_path.md, 1): kernel 3 or 5, expansion
3 or 6, and skip where a layer keeps its shape, all in the superkernels of one network."""

from __future__ import annotations

import math
from typing import ClassVar

import torch
from torch import Tensor

from surgenas.core.architecture import Architecture
from surgenas.nn.superkernel import E3, Superkernel, SuperkernelSupernet, hard_decisions
from surgenas.spaces.chain import SKIP
from surgenas.spaces.mobile import Mobile, Operator, Slot

LARGEST = Operator(5, 6)
PUBLISHED = {
    "spnasnet": "k3e3-k3e3-k3e3-skip-k5e6-k3e3-k3e3-k3e3-k5e6-k3e3-k3e3-k3e3-k5e6-k5e3-k5e3-k5e3-k5e6-k5e6-k5e6-k5e6",
}
"""Published networks; `spnasnet` was found for a Pixel 1 (timm's `spnasnet_100`)."""


class SinglePath(Mobile):
    """Chains of MBConv blocks that share superkernels. Settings are those of `mobile`; the default layout is the
    paper's."""

    name = "single_path"
    operators: ClassVar[dict[str, Operator]] = {f"k{k}e{e}": Operator(k, e) for k in (3, 5) for e in (3, 6)}
    largest: ClassVar[Operator] = LARGEST

    def __init__(self, *, layout: str = "single-path", **settings: float) -> None:
        super().__init__(layout=layout, **settings)  # type: ignore[arg-type]

    def options(self, slot: Slot) -> tuple[str, ...]:
        return (*self.operators, SKIP) if slot.is_identity else tuple(self.operators)

    def parse(self, text: str) -> Architecture:
        """The architecture behind operators joined by "-", one operator for all layers, or a published network's name.

        Raises UsageError for any other text.
        """
        text = PUBLISHED.get(text, text)
        return super().parse("-".join([text] * len(self.choices)) if text in self.operators else text)

    def supernet(self) -> SuperkernelSupernet:
        layers = []
        for slot in self.slots:
            block = self._mbconv(self.largest, slot, affine=False)
            layers.append(Superkernel(block, skippable=slot.is_identity))
        return SuperkernelSupernet(self._stem(affine=False), layers, self._head(affine=False), self.hard)

    @property
    def hard(self) -> Tensor:
        """(K, D): the decisions that make each operator, NaN where a decision does not matter."""
        searchable = self.largest.squeeze > 0
        hard = [hard_decisions(*operator, searchable=searchable) for operator in self.operators.values()]
        skipped = [0.0 if d == E3 else math.nan for d in range(len(hard[0]))]
        return torch.tensor([*hard, skipped])


class SinglePathSE(SinglePath):
    """The space `single_path` with a choice of Squeeze-and-Excitation: none, or .25 or .5 of the layer's input
    channels."""

    name = "single_path_se"
    operators: ClassVar[dict[str, Operator]] = {
        f"{name}{suffix}": Operator(kernel, expand, squeeze)
        for name, (kernel, expand, _) in SinglePath.operators.items()
        for suffix, squeeze in (("", 0.0), ("se25", 0.25), ("se50", 0.5))
    }
    largest = Operator(5, 6, 0.5)
