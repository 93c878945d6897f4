"""What do operations without weights do to labels? Moving, combining, pooling and reducing elements."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.utils._pytree import tree_map_only

from surgenas.nn.elastic.call import Call
from surgenas.nn.elastic.joined import NONE
from surgenas.nn.elastic.labels import Labels, Weight, nothing, spread

Answer = Tensor | Weight | Sequence[Tensor]
"""The labels of an operation's outputs: one for all of them, or one for each."""
Rule = Callable[[Labels, Call], Answer]


def moved(labels: Labels, call: Call) -> Answer:
    """Elements move, and their labels with them: the operation runs on the labels."""
    if not call.tensors[0].is_floating_point():
        return nothing()
    args = tree_map_only(Tensor, lambda t: labels.of(t) if t.is_floating_point() else t, call.args)
    return call.function(*args, **call.kwargs)


def stacked(labels: Labels, call: Call) -> Answer:
    """Tensors that are stacked have one shape, and go on having one."""
    labels.join(*map(labels.of, call.tensors))
    return moved(labels, call)


def kept(labels: Labels, call: Call) -> Answer:
    """A parameter by another name stays the parameter."""
    return labels.weight(call.tensors[0]) or labels.of(call.tensors[0])


def transposed(labels: Labels, call: Call) -> Answer:
    """A parameter of two axes, turned over, stays the parameter; other matrices move."""
    weight = labels.weight(call["self"])
    return Weight(weight.name, weight.axes[::-1]) if weight else labels.of(call["self"]).t()


def viewed(labels: Labels, call: Call) -> Answer:
    """A view moves elements. Where it merges two axes that both tell channels apart (a channel shuffle), what lies
    side by side stays so, since the network's code knows the length of the inner axis."""
    before = labels.of(call["self"])
    _tie_merged(labels, labels.settled(before), call["self"].shape, call.out.shape)
    return before.reshape(call.out.shape)


def _tie_merged(labels: Labels, told: Tensor, old: Sequence[int], new: Sequence[int]) -> None:
    """told: labels with one position along the axes of `old` that tell nothing apart."""
    i = j = 0
    while i < len(old) and j < len(new):
        first, left, right = i, old[i], new[j]
        i, j = i + 1, j + 1
        while left != right:
            if left < right:
                left, i = left * old[i], i + 1
            else:
                right, j = right * new[j], j + 1
        for axis in [d for d in range(first, i) if told.shape[d] > 1][1:]:
            labels.tie(told, axis)


def shuffled(labels: Labels, call: Call) -> Answer:
    """A channel shuffle brings channels of all groups side by side, where they stay."""
    before = labels.of(call["self"])
    labels.tie(before.unflatten(1, (call["groups"], -1)), 1)
    return call.function(before, call["groups"])


def divided(labels: Labels, call: Call) -> Answer:
    """Pieces of one length stay of one length: the network's code asks for so many pieces, not for a length."""
    pieces = call.function(labels.of(call["self"]), *call.args[1:], **call.kwargs)
    if len({piece.shape for piece in pieces}) == 1:
        for piece in pieces[1:]:
            labels.join(pieces[0], piece)
    return pieces


def combined(labels: Labels, call: Call) -> Answer:
    """Elements that are added, multiplied or compared go together."""
    return labels.join(*map(labels.of, call.tensors))


def written(labels: Labels, call: Call) -> Answer:
    """A copy into a tensor. Into a part of one that had no labels, the whole would not hear of it."""
    if not labels.knows(call["self"]) and call["self"]._is_view():
        labels.fix(labels.of(call["src"]), "written into a part of a tensor")
        return nothing()
    return combined(labels, call)


def pooled(labels: Labels, call: Call) -> Answer:
    """(N, C, ...) -> (N, C, ...): each channel by itself."""
    x, out = call.tensors[0], call.out
    if x.ndim != out.ndim or x.shape[:2] != out.shape[:2]:
        labels.fix(labels.of(x), "pooling across channels")
        return nothing()
    return spread(labels.along(labels.of(x), 1), out.shape, 1)


def padded(labels: Labels, call: Call) -> Answer:
    """Constants around images belong to the channel that they surround; added channels belong to none."""
    if call["self"].shape[:2] == call.out.shape[:2]:
        return pooled(labels, call)
    return F.pad(labels.of(call["self"]), call["pad"], value=NONE)


def reduced(labels: Labels, call: Call) -> Answer:
    """Sums, means and the like over some axes. Over several channels, none of them can go without a change."""
    before = labels.settled(labels.of(call["self"]))
    axes = call.arguments.get("dim")
    axes = [axes] if isinstance(axes, int) else list(axes or range(before.ndim))
    least, most = before.amin(axes, keepdim=True), before.amax(axes, keepdim=True)
    if not torch.equal(least, most):
        labels.blur(before)
        return nothing()
    reduced_axes = {axis % before.ndim for axis in axes}
    kept_shape = [1 if axis in reduced_axes else n for axis, n in enumerate(call["self"].shape)]
    return most.expand(kept_shape).reshape(call.out.shape)


def softmax(labels: Labels, call: Call) -> Answer:
    """A softmax over positions is each channel's own; over channels it is a statistic of them."""
    before = labels.of(call["self"])
    if not bool((before == before.narrow(call["dim"], 0, 1)).all()):
        labels.blur(before)
    return before


def indexed(labels: Labels, call: Call) -> Answer:
    """Elements looked up at fixed positions, such as an attention's biases."""
    chosen = tuple(slice(None) if index is None else index for index in call["indices"])
    return labels.of(call["self"])[chosen]


def restrided(labels: Labels, call: Call) -> Answer:
    """torch lays the mean of a channels-last image out anew; whatever else changes strides is not followed."""
    before = labels.of(call["self"])
    if tuple(call["size"]) == tuple(before.shape):
        return before
    labels.fix(before, "as_strided_")
    return nothing()
