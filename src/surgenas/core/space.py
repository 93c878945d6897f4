"""What a search space declares; everything else about it is derived in `core.moves`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from surgenas.core.architecture import Architecture, Setting, SpaceSpec
from surgenas.core.errors import UsageError

if TYPE_CHECKING:
    from torch import nn

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Choice:
    """One decision: a name and the options it can take, in a fixed order."""

    name: str
    options: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class CostTable:
    """Static costs of a space whose choices all offer the same K operators in L layers.

    macs, params, moved_bytes: (L, K), of each operator where it stands; all 0 for one that does not compute.
    geometry: (L, G), what a layer is whatever its operator (log Cin, log Cout, log HxW, stride). fixed_macs,
    fixed_params: of the parts that no choice touches. fixed_geometry: (F, G), one row for each such part, in the
    order of the data flow: the first before the layers, the others as `fixed_before` counts; see predictors.graph.
    wiring: of each layer, the tensor it reads and the tensor it is added to; 0 is the first, the largest the last.
    Empty: a chain. nothing: positions of the operators that pass nothing on.
    """

    macs: Floats
    params: Floats
    geometry: Floats
    fixed_macs: float
    fixed_params: float
    fixed_geometry: Floats
    fixed_before: int
    moved_bytes: Floats
    wiring: tuple[tuple[int, int], ...] = ()
    nothing: tuple[int, ...] = ()

    @property
    def edges(self) -> tuple[tuple[int, int], ...]:
        """The wiring, that of a chain spelt out."""
        return self.wiring or tuple((layer, layer + 1) for layer in range(len(self.macs)))


class Space(ABC):
    """A set of architectures: named choices, and how one assignment of them becomes a network.

    Laws (tested for every catalogued space): `build(arch)` with the weights cut out of the supernet computes what
    `supernet(x, arch)` computes; two architectures with one `canonical` are the same network.
    """

    name: str

    @property
    @abstractmethod
    def choices(self) -> tuple[Choice, ...]:
        """The decisions, in the order of an architecture's genes."""

    @property
    @abstractmethod
    def settings(self) -> dict[str, Setting]:
        """The arguments that rebuild this space."""

    @property
    @abstractmethod
    def input_shape(self) -> tuple[int, int, int]:
        """(C, H, W) of one image."""

    @abstractmethod
    def build(self, arch: Architecture) -> nn.Module:
        """A plain network: (N, C, H, W) floats -> (N, classes) logits, freshly initialised."""

    @abstractmethod
    def supernet(self) -> nn.Module:
        """The network that holds every architecture's weights, freshly initialised.

        `at(x, path)` runs the operators at these positions, `cut(path, network)` puts their weights into what `build`
        made.
        """

    @abstractmethod
    def costs(self) -> CostTable:
        """MACs, parameters and geometry of every operator in every layer."""

    def parts(self, arch: Architecture) -> list[tuple[str, nn.Module]]:
        """A freshly built network as a chain of named modules; searchable ones carry their choice's name."""
        raise UsageError(f"space {self.name!r} does not name its parts")

    def canonical(self, arch: Architecture) -> Architecture:
        """The representative of all architectures that are the same network as this one."""
        return arch

    def parse(self, text: str) -> Architecture:
        """The architecture behind a line of this space's published tables; raises UsageError if it is none."""
        return self.architecture(tuple(text.split("-")))

    @cached_property
    def spec(self) -> SpaceSpec:
        return SpaceSpec.of(self.name, self.settings)

    def architecture(self, genes: tuple[str, ...]) -> Architecture:
        """The architecture with these genes; raises UsageError if they are not this space's."""
        return self.check(Architecture(self.spec, genes))

    def check(self, arch: Architecture) -> Architecture:
        """The same architecture, known to be of this space."""
        if arch.space != self.spec:
            raise UsageError(f"architecture of another space: expected {self.spec}, got {arch.space}")
        if len(arch.genes) != len(self.choices):
            raise UsageError(f"{self.spec} has {len(self.choices)} choices, the architecture {len(arch.genes)}")
        for choice, gene in zip(self.choices, arch.genes, strict=True):
            if gene not in choice.options:
                raise UsageError(f"{choice.name}: unknown option {gene!r}; one of {', '.join(choice.options)}")
        return arch
