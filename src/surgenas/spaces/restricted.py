"""How is a part of a space searched? Some genes are fixed, so that no move and no search changes them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import nn

from surgenas.core.architecture import Architecture, Setting
from surgenas.core.capabilities import Additive, SharesWeights, require
from surgenas.core.space import Choice, CostTable, Space


class Restricted(Space):
    """The architectures of the space `whole` that have given genes at some of its choices.

    given: the gene by the position of its choice. Architectures carry the spec of the whole space.
    """

    def __init__(self, whole: Space, given: Mapping[int, str]) -> None:
        self.name, self.whole = whole.name, whole
        self._choices = tuple(
            Choice(choice.name, (given[i],)) if i in given else choice for i, choice in enumerate(whole.choices)
        )

    @property
    def choices(self) -> tuple[Choice, ...]:
        return self._choices

    @property
    def settings(self) -> dict[str, Setting]:
        return self.whole.settings

    @property
    def input_shape(self) -> tuple[int, int, int]:
        return self.whole.input_shape

    def build(self, arch: Architecture) -> nn.Module:
        return self.whole.build(arch)

    def supernet(self) -> Any:
        return require(self.whole, SharesWeights).supernet()

    def costs(self) -> CostTable:
        return require(self.whole, Additive).costs()

    def canonical(self, arch: Architecture) -> Architecture:
        return self.whole.canonical(arch)
