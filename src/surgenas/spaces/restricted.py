"""A part of a space: some genes are given, so that every move, and every search, leaves them alone."""

from __future__ import annotations

from collections.abc import Mapping

from torch import nn

from surgenas.core.architecture import Architecture, Setting
from surgenas.core.space import Choice, CostTable, Space


class Restricted(Space):
    """given: position of a choice -> its gene. The architectures are those of the whole space, and say so."""

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

    def supernet(self) -> nn.Module:
        return self.whole.supernet()

    def costs(self) -> CostTable:
        return self.whole.costs()

    def canonical(self, arch: Architecture) -> Architecture:
        return self.whole.canonical(arch)
