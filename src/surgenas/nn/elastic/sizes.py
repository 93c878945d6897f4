"""How large is each layer of the largest network, and which groups, block and kernel does its size hang on?"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from torch import nn

from surgenas.nn.cost import work_of
from surgenas.nn.elastic.structure import Structure, named_tensors


@dataclass(frozen=True)
class LayerSize:
    """One convolution or linear layer of the largest network, for one image.

    macs, params, values_in, values_out: what it computes, holds (its weight without the bias), reads and writes.
    outputs, inputs: by group, the share of the weight's rows, and of its columns, that one unit of the group is. block:
    path of the block that it is in, and is gone with; empty if none. kernel: its side in pixels if that can be smaller,
    else 0. by_channel: it reads only as many channels as it writes, as a depthwise convolution does.
    """

    name: str
    macs: float
    params: float
    values_in: float
    values_out: float
    outputs: Mapping[str, float]
    inputs: Mapping[str, float]
    block: str
    kernel: int
    by_channel: bool


def layer_sizes(network: nn.Module, structure: Structure, input_shape: tuple[int, int, int]) -> list[LayerSize]:
    """Every convolution and linear layer in the order in which they run. input_shape: (C, H, W) of one image.

    What else a network computes, such as the products of an attention, is not among them.
    """
    shares = _shares(network, structure)
    found = []
    for work in work_of(network, input_shape, (nn.Conv2d, nn.Linear))[1]:
        layer = network.get_submodule(work.name)
        assert isinstance(layer, (nn.Conv2d, nn.Linear)), "asked for"
        written = work.macs / layer.weight[0].numel()
        weight = f"{work.name}.weight"
        found.append(
            LayerSize(
                work.name, float(work.macs), float(layer.weight.numel()), work.values - written, written,
                shares[weight, 0], shares[weight, 1], _block_of(work.name, structure),
                structure.kernels.get(work.name, 0), isinstance(layer, nn.Conv2d) and layer.groups > 1,
            )
        )  # fmt: skip
    return found


def _shares(network: nn.Module, structure: Structure) -> dict[tuple[str, int], dict[str, float]]:
    """By (parameter, axis) and group: the share of the axis that one unit is."""
    tensors, found = named_tensors(network), defaultdict[tuple[str, int], dict[str, float]](dict)
    for group in structure.groups:
        for member in group.members:
            share = member.index.shape[1] / tensors[member.name].shape[member.axis]
            shares = found[member.name, member.axis]
            shares[group.name] = shares.get(group.name, 0.0) + share
    return found


def _block_of(name: str, structure: Structure) -> str:
    return next((path for path in structure.blocks if name == path or name.startswith(f"{path}.")), "")
