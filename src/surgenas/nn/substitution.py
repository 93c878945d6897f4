"""How does a network compute with other tensors in place of its parameters? At every place that one of them stands."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

from torch import Tensor, nn


class Place(NamedTuple):
    """Where a module holds a parameter or buffer.

    name: the module's path and the name in it. table: torch's table of the module, with the entry `leaf`.
    """

    name: str
    table: dict[str, Tensor | None]
    leaf: str


def places_of(network: nn.Module) -> dict[str, list[Place]]:
    """By the first name of each parameter and buffer: its places, one for each module that holds it.

    There are several if modules share it. A module that stands at two places in the network is named once.
    """
    found: dict[int, list[Place]] = defaultdict(list)
    for path, module in network.named_modules():
        for table in (vars(module)["_parameters"], vars(module)["_buffers"]):
            for leaf, tensor in table.items():
                if tensor is not None:
                    found[id(tensor)].append(Place(f"{path}.{leaf}" if path else leaf, table, leaf))
    return {places[0].name: places for places in found.values()}


@contextmanager
def substituted(others: Iterable[tuple[Sequence[Place], Tensor]]) -> Iterator[None]:
    """While it lasts, each tensor stands at all of its places.

    As `torch.func.functional_call` (torch 2.14.1), but it looks for nothing, and leaves nothing behind in a module that
    stands at two places in the network.
    """
    before: list[tuple[Place, Tensor | None]] = []
    try:
        for places, tensor in others:
            for place in places:
                before.append((place, place.table[place.leaf]))
                place.table[place.leaf] = tensor
        yield
    finally:
        for place, own in reversed(before):
            place.table[place.leaf] = own


def call_with(network: nn.Module, tensors: Mapping[str, Tensor], x: Tensor) -> Any:
    """What a network computes for x with these parameters and buffers, by first names, in place of its own."""
    places = places_of(network)
    with substituted((places[name], tensor) for name, tensor in tensors.items()):
        return network(x)
