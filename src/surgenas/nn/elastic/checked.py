"""Does a network's own code follow when it shrinks? Everything that was traced is tried; what fails is named, with why.

Code may hold sizes that no trace can see, such as the lengths of a split. So nothing is promised that was not tried.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_flatten

from surgenas.nn.elastic.integers import Changes, copied, forget_copies
from surgenas.nn.elastic.slicing import removed, sliced
from surgenas.nn.elastic.structure import Group, Shape, Structure, named_tensors
from surgenas.nn.elastic.tracing import not_running
from surgenas.nn.substitution import call_with

FAILS = (RuntimeError, ValueError, TypeError, LookupError, AttributeError, AssertionError, ArithmeticError)
"""What a network's code raises when a size does not fit."""


def checked(network: nn.Module, structure: Structure, example: Tensor) -> Structure:
    """The structure without what does not do what it promises on `example`, images (N, C, ...).

    All groups at once are cut to about half, in float64: the network must run, and compute what the large one computes
    with the removed units set to zero, as far as groups are exact. Only if that fails, one group after another is
    added. Blocks are off, and kernels are of 3 pixels, in the same way; they must run. Raises UsageError if the network
    itself does not.
    """
    judge = _Judge(network, structure, example)
    groups, fixed = _tried_groups(judge)
    refused: dict[str, str] = {}
    blocks = _tried(judge, structure.blocks, lambda paths: Shape(off=paths), refused)
    kernels = _tried(judge, tuple(structure.kernels), lambda paths: Shape(kernels=dict.fromkeys(paths, 3)), refused)
    sides = {path: structure.kernels[path] for path in kernels}
    return Structure(groups, fixed, blocks, sides, {**structure.refused, **refused}, structure.kinds)


def zeroed(network: nn.Module, structure: Structure, shape: Shape, x: Tensor) -> Any:
    """What the large network computes for x with every weight of a removed unit set to zero: another way to `sliced`.

    Equal to it for groups that are exact, in eval mode. Blocks and kernels of the shape are left as they are.
    """
    tensors, changed = named_tensors(network), dict[str, Tensor]()
    for (name, axis), gone in removed(structure, shape).items():
        value = 1.0 if name.endswith("running_var") else 0.0
        at = torch.from_numpy(gone).to(tensors[name].device)
        changed[name] = changed.get(name, tensors[name]).index_fill(axis, at, value)
    with Changes(network, {}).made():
        return call_with(network, changed, x)


class _Judge:
    """A network and an example in the widest floats in which it runs."""

    def __init__(self, network: nn.Module, structure: Structure, example: Tensor) -> None:
        self.structure = structure
        self.network, self.x = copied(network).cpu().eval().double(), example.detach().cpu().double()
        self.share = 1e-7
        if self._does_not_run():  # as where constants of its code are in single precision
            self.network, self.x, self.share = self.network.float(), self.x.float(), 1e-3
            if error := self._does_not_run():
                raise not_running(self.network, self.x, error)

    @torch.no_grad()
    def _does_not_run(self) -> Exception | None:
        forget_copies(self.network)
        try:
            self.network(self.x)
        except FAILS as error:
            return error
        return None

    @torch.no_grad()
    def fault(self, shape: Shape) -> str:
        """What is wrong with a shape of the whole structure, in words; empty if nothing is."""
        exact = Shape({name: w for name, w in shape.widths.items() if self.structure.by_name[name].exact})
        try:
            found = _tensors(sliced(self.network, self.structure, shape, self.x))
            if any(not bool(out.isfinite().all()) for out in found):
                return "the smaller network's output is not finite"
            if not exact.widths:
                return ""
            if exact != shape:
                found = _tensors(sliced(self.network, self.structure, exact, self.x))
            expected = _tensors(zeroed(self.network, self.structure, exact, self.x))
        except FAILS as error:
            why = (str(error).strip().splitlines() or [type(error).__name__])[0]
            return f"the smaller network does not run: {why[:100]}"
        close = all(map(self._close, found, expected)) and len(found) == len(expected)
        return "" if close else "the smaller network computes something else"

    def _close(self, one: Tensor, other: Tensor) -> bool:
        if one.shape != other.shape:
            return False
        return bool(((one - other).abs() <= self.share * (other.abs().max() + 1e-9)).all())


def _tensors(output: Any) -> list[Tensor]:
    return [value for value in tree_flatten(output)[0] if isinstance(value, Tensor) and value.is_floating_point()]


def _tried_groups(judge: _Judge) -> tuple[tuple[Group, ...], tuple[Group, ...]]:
    """(groups that can shrink, groups that cannot)."""
    groups, fixed = judge.structure.groups, judge.structure.fixed
    halves = dict(judge.structure.at(0.5).widths)
    if not judge.fault(Shape(halves)):
        return groups, fixed
    kept: dict[str, int] = {}
    refused = []
    for group in groups:
        fault = judge.fault(Shape({**kept, group.name: halves[group.name]}))
        if fault:
            refused.append(replace(group, reason=fault))
        else:
            kept[group.name] = halves[group.name]
    return tuple(group for group in groups if group.name in kept), (*fixed, *refused)


def _tried(
    judge: _Judge, paths: tuple[str, ...], shape_of: Callable[[tuple[str, ...]], Shape], refused: dict[str, str]
) -> tuple[str, ...]:
    if not paths or not judge.fault(shape_of(paths)):
        return paths
    kept: tuple[str, ...] = ()
    for path in paths:
        fault = judge.fault(shape_of((*kept, path)))
        if fault:
            refused[path] = fault
        else:
            kept = (*kept, path)
    return kept
