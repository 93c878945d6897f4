"""Which channel does each element of a tensor belong to? Numbers for all of them while a network runs once.

Every axis of a parameter that a layer reads or makes has one number a position. Every tensor that flows has labels: an
int64 tensor of its shape (without memory along axes where it only repeats) that holds numbers, NONE where an element
belongs to no channel. Numbers of channels that can only go together are joined.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.weak import WeakTensorKeyDictionary

from surgenas.nn.elastic.joined import NONE, Joined, Numbers
from surgenas.nn.elastic.structure import named_tensors


@dataclass(frozen=True)
class Weight:
    """A parameter or buffer itself, or transposed. axes: for each axis of the tensor, that of the parameter."""

    name: str
    axes: tuple[int, ...]


class Labels:
    """What one forward pass tells of a network's channels.

    axes: by (parameter, axis), the number of each position. elements: by parameter, the number of each element, where
    a network does not use it as a layer does. fixed: numbers that have to stay, with the reason. blurred: numbers
    whose channels cannot be removed without a change for the others. layers: names of the weights of convolutions
    and linear layers. reads: their axes, as (weight, axis), over which they sum channels. depthwise: paths of the
    depthwise convolutions. place: path of the module that runs.
    """

    def __init__(self, network: nn.Module) -> None:
        self.joined = Joined()
        self.axes: dict[tuple[str, int], Numbers] = {}
        self.elements: dict[str, Numbers] = {}
        self.fixed: list[tuple[Numbers, str]] = []
        self.blurred: list[Numbers] = []
        self.layers: set[str] = set()
        self.reads: set[tuple[str, int]] = set()
        self.depthwise: list[str] = []
        self.place = ""
        self._shapes: dict[str, tuple[int, ...]] = {}
        self._known: WeakTensorKeyDictionary = WeakTensorKeyDictionary()
        for name, tensor in named_tensors(network).items():
            if tensor.is_floating_point():
                self._known[tensor] = Weight(name, tuple(range(tensor.ndim)))
                self._shapes[name] = tuple(tensor.shape)

    def number_input(self, example: Tensor) -> None:
        """Give each channel of an image (N, C, ...) a number; they are the user's, so they stay."""
        numbers = self.joined.more(example.shape[1])
        self.fixed.append((numbers, "channels of the input"))
        self.give(example, spread(torch.from_numpy(numbers), example.shape, 1))

    def knows(self, tensor: Tensor) -> bool:
        return tensor in self._known

    def give(self, tensor: Tensor, answer: Tensor | Weight) -> None:
        """Keep the labels of a tensor, of its shape or of one that broadcasts to it."""
        self._known[tensor] = answer if isinstance(answer, Weight) else answer.expand(tensor.shape)

    def weight(self, tensor: Tensor) -> Weight | None:
        """The parameter that a tensor is, itself or transposed; None for all others."""
        known = self._known.get(tensor)
        return known if isinstance(known, Weight) else None

    def axis(self, weight: Weight, axis: int) -> Tensor:
        """The numbers along one axis of the tensor that `weight` describes."""
        key = (weight.name, weight.axes[axis])
        if key not in self.axes:
            self.axes[key] = self.joined.more(self._shapes[weight.name][key[1]])
        return torch.from_numpy(self.axes[key])

    def of(self, tensor: Tensor) -> Tensor:
        """The labels of a tensor, of its shape. A parameter of several axes gets a number an element."""
        known = self._known.get(tensor)
        if known is None:
            return nothing().expand(tensor.shape)
        if not isinstance(known, Weight):
            return known
        shape = self._shapes[known.name]
        if prod(shape) <= 1:
            return nothing().expand(tensor.shape)
        if len(shape) == 1:
            return self.axis(known, 0)
        if known.name not in self.elements:
            self.elements[known.name] = self.joined.more(prod(shape)).reshape(shape)
        return torch.from_numpy(self.elements[known.name]).permute(known.axes)

    def join(self, *labels: Tensor) -> Tensor:
        """Join labels that broadcast to one shape, element by element. Returns them as one, of that shape."""
        out = labels[0]
        for other in labels[1:]:
            whole, there = torch.broadcast_tensors(out, other)
            mine = whole
            for axis in range(whole.ndim):
                if whole.stride(axis) == 0 and there.stride(axis) == 0 and whole.shape[axis] > 1:
                    mine, there = mine.narrow(axis, 0, 1), there.narrow(axis, 0, 1)
            self.joined.join(mine.numpy(), there.numpy())
            out = self.settled(torch.where(mine >= 0, mine, there)).expand(whole.shape)
        return out

    def settled(self, labels: Tensor) -> Tensor:
        """The same labels by their roots, with one position along every axis where they repeat."""
        labels = torch.from_numpy(self.joined.roots(thin(labels).numpy()))
        for axis in range(labels.ndim):
            if labels.shape[axis] > 1 and bool((labels == labels.narrow(axis, 0, 1)).all()):
                labels = labels.narrow(axis, 0, 1)
        return labels

    def along(self, labels: Tensor, axis: int) -> Tensor:
        """Join all that lies at one position of an axis. Returns a number a position, (n,)."""
        rows = thin(labels, keep=axis % labels.ndim).movedim(axis, 0).flatten(1)
        most = rows.amax(1)
        self.join(rows, most[:, None].expand(rows.shape))
        return most

    def tie(self, labels: Tensor, axis: int) -> None:
        """Join all positions along an axis with each other."""
        self.join(labels, labels.amax(axis, keepdim=True).expand(labels.shape))

    def fix(self, labels: Tensor, reason: str) -> None:
        """These channels have to stay. reason: why, without the place."""
        self.fixed.append((_present(labels), f"{reason} in {self.place}" if self.place else reason))

    def fix_all(self, numbers: Sequence[Numbers], reason: str) -> None:
        """As `fix`, for numbers that are no labels; the reason names its place itself."""
        self.fixed.append((np.unique(np.concatenate([part.ravel() for part in numbers])), reason))

    def blur(self, labels: Tensor) -> None:
        """These channels cannot be removed without a change for the others, as below a norm over channels."""
        self.blurred.append(_present(labels))


def nothing() -> Tensor:
    """The labels of a tensor that belongs to no channel, to be expanded."""
    return torch.tensor(NONE)


def spread(numbers: Tensor, shape: Sequence[int], axis: int) -> Tensor:
    """Numbers (n,) along one axis, the same (without memory) along all others of `shape`."""
    return numbers.reshape([-1 if d == axis else 1 for d in range(len(shape))]).expand(tuple(shape))


def thin(labels: Tensor, keep: int | None = None) -> Tensor:
    """The labels with one position along every axis without memory, but for the axis `keep`."""
    for axis in range(labels.ndim):
        if axis != keep and labels.stride(axis) == 0 and labels.shape[axis] > 1:
            labels = labels.narrow(axis, 0, 1)
    return labels


def _present(labels: Tensor) -> Numbers:
    numbers = np.unique(thin(labels).numpy())
    return numbers[numbers >= 0]
