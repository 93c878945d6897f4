"""What a search space declares; everything else about it is derived in `core.moves`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from surgenas.core.architecture import Architecture, Setting, SpaceSpec
from surgenas.core.errors import UsageError

if TYPE_CHECKING:
    from torch import Tensor, nn

    from surgenas.core.pairs import Pairs
    from surgenas.core.products import Products

Floats = npt.NDArray[np.float64]
Positions = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Choice:
    """One decision that a space leaves open: its name, and the options that it can take, in a fixed order."""

    name: str
    options: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class CostTable:
    """Static costs of a space of L choices with up to K options, as of K operators in L layers.

    macs, params, moved_bytes: (L, K), the cost of operator k in layer l for one image; 0 where it computes nothing. If
    costs do not add up, what option k of row l adds to the least option while all other rows are at their largest.
    geometry: (L, G), what a layer is whatever its operator: log Cin, log Cout, log HxW, stride.
    fixed_macs, fixed_params: the cost of the parts that no choice touches (stem, head) together.
    fixed_geometry: (F, G), one row for each of these parts, in the order of the data flow.
    fixed_before: how many of them come before the layers; the others come behind.
    wiring: for each layer the tensor that it reads and the tensor that its output is added to, numbered from 0, the
    input of the first layer, to the largest number, the output of the last. Empty for a chain.
    nothing: positions of the operators that pass nothing on (zeros).
    stand_ins: (K^L, L, K), for each network, in the order of their operators (the last layer's changes fastest), the
    code of the one whose latency a published table may give it, since both compute the same; None if there is none.
    traits: of operators that are whole networks what tells them apart beside their costs: groups of numbers by name,
    (K, F) each. Empty in spaces of more than one layer.
    coupled: the costs of layers that hang on several rows together: on products of what their options leave, or on
    pairs of neighbours. None where each row is a layer by itself, and costs add up.
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
    stand_ins: npt.NDArray[np.float32] | None = None
    traits: Mapping[str, Floats] = field(default_factory=dict)
    coupled: Products | Pairs | None = None

    @property
    def adds_up(self) -> bool:
        """Whether the costs of a network are the sum of what its choices cost, each by itself."""
        return self.coupled is None

    def counts(self, gates_NLK: Tensor) -> Tensor:
        """(N, M, 3): MACs, parameters and moved bytes of the M layers that choices touch, for gates (N, L, K)."""
        if self.coupled:
            return self.coupled.counts(gates_NLK)
        table_LKD = gates_NLK.new_tensor(np.stack([self.macs, self.params, self.moved_bytes], 2))
        return (gates_NLK[..., None] * table_LKD).sum(2)

    def macs_of(self, code_NLK: Floats) -> Floats:
        """The MACs (N,) of networks by their codes (N, L, K), with those of the parts that no choice touches."""
        if self.coupled is None:
            return (code_NLK * self.macs).sum((1, 2)) + self.fixed_macs
        return self.coupled.macs_of(code_NLK) + self.fixed_macs

    @property
    def edges(self) -> tuple[tuple[int, int], ...]:
        """(tensor read, tensor added to) for each of the L layers, also of a chain, whose `wiring` is empty."""
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
        """The decisions that the space leaves open, in the order of an architecture's genes."""

    @property
    @abstractmethod
    def settings(self) -> dict[str, Setting]:
        """The arguments of the constructor that build this space again."""

    @property
    @abstractmethod
    def input_shape(self) -> tuple[int, int, int]:
        """The shape (C, H, W) of one image that the networks take, or the largest of those that they take."""

    def input_of(self, arch: Architecture) -> tuple[int, int, int]:
        """The shape (C, H, W) of one image that this network takes, at most `input_shape`."""
        return self.input_shape

    @abstractmethod
    def build(self, arch: Architecture) -> nn.Module:
        """A plain network: (N, C, H, W) floats -> (N, classes) logits, freshly initialised."""

    @property
    def rows(self) -> tuple[Choice, ...]:
        """The layers or edges of a network that operators fill, and the operators of each: the rows of a network's
        code. They are the choices themselves, unless a space's choices say also where operators stand."""
        return self.choices

    @property
    def offered(self) -> npt.NDArray[np.bool_]:
        """Whether a search that weighs operators may give weight to operator k in row l, (L, K): K the largest number
        of operators of any row."""
        sizes = np.array([len(row.options) for row in self.rows])
        return np.asarray(np.arange(sizes.max()) < sizes[:, None])

    def paths(self, genes_NC: Positions) -> Positions:
        """The position (N, L) of the operator that runs in each row, from the positions (N, C) of the genes."""
        return genes_NC

    def best(self, scores_NLK: Floats) -> Positions:
        """The positions (N, C) of the genes of the network that N scores of operators (N, L, K) speak for."""
        return np.where(self.offered, scores_NLK, -np.inf).argmax(2)

    def canonical(self, arch: Architecture) -> Architecture:
        """The representative of all architectures that are the same network as this one."""
        return arch

    def parse(self, text: str) -> Architecture:
        """The architecture that a text stands for in this space's published tables.

        Raises UsageError for a text that stands for none.
        """
        return self.architecture(tuple(text.split("-")))

    @cached_property
    def spec(self) -> SpaceSpec:
        """The space's name and settings, as its architectures carry them."""
        return SpaceSpec.of(self.name, self.settings)

    def architecture(self, genes: tuple[str, ...]) -> Architecture:
        """The architecture with these genes; raises UsageError if they are not this space's."""
        return self.check(Architecture(self.spec, genes))

    def check(self, arch: Architecture) -> Architecture:
        """Return the architecture itself; raises UsageError, naming what does not fit, if it is not of this space."""
        if arch.space != self.spec:
            raise UsageError(f"architecture of another space: expected {self.spec}, got {arch.space}")
        if len(arch.genes) != len(self.choices):
            raise UsageError(f"{self.spec} has {len(self.choices)} choices, the architecture {len(arch.genes)}")
        for choice, gene in zip(self.choices, arch.genes, strict=True):
            if gene not in choice.options:
                raise UsageError(f"{choice.name}: unknown option {gene!r}; one of {', '.join(choice.options)}")
        return arch
