"""How much does it cost to round the weights of each layer of a trained network? Told on its own training images."""

from __future__ import annotations

from collections.abc import Sequence

from torch import nn

from surgenas.core.errors import UsageError
from surgenas.hardware.onnx_layers import OnnxLayer
from surgenas.nn.cost import work_of
from surgenas.nn.sensitivity import hessian_traces, layer_weights, rounding_error
from surgenas.tasks.data import Dataset

WEIGHT_BITS = 7
"""Of a weight in int8 here: hardware/runtimes/quantization.py says why not 8."""
PROBES, TRACED = 20, 64
"""For each trace: so many double backward passes over so many training images."""


def layer_losses(
    network: nn.Module,
    input_shape: tuple[int, int, int],
    data: Dataset,
    layers: Sequence[OnnxLayer],
    seed: int,
    probes: int,
) -> list[tuple[str, float, float]]:
    """For each layer of the network's ONNX file its path, by how much the loss is expected to rise, and one standard
    error of that.

    That is half of the squared error of the rounded weights times the mean curvature along a weight, on training
    images. Raises UsageError if the file's layers are not the network's.
    """
    modules = layer_weights(network)
    named = [work.name for work in work_of(network, input_shape)[1] if work.name in modules]
    if [modules[name].numel() for name in named] != [layer.weights for layer in layers]:
        raise UsageError("the layers of the network and of its ONNX file are not the same; only plain chains are mixed")
    traced = data.train.spaced(TRACED)
    images, labels = data.normalise(traced.images[:]), traced.labels
    weights = {name: modules[name] for name in dict.fromkeys(named)}
    traces = hessian_traces(lambda: nn.functional.cross_entropy(network(images), labels), weights, probes, seed)
    found = []
    for name in named:
        weight = modules[name]
        each = 0.5 * rounding_error(weight, WEIGHT_BITS) / weight.numel()
        loss = each * max(0.0, float(traces[name].mean()))
        found.append((name, loss, each * float(traces[name].std(correction=0)) / probes**0.5))
    return found
