"""How does one large network compute as any smaller one? With views of its weights; `cut` makes the smaller one itself.

Laws: `sliced(network, structure, shape, x)` equals `cut(network, structure, shape)(x)` bit for bit; its gradients
reach the large network's weights; `cut` of the full shape is the network.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from surgenas.nn.elastic.integers import Integers, Off, copied, integers_of, patched
from surgenas.nn.elastic.joined import Numbers
from surgenas.nn.elastic.structure import Shape, Structure, named_tensors
from surgenas.nn.substitution import call_with, everywhere, places_of


@dataclass(frozen=True, eq=False)
class Plan:
    """What a shape needs of a network, worked out once for many passes.

    cuts: (name, axis, what stays) of every parameter and buffer: a length for the first positions, positions otherwise.
    """

    shape: Shape
    cuts: tuple[tuple[str, int, int | Tensor], ...]
    integers: Integers


def plan_of(network: nn.Module, structure: Structure, shape: Shape) -> Plan:
    """The plan of a shape; raises UsageError for one that the structure does not have."""
    structure.check(shape)
    tensors = named_tensors(network)
    cuts: list[tuple[str, int, int | Tensor]] = []
    for (name, axis), gone in removed(structure, shape).items():
        stays = np.ones(tensors[name].shape[axis], dtype=np.bool_)
        stays[gone] = False
        count = int(stays.sum())
        cuts.append((name, axis, count if stays[:count].all() else torch.from_numpy(np.flatnonzero(stays))))
    plan = Plan(shape, tuple(cuts), {})
    with torch.no_grad():
        cut_tensors = tensors_of(network, plan)
    integers = integers_of(network, structure, shape, everywhere(network, cut_tensors))
    return Plan(shape, plan.cuts, integers)


def removed(structure: Structure, shape: Shape) -> dict[tuple[str, int], Numbers]:
    """By (parameter, axis): the positions that a shape leaves out."""
    parts: dict[tuple[str, int], list[Numbers]] = defaultdict(list)
    for name, width in shape.widths.items():
        group = structure.by_name[name]
        if width < group.size:
            for member in group.members:
                parts[member.name, member.axis].append(member.index[width:].ravel())
    return {key: np.concatenate(found) for key, found in parts.items()}


def tensors_of(network: nn.Module, plan: Plan) -> dict[str, Tensor]:
    """The parameters and buffers that are smaller, by name.

    The first positions of an axis, and the centre of a kernel, are views; any other selection is a copy, through which
    gradients flow, but not what a norm in training mode writes into its statistics.
    """
    tensors, found = named_tensors(network), dict[str, Tensor]()
    for name, axis, stays in plan.cuts:
        found[name] = _kept(found.get(name, tensors[name]), axis, stays)
    for path, side in plan.shape.kernels.items():
        name = f"{path}.weight"
        tensor = found.get(name, tensors[name])
        edge = (tensor.shape[-1] - side) // 2
        found[name] = tensor[..., edge : edge + side, edge : edge + side]
    return found


def _kept(tensor: Tensor, axis: int, stays: int | Tensor) -> Tensor:
    if isinstance(stays, int):
        return tensor.narrow(axis, 0, stays)
    return tensor.index_select(axis, stays.to(tensor.device))


def sliced(network: nn.Module, structure: Structure, shape: Shape, x: Tensor, plan: Plan | None = None) -> Any:
    """What the network of `shape` computes for x, with the weights of the large one, which gradients reach.

    plan: that of the shape, if it is known. While it runs, the network's modules say other sizes: not for two threads
    at once.
    """
    plan = plan or plan_of(network, structure, shape)
    with patched(network, plan.integers, plan.shape.off):
        return call_with(network, tensors_of(network, plan), x)


def cut(network: nn.Module, structure: Structure, shape: Shape) -> nn.Module:
    """The network of `shape` by itself, with weights of its own, in the mode (training or not) of `network`.

    Of a network built afresh by the same code it makes the same modules, so that a state_dict fits: name, shape and
    weights are enough to make it again.
    """
    plan = plan_of(network, structure, shape)
    made = copied(network)
    for path, attributes in plan.integers.items():
        vars(made.get_submodule(path)).update(attributes)
    names = places_of(network)
    with torch.no_grad():
        for name, tensor in tensors_of(network, plan).items():
            _replace(made, names[name], tensor.clone(memory_format=torch.contiguous_format))
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
    large, kept = named_tensors(network), defaultdict[str, dict[int, Tensor]](dict)
    for name, axis, stays in plan.cuts:
        kept[name][axis] = torch.arange(stays) if isinstance(stays, int) else stays
    for path, side in plan.shape.kernels.items():
        axes = large[f"{path}.weight"].shape
        edge = (axes[-1] - side) // 2
        kept[f"{path}.weight"] |= dict.fromkeys((len(axes) - 2, len(axes) - 1), torch.arange(edge, edge + side))
    for first, places in places_of(network).items():
        small = next((tensors[place] for place in places if place in tensors), None)
        if small is None:  # in a block that is off
            continue
        tensor, at = large[first], kept[first]
        if at:
            positions = [at.get(axis, torch.arange(size)).to(tensor.device) for axis, size in enumerate(tensor.shape)]
            tensor[torch.meshgrid(positions, indexing="ij")] = small.to(tensor)
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
