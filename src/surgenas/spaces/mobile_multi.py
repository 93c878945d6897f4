"""Chains of MBConv blocks that choose several things in every layer: kernel, expansion, Squeeze-and-Excitation and
activation, and in every stage its width (docs/methods/fp_nas.md, 5)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cached_property, lru_cache
from typing import Any

import torch
from torch import nn

from surgenas.core import moves
from surgenas.core.architecture import Architecture, Setting
from surgenas.core.errors import UsageError
from surgenas.nn.blocks import mbconv
from surgenas.nn.chain import ChainNetwork
from surgenas.nn.either import Either
from surgenas.nn.elastic import Structure, checked, trace
from surgenas.spaces.elastic_space import Decision, ElasticSpace, spread
from surgenas.spaces.layouts import LAYOUTS
from surgenas.spaces.mobile import Mobile, Slot

KERNELS, EXPANSIONS = (3, 5, 7), (3, 6)
ACTIVATIONS = ("relu", "hard-swish")
VARIABLES = ("kernel", "expansion", "excitation", "activation")
"""What is chosen in every layer, in this order."""


class MobileMulti(ElasticSpace):
    """Chains of MBConv blocks in a layout, all parts of one that has the largest of everything.

    layout: a name in LAYOUTS. resolution: input height and width; 0 takes the layout's own. classes: number of classes.
    widths: how many widths each stage offers, from half of the layout's up; 1 for the layout's alone.
    """

    name = "mobile_multi"

    def __init__(self, *, layout: str = "small", resolution: int = 0, classes: int = 1000, widths: int = 1) -> None:
        if layout not in LAYOUTS:
            raise UsageError(f"unknown layout {layout!r}; one of {', '.join(LAYOUTS)}")
        super().__init__(classes=classes, resolution=resolution or LAYOUTS[layout].resolution)
        self.layout = layout
        self.widths = self.whole_number("widths", widths, 1, 64)

    @property
    def settings(self) -> dict[str, Setting]:
        return {**super().settings, "layout": self.layout, "widths": self.widths}

    @cached_property
    def _plain(self) -> Mobile:
        """The space of the same layout that chooses one thing a layer."""
        return Mobile(layout=self.layout, resolution=self.resolution, classes=self.classes)

    # --- what can be chosen

    @property
    def traced(self) -> tuple[nn.Module, Structure]:
        return _traced(self.layout, self.resolution, self.classes)

    @cached_property
    def decisions(self) -> tuple[Decision, ...]:
        return tuple(decision for part in self._parts for decision in part)

    def layers(self) -> tuple[tuple[int, ...], ...]:
        """The rows of a code that are one layer's, or one stage's width."""
        rows = iter(range(len(self.choices)))
        return tuple(tuple(next(rows) for _ in part) for part in self._parts)

    @cached_property
    def _parts(self) -> tuple[tuple[Decision, ...], ...]:
        """The decisions of each stage's width and of each layer, together where they are of one."""
        made_by = {writer: group for group in self.structure.groups for writer in group.writers}
        found: list[tuple[Decision, ...]] = []
        for layer, slot in enumerate(self._plain.slots):
            stage, _, number = slot.name.partition(".")
            if number == "layer1" and self.widths > 1:
                group = made_by[f"layers.{layer}.conv_pwl.weight"]
                half = tuple(width for width in group.widths if 2 * width >= group.size)
                found.append((Decision("width", group.name, spread(half, self.widths), f"{stage}.width"),))
            found.append(tuple(_of_layer(layer, slot, made_by[f"layers.{layer}.conv_pw.weight"].name)))
        return tuple(found)

    # --- networks

    def whole(self) -> ChainNetwork:
        """The largest network, freshly initialised."""
        plain = self._plain
        network = plain.build(moves.uniform_architecture(plain, "k3e3"))
        network.layers = nn.Sequential(*(_largest(slot, plain.layout.act) for slot in plain.slots))
        return network

    def parts(self, arch: Architecture) -> list[tuple[str, nn.Module]]:
        """A freshly built network as a chain of named modules."""
        network = self.build(arch)
        assert isinstance(network, ChainNetwork), "what is cut from one is one"
        return network.parts([slot.name for slot in self._plain.slots])


def _of_layer(layer: int, slot: Slot, hidden: str) -> Iterator[Decision]:
    """What is decided in a layer. hidden: name of the group of its expanded channels."""
    kernel, expansion, excitation, activation = (f"{slot.name}.{variable}" for variable in VARIABLES)
    channels = tuple(e * slot.cin for e in EXPANSIONS)
    yield Decision("kernel", f"layers.{layer}.conv_dw", KERNELS, kernel)
    yield Decision("width", hidden, channels, expansion, tuple(map(str, EXPANSIONS)))
    yield Decision("block", f"layers.{layer}.se", (0, 1), excitation)
    yield Decision("kind", f"layers.{layer}.bn1.act", (0, 1), activation, ACTIVATIONS)


def _largest(slot: Slot, act: type[nn.Module]) -> nn.Module:
    """The block of the largest kernel and expansion, with Squeeze-and-Excitation, that can have either activation."""
    block: Any = mbconv(
        slot.cin, slot.cout, kernel=KERNELS[-1], expand=EXPANSIONS[-1], stride=slot.stride, affine=True,
        squeeze=max(1, slot.cin // 4),
    )  # fmt: skip
    either = Either([act(), nn.Hardswish()], kind=1)
    block.bn1.act = block.bn2.act = either
    made: nn.Module = block
    return made


@lru_cache(maxsize=8)
def _traced(layout: str, resolution: int, classes: int) -> tuple[nn.Module, Structure]:
    """The largest network with weights of no meaning, and what of it can be smaller. torch's random state stays."""
    space = MobileMulti(layout=layout, resolution=resolution, classes=classes)
    with torch.random.fork_rng(devices=[]), torch.device("cpu"):
        torch.manual_seed(0)
        network = space.whole().eval()
        example = torch.randn(2, *space.input_shape)
        found = trace(network, example)
        layers = range(len(network.layers))
        parts = replace(
            found, blocks=tuple(f"layers.{layer}.se" for layer in layers),
            kinds={f"layers.{layer}.bn1.act": len(ACTIVATIONS) for layer in layers},
        )  # fmt: skip
        return network, checked(network, parts, example)
