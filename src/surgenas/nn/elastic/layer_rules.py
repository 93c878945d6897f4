"""What do layers do to labels? Convolutions, matrix products, norms and attention."""

from __future__ import annotations

import torch
from torch import Tensor

from surgenas.nn.elastic.call import Call
from surgenas.nn.elastic.labels import Labels, Weight, nothing, spread
from surgenas.nn.elastic.plain_rules import Answer


def convolution(labels: Labels, call: Call) -> Answer:
    """(N, C, ...) -> (N, C', ...): reads C channels and makes C'; with groups, both go group by group."""
    weight, inputs = labels.weight(call["weight"]), labels.along(labels.of(call["input"]), 1)
    if weight is None or call["transposed"]:
        return _unfollowed(labels, call, inputs, weight)
    labels.layers.add(weight.name)
    outputs = labels.axis(weight, 0)
    if call["groups"] == 1:
        _read(labels, inputs, weight, 1)
    else:
        _read_by_group(labels, inputs, outputs, call["groups"])
    if call["bias"] is not None:
        outputs = labels.join(outputs, labels.of(call["bias"]))
    return spread(outputs, call.out.shape, 1)


def _unfollowed(labels: Labels, call: Call, inputs: Tensor, weight: Weight | None) -> Answer:
    if weight is None:
        labels.fix(inputs, "a convolution whose weight is computed")
        labels.fix(labels.of(call["weight"]), "a convolution whose weight is computed")
    else:
        labels.layers.add(weight.name)
        for numbers in (inputs, labels.axis(weight, 0), labels.axis(weight, 1)):
            labels.fix(numbers, "a transposed convolution")
    return nothing()


def _read(labels: Labels, inputs: Tensor, weight: Weight, axis: int) -> None:
    numbers = labels.axis(weight, axis)
    labels.reads.add((weight.name, weight.axes[axis]))
    labels.join(inputs, numbers)
    if bool((inputs < 0).any()):
        labels.fix(numbers[inputs < 0], "reads what is no layer's channel")


def _read_by_group(labels: Labels, inputs: Tensor, outputs: Tensor, groups: int) -> None:
    whole = torch.cat([inputs.reshape(groups, -1), outputs.reshape(groups, -1)], dim=1)
    labels.tie(whole, 1)
    if bool((inputs < 0).any()):
        labels.fix(whole[(whole < 0).any(1)], "reads what is no layer's channel")
    if groups == len(inputs) == len(outputs) and labels.place:
        labels.depthwise.append(labels.place)


def product(labels: Labels, call: Call) -> Answer:
    """(n, k) times (k, m), as in a linear layer without a bias: mm."""
    return _product(labels, call["self"], call["mat2"], call.out.shape)


def product_with_bias(labels: Labels, call: Call) -> Answer:
    """(n, k) times (k, m), plus (m,), as in a linear layer: addmm."""
    out = _product(labels, call["mat1"], call["mat2"], call.out.shape)
    return labels.join(out, labels.of(call["self"]).expand(call.out.shape))


def _product(labels: Labels, x: Tensor, factor: Tensor, shape: torch.Size) -> Tensor:
    weight = labels.weight(factor)
    if weight is None:
        return _batched(labels, labels.of(x)[None], labels.of(factor)[None])[0].expand(shape)
    labels.layers.add(weight.name)
    _read(labels, labels.along(labels.of(x), 1), weight, 0)
    return labels.axis(weight, 1).expand(shape)


def batched_product(labels: Labels, call: Call) -> Answer:
    """(b, n, k) times (b, k, m): bmm."""
    return _batched(labels, labels.of(call["self"]), labels.of(call["mat2"]))


def batched_product_with_bias(labels: Labels, call: Call) -> Answer:
    """(b, n, k) times (b, k, m), plus what broadcasts to it: baddbmm."""
    out = _batched(labels, labels.of(call["batch1"]), labels.of(call["batch2"]))
    return labels.join(out, labels.of(call["self"]).expand(call.out.shape))


def _batched(labels: Labels, left: Tensor, right: Tensor) -> Tensor:
    shape = (len(left), left.shape[1], right.shape[2])
    if bool((left == left[:, :, :1]).all()) and bool((right == right[:, :1]).all()):  # a sum over positions
        return labels.join(left[:, :, :1].expand(shape), right[:, :1].expand(shape))
    heads = labels.join(labels.along(left, 0), labels.along(right, 0))  # a sum over channels: a head goes as a whole
    return heads[:, None, None].expand(shape)


def attention(labels: Labels, call: Call) -> Answer:
    """Queries, keys and values (N, heads, positions, size): a head goes as a whole, in all three."""
    query, key, value = call["query"], call["key"], call["value"]
    parts = [labels.of(part) for part in (query, key, value)]
    if call.arguments.get("attn_mask") is not None:
        parts.append(labels.of(call["attn_mask"]).expand(*query.shape[:3], key.shape[2]))
    heads = labels.join(*(labels.along(part.flatten(0, 1), 0) for part in parts))
    out = heads.reshape(*query.shape[:2], 1, 1).expand(call.out.shape)
    return [out, *[nothing()] * (len(call.outputs) - 1)]


def batch_norm(labels: Labels, call: Call) -> Answer:
    """(N, C, ...): each channel by itself, with its scale, shift and statistics."""
    numbers = labels.along(labels.of(call["input"]), 1)
    for name in ("weight", "bias", "running_mean", "running_var"):
        if call.arguments.get(name) is not None:
            numbers = labels.join(numbers, labels.of(call[name]))
    return [spread(numbers, call.out.shape, 1), *[nothing()] * (len(call.outputs) - 1)]


def layer_norm(labels: Labels, call: Call) -> Answer:
    """(..., C): its statistics run over the channels, so a channel cannot go without a change for the others."""
    numbers = labels.of(call["input"])
    labels.blur(numbers)
    if len(call["normalized_shape"]) != 1:
        labels.fix(numbers, "a layer norm over several axes")
    for name in ("weight", "bias"):
        if call[name] is not None:
            numbers = labels.join(numbers, labels.of(call[name]))
    return [numbers, *[nothing()] * (len(call.outputs) - 1)]


def group_norm(labels: Labels, call: Call) -> Answer:
    """(N, C, ...): a group goes as a whole; of one group alone, any channel, with a change for the others."""
    numbers = labels.along(labels.of(call["input"]), 1)
    for name in ("weight", "bias"):
        if call[name] is not None:
            numbers = labels.join(numbers, labels.of(call[name]))
    if call["group"] == 1:
        labels.blur(numbers)
    else:
        labels.tie(numbers.reshape(call["group"], -1), 1)
    return [spread(numbers, call.out.shape, 1), *[nothing()] * (len(call.outputs) - 1)]
