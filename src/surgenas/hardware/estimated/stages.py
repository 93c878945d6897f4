"""A network as an accelerator of three engines sees it: a pointwise, a depthwise and another pointwise convolution.

Convolutions over several pixels that are not depthwise count as pointwise ones with that many more inputs.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from torch import nn

from surgenas.core.errors import UsageError
from surgenas.nn.cost import LayerWork


@dataclass(frozen=True)
class Layer:
    """A convolution or linear layer. inputs: values that one output needs, of one group. outputs: channels. pixels: of
    its output. values: that it reads and writes. bits: of each of its weights; 0 where it does not say."""

    name: str
    inputs: int
    outputs: int
    pixels: int
    values: int
    weights: int
    bits: int = 0


@dataclass(frozen=True)
class Stage:
    """What runs at once, one of each kind at most: expand feeds deep, which feeds project."""

    expand: Layer | None = None
    deep: Layer | None = None
    project: Layer | None = None

    @property
    def layers(self) -> tuple[Layer, ...]:
        return tuple(layer for layer in (self.expand, self.deep, self.project) if layer)


def stages_of(network: nn.Module, works: Sequence[LayerWork]) -> list[Stage]:
    """The stages of a network, in the order in which they run; pooling has none.

    Raises UsageError for convolutions in groups that are neither one nor as many as channels.
    """
    layers = [(_layer(network.get_submodule(work.name), work), work.kind) for work in works if work.kind != "pooling"]
    found: list[Stage] = []
    i = 0
    while i < len(layers):
        layer, kind = layers[i]
        following = layers[i + 1 : i + 3]
        if kind == "dense" and following and _feeds(layer, *following[0]):
            i, stage = i + 2, Stage(layer, following[0][0])
        elif kind == "depthwise":
            i, stage = i + 1, Stage(None, layer)
        else:
            i, stage = i + 1, Stage(None, None, layer)
        if stage.deep and i < len(layers) and _reads(*layers[i], stage.deep):
            i, stage = i + 1, Stage(stage.expand, stage.deep, layers[i][0])
        found.append(stage)
    return found


def _feeds(layer: Layer, then: Layer, kind: str) -> bool:
    """Is the next layer depthwise, and as wide as this one?"""
    return kind == "depthwise" and then.outputs == layer.outputs and layer.pixels >= then.pixels


def _reads(layer: Layer, kind: str, deep: Layer) -> bool:
    """Is this a pointwise layer of as many inputs and pixels as the depthwise one before has outputs?"""
    return kind == "dense" and (layer.inputs, layer.pixels) == (deep.outputs, deep.pixels)


def _layer(module: nn.Module, work: LayerWork) -> Layer:
    if isinstance(module, nn.Linear):
        inputs, outputs = module.in_features, module.out_features
    else:
        assert isinstance(module, nn.Conv2d), "of what is counted, the rest is pooling"
        if module.groups != 1 and work.kind != "depthwise":
            raise UsageError(
                f"{work.name}: a convolution in {module.groups} groups of {module.in_channels} channels, for which no "
                "engine is built; one group, or one for each channel"
            )
        inputs = module.in_channels // module.groups * math.prod(module.kernel_size)
        outputs = module.out_channels
    return Layer(work.name, inputs, outputs, work.macs // (inputs * outputs), work.values, work.weights, work.bits)
