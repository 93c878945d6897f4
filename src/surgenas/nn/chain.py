"""A plain network of one chain: what every architecture becomes once nothing is left to choose."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn


class ChainNetwork(nn.Module):
    """A network of stem, layers and head, run one after the other: (N, C, H, W) -> (N, classes)."""

    def __init__(self, stem: nn.Module, layers: Sequence[nn.Module], head: nn.Module) -> None:
        super().__init__()
        self.stem = stem
        self.layers = nn.Sequential(*layers)
        self.head = head

    def forward(self, x_NCHW: Tensor) -> Tensor:
        return self.head(self.layers(self.stem(x_NCHW)))

    def parts(self, names: Sequence[str]) -> list[tuple[str, nn.Module]]:
        """The modules in the order in which they run, with their names. names: of the layers."""
        return [("stem", self.stem), *zip(names, self.layers, strict=True), ("head", self.head)]
