"""How does a network compute with other tensors in place of its parameters? At every place that one of them stands."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn
from torch.func import functional_call


def places_of(network: nn.Module) -> dict[str, list[str]]:
    """By the first name of each parameter and buffer: its names, one for each module that holds it.

    There are several if modules share it. A module that stands at two places in the network is named once.
    """
    names: dict[int, list[str]] = defaultdict(list)
    for path, module in network.named_modules():
        for held in (module.named_parameters, module.named_buffers):
            for leaf, tensor in held(recurse=False, remove_duplicate=False):
                names[id(tensor)].append(f"{path}.{leaf}" if path else leaf)
    return {found[0]: found for found in names.values()}


def everywhere(network: nn.Module, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Tensors by first names, at all places where the parameter or buffer of that name stands."""
    names = places_of(network)
    return {place: tensor for name, tensor in tensors.items() for place in names[name]}


def call_with(network: nn.Module, tensors: Mapping[str, Tensor], x: Tensor) -> Any:
    """What a network computes for x with these parameters and buffers, by first names, in place of its own.

    torch (2.14.1) would tie shared parameters by itself, but leaves a module that stands at two places with what was
    put there for the call.
    """
    return functional_call(network, everywhere(network, tensors), (x,), tie_weights=False)
