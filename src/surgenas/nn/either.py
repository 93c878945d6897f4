"""Modules of which one of several alternatives runs, so that a network can be built with any of them."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn


class Either(nn.Module):
    """Runs one of several modules that hold no weights. kind: which of them, counted from 0."""

    def __init__(self, alternatives: Sequence[nn.Module], kind: int = 0) -> None:
        super().__init__()
        self.alternatives = nn.ModuleList(alternatives)
        self.kind = kind

    def forward(self, x: Tensor) -> Tensor:
        found: Tensor = self.alternatives[self.kind](x)
        return found
