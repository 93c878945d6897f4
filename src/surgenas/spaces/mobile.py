"""Chains of MBConv blocks that choose kernel and expansion in every layer, or skip it (docs/methods/surgenas.md, 1)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from itertools import islice
from typing import Any, ClassVar, NamedTuple

import numpy as np
import torch
from timm.layers import make_divisible
from torch import nn

from surgenas.core import moves
from surgenas.core.architecture import Architecture, Setting, SpaceSpec
from surgenas.core.errors import UsageError
from surgenas.core.space import Choice, CostTable, Floats, Space
from surgenas.core.topology import block_degree, bottleneck_mass
from surgenas.nn.blocks import classifier, conv_bn_act, mbconv, shortcut, skip
from surgenas.nn.chain import ChainNetwork
from surgenas.nn.supernet import ChoiceBlock, ChoiceSupernet
from surgenas.spaces.chain import SKIP, move_skips_last
from surgenas.spaces.costs import chain_costs
from surgenas.spaces.layouts import LAYOUTS, Layout, Stage


class Operator(NamedTuple):
    """An MBConv: the depthwise kernel, the expansion, and SE's share of the block's input channels (0: no SE)."""

    kernel: int
    expand: int
    squeeze: float = 0.0


OPERATORS = {f"k{kernel}e{expand}": Operator(kernel, expand) for kernel in (3, 5, 7) for expand in (3, 6)}
KNOBS = ("width", "resolution", "depth")
"""The settings that `Mobile.scaled` can change."""


@dataclass(frozen=True)
class Slot:
    """The place of a layer in a layout, whatever operator fills it. size: height and width of its input."""

    name: str
    cin: int
    cout: int
    stride: int
    size: int

    @property
    def is_identity(self) -> bool:
        """Whether a skipped layer here is the identity, which costs nothing."""
        return self.stride == 1 and self.cin == self.cout


class Mobile(Space):
    """Chains of MBConv blocks in a layout.

    layout: a name in LAYOUTS. resolution: input height and width; 0 takes the layout's own. width: multiplies all
    channels. depth: multiplies the layers of each stage. classes: number of classes. dropout: before the classifier.
    """

    name = "mobile"
    knobs = KNOBS
    operators: ClassVar[dict[str, Operator]] = OPERATORS

    def __init__(
        self,
        *,
        layout: str = "proxyless",
        resolution: int = 0,
        width: float = 1.0,
        depth: float = 1.0,
        classes: int = 1000,
        dropout: float = 0.2,
    ) -> None:
        if layout not in LAYOUTS:
            raise UsageError(f"unknown layout {layout!r}; one of {', '.join(LAYOUTS)}")
        resolution = resolution or LAYOUTS[layout].resolution
        for what, value, least, most in (
            ("resolution", resolution, 8, 2048),
            ("width", width, 0.05, 16),
            ("depth", depth, 0.05, 16),
            ("classes", classes, 2, 1_000_000),
            ("dropout", dropout, 0, 0.95),
        ):
            if not isinstance(value, (int, float)) or not least <= value <= most:
                raise UsageError(f"{what} {value!r}: expected a number from {least} to {most}")
            if what in ("resolution", "classes") and value != int(value):
                raise UsageError(f"{what} {value!r}: expected a whole number")
        self.layout_name, self.layout = layout, _scale_layout(LAYOUTS[layout], width, depth)
        self.resolution, self.width, self.depth = int(resolution), float(width), float(depth)
        self.classes, self.dropout = int(classes), dropout

    @property
    def settings(self) -> dict[str, Setting]:
        return {
            "layout": self.layout_name,
            "resolution": self.resolution,
            "width": self.width,
            **({"depth": self.depth} if self.depth != 1 else {}),  # files from before it was a setting stay valid
            "classes": self.classes,
            "dropout": self.dropout,
        }

    @property
    def input_shape(self) -> tuple[int, int, int]:
        return (3, self.resolution, self.resolution)

    @cached_property
    def slots(self) -> tuple[Slot, ...]:
        """The searchable layers, in order."""
        return tuple(_slots(self.layout, self.resolution))

    @cached_property
    def choices(self) -> tuple[Choice, ...]:
        return tuple(Choice(slot.name, self.options(slot)) for slot in self.slots)

    def options(self, slot: Slot) -> tuple[str, ...]:
        """The options of the choice for one layer."""
        return (*self.operators, SKIP)

    def columns(self, slot: Slot) -> tuple[str, ...]:
        """The operators that the cost table counts for a layer: equally many in each, the layer's options first."""
        return (*self.operators, SKIP)

    def build(self, arch: Architecture) -> ChainNetwork:
        genes = self.check(arch).genes
        layers = [self._operator(gene, slot, affine=True) for gene, slot in zip(genes, self.slots, strict=True)]
        return ChainNetwork(self._stem(affine=True), layers, self._head(affine=True))

    def parts(self, arch: Architecture) -> list[tuple[str, nn.Module]]:
        return self.build(arch).parts([choice.name for choice in self.choices])

    def supernet(self) -> nn.Module:
        layers = [
            ChoiceBlock(
                [self._operator(gene, slot, affine=False) for gene in self.options(slot)],
                shortcut(slot.cin, slot.cout, stride=slot.stride),
            )
            for slot in self.slots
        ]
        return ChoiceSupernet(self._stem(affine=False), layers, self._head(affine=False))

    def canonical(self, arch: Architecture) -> Architecture:
        return Architecture(arch.space, move_skips_last(arch.genes, self._keeps_shape))

    @cached_property
    def _keeps_shape(self) -> list[bool]:
        return [slot.is_identity for slot in self.slots]

    def costs(self) -> CostTable:
        return _costs(type(self), self.spec)

    def indices(self, archs: Sequence[Architecture]) -> dict[str, Floats]:
        """Sums over the layers that are not skipped; what no choice touches is not counted."""
        code_NLK = moves.encode(self, archs)
        return {name: (code_NLK * table_LK).sum((1, 2)) for name, table_LK in self._numbers.items()}

    @cached_property
    def _numbers(self) -> dict[str, Floats]:
        """Topology numbers (L, K) of every operator in every layer."""
        mass, degree = np.zeros((2, *self.offered.shape))
        for row, slot in enumerate(self.slots):
            for k, gene in enumerate(self.options(slot)):
                if gene != SKIP:
                    hidden = slot.cin * self.operators[gene].expand
                    mass[row, k] = bottleneck_mass(slot.cin, hidden) if slot.is_identity else 0.0
                    degree[row, k] = block_degree(slot.cin, hidden, slot.cout, slot.is_identity)
        return {"mass": mass, "degree": degree}

    def scaled(self, arch: Architecture, knob: str, scale: float) -> Architecture:
        """The architecture with the same operators in a space that is larger or smaller by a factor `scale`.

        knob: "width" or "depth", which multiply this space's own, or "resolution", rounded to multiples of 8. A stage
        that grows in depth repeats its last operator. Raises UsageError for another knob.
        """
        settings = dict(self.check(arch).space.settings)
        if knob == "width":
            settings["width"] = self.width * scale
        elif knob == "depth":
            settings["depth"] = self.depth * scale
        elif knob == "resolution":
            settings["resolution"] = max(8, 8 * round(self.resolution * scale / 8))
        else:
            raise UsageError(f"unknown knob {knob!r}; one of {', '.join(KNOBS)}")
        space = type(self)(**settings)  # type: ignore[arg-type]
        genes, taken = iter(arch.genes), []
        for old, new in zip(self.layout.stages, space.layout.stages, strict=True):
            stage = list(islice(genes, old.repeats))
            taken += (stage + new.repeats * stage[-1:])[: new.repeats]
        return space.architecture(tuple(taken))

    @property
    def shape(self) -> tuple[int, ...]:
        """Resolution and all widths after rounding: spaces of equal shape have the same networks."""
        layout = self.layout
        widths = (stage.width for stage in layout.stages)
        return (self.resolution, layout.stem, layout.fixed, layout.head, layout.tail, *widths)

    def count_costs(self) -> CostTable:
        """The cost table, counted anew, which takes about a second."""
        with torch.device("meta"):
            alike = {(self.columns(slot), replace(slot, name="")): slot for slot in self.slots}
            operators = {
                key: [self._operator(gene, slot, affine=True) for gene in key[0]] for key, slot in alike.items()
            }
            stem, head = self._stem(affine=True), self._head(affine=True)
        layers = [operators[self.columns(slot), replace(slot, name="")] for slot in self.slots]
        return chain_costs(list(stem), layers, [head], self.input_shape)

    def _stem(self, *, affine: bool) -> nn.Sequential:
        layout, act = self.layout, self.layout.act
        stem = [conv_bn_act(3, layout.stem, kernel=3, stride=2, affine=affine, act=act)]
        if layout.fixed:
            stem.append(mbconv(layout.stem, layout.fixed, kernel=3, expand=1, stride=1, affine=affine, act=act))
        return nn.Sequential(*stem)

    def _operator(self, gene: str, slot: Slot, *, affine: bool) -> nn.Module:
        if gene == SKIP:
            return skip(slot.cin, slot.cout, stride=slot.stride, affine=affine)
        return self._mbconv(self.operators[gene], slot, affine=affine)

    def _mbconv(self, operator: Operator, slot: Slot, *, affine: bool) -> nn.Module:
        quarter = max(1, slot.cin // 4)
        return mbconv(
            slot.cin, slot.cout, kernel=operator.kernel, expand=operator.expand, stride=slot.stride, affine=affine,
            act=self.layout.act, squeeze=round(4 * operator.squeeze) * quarter,
        )  # fmt: skip

    def _head(self, *, affine: bool) -> nn.Module:
        layout, last = self.layout, self.slots[-1].cout
        fixed = []
        if layout.tail:
            fixed.append(mbconv(last, layout.tail, kernel=3, expand=6, stride=1, affine=affine, act=layout.act))
        head = classifier(
            layout.tail or last, layout.head, layout.hidden, self.classes, dropout=self.dropout, affine=affine,
            act=layout.act,
        )  # fmt: skip
        return nn.Sequential(*fixed, head) if fixed else head


def _scale_layout(layout: Layout, width: float, depth: float) -> Layout:
    """The layout with its repeats multiplied by depth and its channels by width, rounded to multiples of 8.

    As in MobileNetV2 the head never shrinks at 224 px; for small images, where it would dominate, it does.
    """
    stages = tuple(
        Stage(make_divisible(s.width * width, 8), max(1, round(s.repeats * depth)), s.stride) for s in layout.stages
    )
    head = layout.head * width
    if layout.resolution >= 224:
        head = max(layout.head, head)
    return Layout(
        stem=make_divisible(layout.stem * width, 8),
        fixed=make_divisible(layout.fixed * width, 8) if layout.fixed else 0,
        stages=stages,
        head=make_divisible(head, 8),
        tail=make_divisible(layout.tail * width, 8) if layout.tail else 0,
        relu6=layout.relu6,
        hidden=layout.hidden,
        resolution=layout.resolution,
    )


def _slots(layout: Layout, resolution: int) -> Iterator[Slot]:
    cin, size = layout.fixed or layout.stem, _halve(resolution, 2)
    for s, stage in enumerate(layout.stages, start=1):
        for r in range(stage.repeats):
            stride = stage.stride if r == 0 else 1
            yield Slot(f"stage{s}.layer{r + 1}", cin, stage.width, stride, size)
            cin, size = stage.width, _halve(size, stride)


def _halve(size: int, stride: int) -> int:
    return -(-size // stride)


@lru_cache(maxsize=32)
def _costs(kind: type[Mobile], spec: SpaceSpec) -> CostTable:
    """The cost table of all spaces of a kind that have these settings."""
    made: Any = kind  # its settings are what it says of itself
    found: CostTable = made(**dict(spec.settings)).count_costs()
    return found
