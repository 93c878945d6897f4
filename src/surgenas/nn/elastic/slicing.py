"""How does one large network compute as any smaller one? With views of its weights; `cut` makes the smaller one itself.

Laws: `sliced(network, structure, shape, x)` equals `cut(network, structure, shape)(x)` bit for bit; its gradients
reach the large network's weights; `cut` of the full shape is the network.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from surgenas.nn.elastic.integers import Changes, Integers, Off, copied, integers_of
from surgenas.nn.elastic.joined import Numbers
from surgenas.nn.elastic.structure import Shape, Structure
from surgenas.nn.substitution import Place, places_of, substituted


@dataclass(frozen=True, eq=False)
class Cut:
    """What is left of one parameter or buffer. places: where it stands. stays: by axis, what stays there: a range, or
    positions in any order."""

    places: Sequence[Place]
    stays: Sequence[tuple[int, range | Tensor]]

    @property
    def name(self) -> str:
        """The first name of the parameter or buffer."""
        return self.places[0].name

    def made(self) -> Tensor:
        """A range is a view; positions are a copy, through which gradients flow, but not what a norm in training mode
        writes into its statistics."""
        tensor = self.places[0].table[self.places[0].leaf]
        assert tensor is not None, "when it was planned it was there"
        for axis, stays in self.stays:
            if isinstance(stays, range):
                tensor = tensor.narrow(axis, stays.start, len(stays))
            else:
                tensor = tensor.index_select(axis, stays.to(tensor.device))
        return tensor


@dataclass(frozen=True, eq=False)
class Plan:
    """What a shape needs of a network, worked out once for many passes.

    It knows the network's modules, not their parameters: these may be changed, replaced or moved to another device
    between passes, but once modules are replaced the plan is to be made anew.
    """

    network: nn.Module
    shape: Shape
    cuts: tuple[Cut, ...]
    integers: Integers
    changes: Changes

    def tensors(self) -> dict[str, Tensor]:
        """The parameters and buffers that are smaller, by first names."""
        return {cut.name: cut.made() for cut in self.cuts}


def plan_of(network: nn.Module, structure: Structure, shape: Shape) -> Plan:
    """The plan of a shape; raises UsageError for one that the structure does not have."""
    structure.check(shape)
    places = places_of(network)
    stays: dict[str, list[tuple[int, range | Tensor]]] = defaultdict(list)
    for (name, axis), gone in removed(structure, shape).items():
        tensor = places[name][0].table[places[name][0].leaf]
        assert tensor is not None, "places are of tensors"
        stays[name].append((axis, _left(tensor, axis, gone)))
    for path, side in shape.kernels.items():
        edge = (structure.kernels[path] - side) // 2
        if edge:
            stays[f"{path}.weight"] += [(axis, range(edge, edge + side)) for axis in (2, 3)]
    cuts = tuple(Cut(places[name], parts) for name, parts in stays.items())
    with torch.no_grad():
        smaller = {place.name: tensor for cut in cuts for tensor in [cut.made()] for place in cut.places}
    integers = integers_of(network, structure, shape, smaller)
    return Plan(network, shape, cuts, integers, Changes(network, integers, shape.off))


def _left(tensor: Tensor, axis: int, gone: Numbers) -> range | Tensor:
    size = tensor.shape[axis]
    if gone.min() == size - len(gone):  # the last ones
        return range(size - len(gone))
    return torch.from_numpy(np.setdiff1d(np.arange(size), gone)).to(tensor.device)


def removed(structure: Structure, shape: Shape) -> dict[tuple[str, int], Numbers]:
    """By (parameter, axis): the positions that a shape leaves out."""
    parts: dict[tuple[str, int], list[Numbers]] = defaultdict(list)
    for name, width in shape.widths.items():
        group = structure.by_name[name]
        if width < group.size:
            for member in group.members:
                parts[member.name, member.axis].append(member.index[width:].ravel())
    return {key: np.concatenate(found) for key, found in parts.items()}


def sliced(network: nn.Module, structure: Structure, shape: Shape, x: Tensor, plan: Plan | None = None) -> Any:
    """What the network of `shape` computes for x, with the weights of the large one, which gradients reach.

    plan: that of the shape, if it is known; that of another network, such as the one that this is a copy of, is worked
    out again. While it runs, the network's modules say other sizes: not for two threads at once.
    """
    if plan is None or plan.network is not network:
        plan = plan_of(network, structure, shape)
    with plan.changes.made(), substituted([(cut.places, cut.made()) for cut in plan.cuts]):
        return network(x)


def cut(network: nn.Module, structure: Structure, shape: Shape) -> nn.Module:
    """The network of `shape` by itself, with weights of its own, in the mode (training or not) of `network`.

    Of a network built afresh by the same code it makes the same modules, so that a state_dict fits: name, shape and
    weights are enough to make it again.
    """
    plan = plan_of(network, structure, shape)
    made = copied(network)
    for path, attributes in plan.integers.items():
        vars(made.get_submodule(path)).update(attributes)
    with torch.no_grad():
        for each in plan.cuts:
            names = [place.name for place in each.places]
            _replace(made, names, each.made().clone(memory_format=torch.contiguous_format))
    blocks = [made.get_submodule(path) for path in plan.shape.off]
    off = Off()
    for path, module in list(made.named_modules(remove_duplicate=False)):
        if any(module is block for block in blocks):
            made.set_submodule(path, off)
    return made


@torch.no_grad()
def put_back(network: nn.Module, plan: Plan, tensors: Mapping[str, Tensor]) -> None:
    """Write the state_dict of the network that `cut` makes of a plan's shape into the large network.

    What the shape leaves out stays as it was, so that `cut` gives these tensors from then on.
    """
    kept = {cut.name: dict(cut.stays) for cut in plan.cuts}
    for first, places in places_of(network).items():
        small = next((tensors[place.name] for place in places if place.name in tensors), None)
        tensor = places[0].table[places[0].leaf]
        if small is None or tensor is None:  # in a block that is off
            continue
        at = kept.get(first, {})
        positions = [torch.as_tensor(at.get(axis, range(size))) for axis, size in enumerate(tensor.shape)]
        if positions:
            tensor[torch.meshgrid([place.to(tensor.device) for place in positions], indexing="ij")] = small.to(tensor)
        else:
            tensor.copy_(small)


def _replace(network: nn.Module, names: list[str], value: Tensor) -> None:
    """One tensor for all its names: modules that shared it go on sharing it."""
    first, _, leaf = names[0].rpartition(".")
    old = getattr(network.get_submodule(first), leaf)
    if isinstance(old, nn.Parameter):
        value = nn.Parameter(value, requires_grad=old.requires_grad)
    for name in names:
        path, _, leaf = name.rpartition(".")
        setattr(network.get_submodule(path), leaf, value)
