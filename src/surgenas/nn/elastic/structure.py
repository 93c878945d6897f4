"""What of a network can be smaller, what cannot and why: groups of channels, blocks, depthwise kernels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from torch import Tensor, nn

from surgenas.core.errors import UsageError
from surgenas.core.record import Record
from surgenas.nn.elastic.joined import Numbers


@dataclass(frozen=True)
class Shape(Record):
    """How large a network is to be; what is not named keeps its full size, so `Shape()` is the network itself.

    widths: units kept, by group. off: paths of the blocks that hand on what they are given. kernels: sides of
    depthwise kernels in pixels, by path. kinds: which of its alternatives a module is, by path. All are kept in the
    order of their names, so that equal shapes print alike.
    """

    widths: Mapping[str, int] = field(default_factory=dict)
    off: tuple[str, ...] = ()
    kernels: Mapping[str, int] = field(default_factory=dict)
    kinds: Mapping[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("widths", "kernels", "kinds"):
            object.__setattr__(self, name, dict(sorted(getattr(self, name).items())))
        object.__setattr__(self, "off", tuple(sorted(set(self.off))))

    def __hash__(self) -> int:
        return hash((*(tuple(part.items()) for part in (self.widths, self.kernels, self.kinds)), self.off))


@dataclass(frozen=True, eq=False)
class Member:
    """One axis of a parameter or buffer in which a group's units stand.

    index: (units, positions of each), the positions of every unit along `axis`. writes: a layer makes channels along
    this axis, as a convolution along axis 0, and does not only read or scale them. reads: a layer sums over them, as a
    convolution along axis 1, so that what it makes depends on all of them.
    """

    name: str
    axis: int
    index: Numbers
    writes: bool
    reads: bool = False


@dataclass(frozen=True, eq=False)
class Group:
    """Units that can only be removed everywhere at once: channels, heads, groups of a convolution.

    name: path of the first layer that makes them. size: how many there are. step: they are kept in multiples of it,
    or all. exact: without some of them the network computes what it computes with these set to zero; not so below a
    norm over channels, for example. reason: why they cannot be removed; empty if they can.
    """

    name: str
    size: int
    step: int
    members: tuple[Member, ...]
    exact: bool
    reason: str = ""

    @property
    def widths(self) -> tuple[int, ...]:
        """How many units can be kept, from few to all."""
        return (*range(self.step, self.size, self.step), self.size)

    @property
    def writers(self) -> tuple[str, ...]:
        """Names of the parameters that make the units."""
        return tuple(member.name for member in self.members if member.writes)

    def width_at(self, share: float) -> int:
        """The largest width of at most this share of all units, or the least if there is none."""
        return max([width for width in self.widths if width <= share * self.size], default=self.widths[0])


@dataclass(frozen=True, eq=False)
class Structure:
    """What of a network can be smaller.

    groups: what can shrink. fixed: what cannot, with the reason. blocks: paths of the modules that add to their input,
    and so can be off. kernels: sides of the depthwise kernels in pixels, by path, that can be cut down to 3 around
    their centre. refused: blocks and kernels that looked so but failed when tried, with the reason. kinds: by path of a
    module that says in `kind` which it is (nn/either.py), how many alternatives it has.
    """

    groups: tuple[Group, ...]
    fixed: tuple[Group, ...]
    blocks: tuple[str, ...]
    kernels: Mapping[str, int]
    refused: Mapping[str, str] = field(default_factory=dict)
    kinds: Mapping[str, int] = field(default_factory=dict)

    @cached_property
    def by_name(self) -> dict[str, Group]:
        """The groups that can shrink."""
        return {group.name: group for group in self.groups}

    def at(self, share: float) -> Shape:
        """The shape that keeps this share of the units of every group, or somewhat less."""
        return Shape({group.name: group.width_at(share) for group in self.groups})

    def smallest(self) -> Shape:
        """The least width everywhere, all blocks off, all kernels of 3 pixels."""
        return Shape(self.at(0.0).widths, self.blocks, dict.fromkeys(self.kernels, 3))

    def check(self, shape: Shape) -> None:
        """Raises UsageError for a group, a block or a kernel that the network does not have, or not of this size."""
        for name, width in shape.widths.items():
            _check_known("group", name, self.by_name)
            _check_size("group", name, width, self.by_name[name].widths)
        for path in shape.off:
            if path not in self.blocks:
                raise UsageError(f"no block {path!r} can be off; expected one of {_some(self.blocks)}")
        for path, side in shape.kernels.items():
            _check_known("kernel", path, self.kernels)
            _check_size("kernel", path, side, range(3, self.kernels[path] + 1, 2))
        for path, kind in shape.kinds.items():
            if kind not in range(self.kinds.get(path, 0)):
                raise UsageError(f"{path!r} has no alternative {kind}; expected one of {_some(tuple(self.kinds))}")


def _check_known(kind: str, name: str, known: Mapping[str, object]) -> None:
    if name not in known:
        raise UsageError(f"no {kind} {name!r} can shrink; expected one of {_some(tuple(known))}")


def _check_size(kind: str, name: str, size: int, sizes: Sequence[int]) -> None:
    if size not in sizes:
        raise UsageError(f"the {kind} {name!r} cannot have size {size}; expected one of {_some(sizes)}")


def _some(values: Sequence[object], most: int = 6) -> str:
    shown = ", ".join(map(str, values[:most]))
    return f"{shown}, ... {values[-1]}" if len(values) > most else shown or "none"


def named_tensors(network: nn.Module) -> dict[str, Tensor]:
    """Parameters and buffers by name; those that several modules share once, by the first."""
    return dict([*network.named_parameters(), *network.named_buffers()])
