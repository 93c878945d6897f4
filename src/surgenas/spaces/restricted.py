"""How is a part of a space searched? Some genes are fixed, so that no move and no search changes them."""

from __future__ import annotations

from collections.abc import Mapping

from torch import nn

from surgenas.core.architecture import Architecture, Setting
from surgenas.core.errors import UsageError
from surgenas.core.space import Choice, Space


class Restricted(Space):
    """The architectures of the space `whole` that have given genes at some of its choices.

    given: the gene by the position of its choice. Architectures carry the spec of the whole space. It has none of the
    whole's capabilities: a fixed choice has one option here and several there, so codes and positions differ. Raises
    UsageError for a position or a gene that the whole space has not.
    """

    def __init__(self, whole: Space, given: Mapping[int, str]) -> None:
        self.name, self.whole = whole.name, whole
        for i, gene in given.items():
            if not 0 <= i < len(whole.choices):
                raise UsageError(f"{whole.name}: no choice at position {i}; it has {len(whole.choices)}")
            if gene not in whole.choices[i].options:
                raise UsageError(f"{whole.choices[i].name}: unknown option {gene!r}")
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

    def input_of(self, arch: Architecture) -> tuple[int, int, int]:
        return self.whole.input_of(arch)

    def build(self, arch: Architecture) -> nn.Module:
        return self.whole.build(arch)

    def canonical(self, arch: Architecture) -> Architecture:
        return self.whole.canonical(arch)
