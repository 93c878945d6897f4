"""How do numbers become groups? Numbers that stand in the same axes equally often are units of one group."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import gcd

import numpy as np
from torch import nn

from surgenas.nn.elastic.joined import Numbers
from surgenas.nn.elastic.labels import Labels
from surgenas.nn.elastic.structure import Group, Member, Structure, named_tensors

Places = Mapping[tuple[str, int], Numbers]
"""By (parameter, axis): the root of every position."""


def grouped(network: nn.Module, labels: Labels, residual: Sequence[str], multiple: int) -> Structure:
    """What the labels of a forward pass say of what can be smaller. residual: paths of modules that add to their input.

    multiple: channels are kept in multiples of it.
    """
    tensors = named_tensors(network)
    places = _places(labels)
    why = _reasons(labels)
    blurred = {int(root) for numbers in labels.blurred for root in np.unique(labels.joined.roots(numbers))}
    order = {name: i for i, name in enumerate(tensors)}
    made = [
        _group(units, _members(units, places, labels, order), why, blurred, multiple) for units in _alike(places, why)
    ]
    made.sort(key=lambda group: order[group.members[0].name])
    made = _named_once(made)
    return Structure(
        tuple(group for group in made if not group.reason),
        tuple(group for group in made if group.reason),
        tuple(path for path in residual if path and not _holds_another(path, residual)),
        _kernels(network, labels.depthwise),
    )


def _places(labels: Labels) -> Places:
    found = {key: labels.joined.roots(numbers) for key, numbers in labels.axes.items()}
    for name, numbers in labels.elements.items():
        table = labels.joined.roots(numbers)
        varying = [axis for axis in range(table.ndim) if (table != table.take([0], axis=axis)).any()]
        layer_axes = [numbers for (other, _), numbers in labels.axes.items() if other == name]
        if layer_axes or len(varying) != 1:
            labels.fix_all([numbers, *layer_axes], f"{name} is used element by element")
        else:
            found[name, varying[0]] = np.moveaxis(table, varying[0], 0).reshape(table.shape[varying[0]], -1)[:, 0]
    return found


def _reasons(labels: Labels) -> dict[int, str]:
    """By root: why it has to stay, the first reason that was seen."""
    why: dict[int, str] = {}
    for numbers, reason in labels.fixed:
        for root in np.unique(labels.joined.roots(numbers)).tolist():
            why.setdefault(root, reason)
    return why


def _alike(places: Places, why: Mapping[int, str]) -> list[list[int]]:
    """Roots that stand in the same axes, equally often, and stay for the same reason, or for none."""
    standing: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for at, line in enumerate(places.values()):
        roots, times = np.unique(line, return_counts=True)
        for root, count in zip(roots.tolist(), times.tolist(), strict=True):
            standing[root].append((at, count))
    alike: dict[tuple[tuple[tuple[int, int], ...], str], list[int]] = defaultdict(list)
    for root, spots in standing.items():
        alike[tuple(spots), why.get(root, "")].append(root)
    return list(alike.values())


def _members(units: list[int], places: Places, labels: Labels, order: Mapping[str, int]) -> tuple[Member, ...]:
    """The axes in which the units stand, those that make them first; units in the order of the first."""
    keys = [key for key, line in places.items() if (line == units[0]).any()]
    keys.sort(key=lambda key: (not _writes(key, labels.layers), order[key[0]], key[1]))
    lead = places[keys[0]]
    rank = {root: i for i, root in enumerate(dict.fromkeys(lead[np.isin(lead, units)].tolist()))}
    members = []
    for name, axis in keys:
        line = places[name, axis]
        at = np.flatnonzero(np.isin(line, units))
        by = np.argsort([rank[root] for root in line[at].tolist()], kind="stable")
        index, key = at[by].reshape(len(units), -1), (name, axis)
        members.append(Member(name, axis, index, _writes(key, labels.layers), key in labels.reads))
    return tuple(members)


def _writes(key: tuple[str, int], layers: set[str]) -> bool:
    return key[1] == 0 and key[0] in layers


def _group(
    units: list[int], members: tuple[Member, ...], why: Mapping[int, str], blurred: set[int], multiple: int
) -> Group:
    channels = min((member.index.shape[1] for member in members if member.writes), default=1)
    step = multiple // gcd(multiple, channels)
    reason = why.get(units[0], "")
    if not reason and not members[0].writes:
        reason = "no layer makes these channels"
    if not reason and len(units) <= step:
        reason = "only one unit" if len(units) == 1 else f"only {len(units)} units, kept in multiples of {step}"
    first = members[0]
    name = first.name.removesuffix(".weight") if first.writes else first.name
    return Group(name, len(units), step, members, blurred.isdisjoint(units), reason)


def _named_once(groups: Sequence[Group]) -> list[Group]:
    """A second group of one layer is called layer:2, and so on."""
    seen: dict[str, int] = defaultdict(int)
    named = []
    for group in groups:
        seen[group.name] += 1
        again = seen[group.name] > 1
        named.append(replace(group, name=f"{group.name}:{seen[group.name]}") if again else group)
    return named


def _holds_another(path: str, paths: Sequence[str]) -> bool:
    return any(other.startswith(f"{path}.") for other in paths)


def _kernels(network: nn.Module, depthwise: Sequence[str]) -> dict[str, int]:
    """Square depthwise kernels of odd sides from 5 pixels, whose convolution keeps the map's size up to its stride."""
    found = {}
    for path in dict.fromkeys(depthwise):
        module = network.get_submodule(path)
        if not isinstance(module, nn.Conv2d):
            continue
        side, *others = module.kernel_size
        if others == [side] and side >= 5 and side % 2 and _keeps_size(module):
            found[path] = side
    return found


def _keeps_size(conv: nn.Conv2d) -> bool:
    """By its padding, or by code of its own, as timm's Conv2dSame."""
    around = tuple(d * (k // 2) for d, k in zip(conv.dilation, conv.kernel_size, strict=True))
    return conv.padding in ("same", around) or type(conv).forward is not nn.Conv2d.forward
