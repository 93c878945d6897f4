"""What do spaces share whose networks are smaller versions of one large network (docs/elastic.md)?"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Literal

from torch import nn

from surgenas.core.architecture import Architecture, SpaceSpec
from surgenas.core.capabilities import Kept
from surgenas.core.space import Choice, CostTable
from surgenas.nn.elastic import Shape, Structure, cut
from surgenas.nn.elastic.supernet import ElasticSupernet
from surgenas.spaces.elastic_costs import count_costs
from surgenas.spaces.images import ImageSpace

OFF, ON = "off", "on"


@dataclass(frozen=True)
class Decision:
    """What one choice decides: the width of a group, a block, the side of a depthwise kernel or of the input, or which
    of its alternatives a module is.

    name: of the group, the block, the layer, or the module. sizes: what can be chosen, the smallest first; 0 and 1 for
    a block, positions for alternatives. label, texts: the names of the choice and of its options, if others are wanted.
    """

    kind: Literal["width", "block", "kernel", "input", "kind"]
    name: str
    sizes: tuple[int, ...]
    label: str = ""
    texts: tuple[str, ...] = ()

    @property
    def choice(self) -> Choice:
        """The choice as the space declares it."""
        texts = (OFF, ON) if self.kind == "block" else tuple(map(str, self.sizes))
        return Choice(self.label or f"{self.kind} {self.name}".rstrip(), self.texts or texts)


class ElasticSpace(ImageSpace):
    """A space of smaller versions of one network, which share its weights."""

    @property
    @abstractmethod
    def traced(self) -> tuple[nn.Module, Structure]:
        """The largest network with weights of no meaning, and what of it can be smaller."""

    @property
    @abstractmethod
    def decisions(self) -> tuple[Decision, ...]:
        """What each choice decides, in the order of an architecture's genes."""

    @abstractmethod
    def whole(self) -> nn.Module:
        """The largest network, freshly initialised."""

    @property
    def structure(self) -> Structure:
        """What of the network can be smaller, what cannot, and why."""
        return self.traced[1]

    @cached_property
    def choices(self) -> tuple[Choice, ...]:
        return tuple(decision.choice for decision in self.decisions)

    def form_of(self, positions: Sequence[int]) -> tuple[Shape, int]:
        """The shape of the network and the height and width of its input, from the position of each gene."""
        taken = [(decision, decision.sizes[int(k)]) for decision, k in zip(self.decisions, positions, strict=True)]
        shape = Shape(
            {decision.name: size for decision, size in taken if decision.kind == "width"},
            tuple(decision.name for decision, size in taken if decision.kind == "block" and not size),
            {decision.name: size for decision, size in taken if decision.kind == "kernel"},
            {decision.name: size for decision, size in taken if decision.kind == "kind"},
        )
        return shape, next((size for decision, size in taken if decision.kind == "input"), self.resolution)

    def input_of(self, arch: Architecture) -> tuple[int, int, int]:
        side = self._form(arch)[1]
        return (3, side, side)

    def largest(self) -> Architecture:
        """The network itself."""
        return self.architecture(tuple(choice.options[-1] for choice in self.choices))

    def canonical(self, arch: Architecture) -> Architecture:
        """What is in a block that is off is at its largest."""
        hidden = self._hidden(arch)
        if not hidden:
            return arch
        pairs = zip(self.decisions, arch.genes, strict=True)
        return Architecture(arch.space, tuple(p.choice.options[-1] if p in hidden else g for p, g in pairs))

    def kept(self, arch: Architecture) -> list[Kept]:
        """What is left of each part, but for those in blocks that are off."""
        hidden, pairs = self._hidden(arch), zip(self.decisions, arch.genes, strict=True)
        return [_kept(decision, gene) for decision, gene in pairs if decision not in hidden]

    def _hidden(self, arch: Architecture) -> set[Decision]:
        """The decisions on what is in a block that is off."""
        pairs = zip(self.decisions, arch.genes, strict=True)
        gone = tuple(f"{decision.name}." for decision, gene in pairs if decision.kind == "block" and gene == OFF)
        return {decision for decision in self.decisions if self._lies_in(decision, gone)} if gone else set()

    def _lies_in(self, decision: Decision, blocks: tuple[str, ...]) -> bool:
        if decision.kind == "kernel":
            return f"{decision.name}.".startswith(blocks)
        if decision.kind != "width":
            return False
        members = self.structure.by_name[decision.name].members
        return any(all(member.name.startswith(block) for member in members) for block in blocks)

    def _form(self, arch: Architecture) -> tuple[Shape, int]:
        pairs = zip(self.choices, self.check(arch).genes, strict=True)
        return self.form_of([choice.options.index(gene) for choice, gene in pairs])

    def build(self, arch: Architecture) -> nn.Module:
        return self.cut(self.whole(), arch)

    def cut(self, whole: nn.Module, arch: Architecture) -> nn.Module:
        """The network of an architecture with the weights of the largest."""
        return cut(whole, self.structure, self._form(arch)[0])

    def supernet(self) -> ElasticSupernet:
        return ElasticSupernet(self.whole(), self.structure, self.form_of)

    def costs(self) -> CostTable:
        return _costs(type(self), self.spec)


def _kept(decision: Decision, gene: str) -> Kept:
    """What is left of a part; alternatives of a module are told by their place."""
    options, sizes = decision.choice.options, decision.sizes
    whole, size = options[-1], sizes[options.index(gene)]
    share = (size + 1) / (sizes[-1] + 1) if decision.kind == "kind" else size / sizes[-1]
    return Kept(decision.kind, decision.name, gene if gene in (OFF, whole) else f"{gene} of {whole}", share)


@lru_cache(maxsize=8)
def _costs(kind: type[ElasticSpace], spec: SpaceSpec) -> CostTable:
    """The cost table of all spaces of a kind that have these settings."""
    space = kind(**dict(spec.settings))  # type: ignore[arg-type]
    return count_costs(*space.traced, space.decisions, space.resolution)


def spread(sizes: tuple[int, ...], count: int) -> tuple[int, ...]:
    """So many of the sizes, spread evenly, with the largest; all of them for 0."""
    if not count or len(sizes) <= count:
        return sizes
    return tuple(sizes[-(-len(sizes) * (i + 1) // count) - 1] for i in range(count))
