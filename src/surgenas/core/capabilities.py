"""What can a space do beside declaring its choices? Each ability is asked for by name, and few spaces have all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar, runtime_checkable

from torch import Tensor, nn

from surgenas.core.architecture import Architecture
from surgenas.core.errors import UsageError
from surgenas.core.look import Look
from surgenas.core.record import Record
from surgenas.core.space import Choice, CostTable, Floats


@runtime_checkable
class SharesWeights(Protocol):
    """Its architectures can share weights."""

    def supernet(self) -> Any:
        """A module that holds every architecture's weights, freshly initialised.

        Its class says in `shares` how (nn.sharing). `at(x, path)` runs the operators at these positions, `cut(path,
        network)` puts their weights into what `build` made.
        """


@runtime_checkable
class Counted(Protocol):
    """It says what its choices cost."""

    def costs(self) -> CostTable:
        """MACs, parameters and geometry of every operator in every layer, and whether they add up."""


@runtime_checkable
class Named(Protocol):
    """Its networks are chains of parts."""

    def parts(self, arch: Architecture) -> list[tuple[str, nn.Module]]:
        """A freshly built network as a chain of named modules; searchable ones carry their choice's name."""


@runtime_checkable
class Scalable(Protocol):
    """Its networks grow and shrink."""

    knobs: tuple[str, ...]

    def scaled(self, arch: Architecture, knob: str, scale: float) -> Architecture:
        """The same operators, with this knob of the space turned by a factor."""


@runtime_checkable
class Selectable(Protocol):
    """Its layers may be left a part of their operators. pool: which ones are left, as a setting of the space makes
    them; empty for all. Layers are counted from 0."""

    pool: str

    @property
    def choices(self) -> tuple[Choice, ...]: ...
    def costs(self) -> CostTable: ...

    def layer(self, layer: int, gene: str) -> nn.Module:
        """One layer alone, freshly initialised."""

    def layer_input(self, layer: int) -> tuple[int, int, int]:
        """(C, H, W) of what it reads."""

    def layer_place(self, layer: int) -> str:
        """Where it stands: equal for layers that are the same with the same operator."""


@dataclass(frozen=True)
class Kept(Record):
    """What an architecture keeps of a part of the largest network. kind: width, block, kernel and so on. said: how much
    is left, in words; share: the same as a share of the whole, 0 to 1."""

    kind: str
    part: str
    said: str
    share: float


@runtime_checkable
class Shrinks(Protocol):
    """Its networks are smaller versions of a largest one, and can begin with that one's weights."""

    def whole(self) -> nn.Module:
        """The largest network, freshly initialised."""

    def cut(self, whole: nn.Module, arch: Architecture) -> nn.Module:
        """The network of an architecture with the weights of a largest one."""

    def sort(self, whole: nn.Module) -> None:
        """Put the channels of a largest network in order, those first that stay longest; it computes the same."""

    def describe(self) -> str:
        """In a line, what of the largest network can be smaller, what cannot, and why."""

    def published(self) -> dict[str, Tensor]:
        """The weights that are published for the largest network."""

    def look(self) -> Look:
        """How the largest network's published weights expect their images."""

    def largest(self) -> Architecture:
        """The largest network itself."""

    def kept(self, arch: Architecture) -> Sequence[Kept]:
        """What an architecture keeps of each part, in the order of the network; nothing of parts that are gone."""

    def narrower(self) -> list[Architecture]:
        """The largest network with fewer and fewer channels in all places alike, the narrowest first."""

    def smaller_inputs(self) -> list[Architecture]:
        """The largest network on smaller and smaller images, the smallest first."""


Cells = dict[str, list[tuple[int, int, str]]]
"""By the kind of cell its edges: the node that is read, the node that is added to, the operator."""


@runtime_checkable
class MadeOfCells(Protocol):
    """Its networks repeat small graphs."""

    def cells(self, arch: Architecture) -> Cells:
        """The cells of a network."""


@runtime_checkable
class ThinsOut(Protocol):
    """Nodes of its networks read some of the edges that the supernet has: two of each node's.

    The last operator of each row stands for an edge that is not there.
    """

    def kinds(self) -> tuple[tuple[tuple[int, ...], ...], ...]:
        """For each kind of cell and each of its nodes, the rows of a code that are the node's edges."""


@runtime_checkable
class Layered(Protocol):
    """Several of its choices decide one layer together."""

    def layers(self) -> tuple[tuple[int, ...], ...]:
        """The rows of a code that are each layer's; every row is one layer's."""


@runtime_checkable
class Indexed(Protocol):
    """Topology numbers of its networks grow with their widths and with the links that skip layers."""

    def indices(self, archs: Sequence[Architecture]) -> dict[str, Floats]:
        """Of N networks, (N,) by name: mass and degree (docs/methods/flash.md, 2)."""


@runtime_checkable
class Boxed(Protocol):
    """Its choices are numbers, and sizes of its networks make sense in between."""

    def axes(self) -> tuple[tuple[float, ...], ...]:
        """For each choice its options as numbers, rising."""

    def indices_at(self, values_NC: Floats) -> dict[str, Floats]:
        """As `Indexed.indices`, at any numbers (N, C) between the least and the largest option of each choice."""

    def gates_at(self, values_NC: Floats) -> Floats:
        """Gates (N, L, K) that share their weight between the options around each number; a code where it is an
        option."""


Capability = TypeVar("Capability")
_LACKS = {
    "SharesWeights": "its architectures share no weights",
    "Counted": "it does not say what its choices cost",
    "Named": "it does not name the parts of its networks",
    "Scalable": "it has no width, resolution or depth to scale",
    "Shrinks": "its networks do not begin with the weights of a larger one (use elastic)",
    "Indexed": "its networks have no topology numbers (use concat or mobile)",
    "Boxed": "its choices are no numbers (use concat)",
    "Selectable": "it has no operators to select from (use operators or shuffle)",
}


def require(space: object, capability: type[Capability]) -> Capability:
    """The space, known to have the capability; raises UsageError saying what it lacks and which spaces do not."""
    if isinstance(space, capability):
        return space
    lacks = _LACKS.get(capability.__name__, f"it lacks {capability.__name__}")
    raise UsageError(
        f"space {getattr(space, 'name', space)!r}: {lacks}; `surgenas spaces` says what each of them can do"
    )
