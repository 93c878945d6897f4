"""How fast could a board run a network, if the accelerator on it were made for this network? A model, for FPGAs.

The templates are our reading of the group's public accelerator and of three engines in a row; which one HAO uses is not
known (docs/methods/hao.md). An integer programme finds the sizes of the engines.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import Annotated, Literal

import numpy as np
from pydantic import Field, FiniteFloat

from surgenas.core.cost import Cost, Effort, Estimate, Failure, Unit
from surgenas.core.errors import SurgenasError, UsageError
from surgenas.core.programme import Array, Infeasible
from surgenas.core.progress import Progress
from surgenas.hardware.estimated.counted import count_layers, price_each
from surgenas.hardware.estimated.engines import Engine, Together, cheapest_engines, cycles_of
from surgenas.hardware.estimated.stages import Layer, Stage, stages_of
from surgenas.hardware.target import Job, TargetInfo

TOOL, VERSION = "accelerator model", "2"
RESOURCES = ("multipliers", "DSP", "LUT", "BRAM36")
PORT_BITS, BLOCK_BITS = 72, 36 * 1024
"""What one memory block of an FPGA hands out in a cycle, and holds."""
ASSUMPTIONS = (
    "Latency and resources are modelled; the accelerator is sized for this one network, and was never built.",
    "Every engine takes one step a cycle, and waits for nothing but, where a bandwidth is given, the memory.",
    "Dense convolutions over several pixels run as pointwise ones with as many more inputs.",
    "Pooling, activations, normalizations and additions cost nothing.",
)

Count = Annotated[int, Field(ge=1)]
Number = Annotated[FiniteFloat, Field(ge=0)]
Sizes = tuple[int, ...]


@dataclass(frozen=True)
class AcceleratorTarget:
    """A board, and a template of an accelerator that is sized anew for each network. Costs are of one image.

    dsp, lut, bram36: what the board has: multiplier blocks, look-up tables, memory blocks of 36 kbit. template:
    "fused", one pointwise engine that feeds a depthwise one and computes the second pointwise layer in a pass of its
    own; or "engines", three of them, which run at the same time ("max") or one after the other ("sum"). taps: products
    that a depthwise unit of the fused template adds up in a cycle. weight_bits, value_bits: of what engines take; a
    layer may have weights of fewer bits. packed_bits: weights of at most so many go through a multiplier two at a time;
    0 for never. dsp_per_multiplier, lut_per_multiplier: of the given bits. lines, pixels: how many rows of an image a
    depthwise unit keeps, and their length. bandwidth_gbs: 1e9 bytes a second from memory, 0 if it is never waited for.
    most: the largest size of a pointwise engine in either direction.
    """

    name: str
    dsp: Count
    lut: Count
    bram36: Count
    clock_mhz: Annotated[FiniteFloat, Field(gt=0)]
    template: Literal["fused", "engines"] = "fused"
    together: Together = "max"
    taps: Count = 9
    weight_bits: Annotated[int, Field(ge=1, le=32)] = 8
    value_bits: Annotated[int, Field(ge=1, le=32)] = 8
    dsp_per_multiplier: Number = 1.0
    lut_per_multiplier: Number = 0.0
    packed_bits: Annotated[int, Field(ge=0, le=16)] = 0
    lines: Count = 15
    pixels: Count = 224
    bandwidth_gbs: Number = 0.0
    most: Annotated[int, Field(ge=1, le=1024)] = 64

    @property
    def units(self) -> tuple[Unit, ...]:
        return ("ms", "cycles", *RESOURCES)

    @property
    def key(self) -> str:
        how = self.template if self.template == "fused" else f"engines-{self.together}"
        return (
            f"accelerator-{VERSION}/{how}/taps={self.taps}/board={self.dsp},{self.lut},{self.bram36}/"
            f"clock={self.clock_mhz:g}/bits={self.weight_bits},{self.value_bits},{self.packed_bits}/"
            f"multiplier={self.dsp_per_multiplier:g},{self.lut_per_multiplier:g}/lines={self.lines}x{self.pixels}/"
            f"bandwidth={self.bandwidth_gbs:g}/most={self.most}"
        )

    def describe(self) -> TargetInfo:
        return TargetInfo(
            self.name, self.key, "estimated", f"{TOOL} {VERSION}",
            f"a board of {self.dsp} DSPs at {self.clock_mhz:g} MHz on paper",
            precision=f"w{self.weight_bits}a{self.value_bits}", notes=ASSUMPTIONS,
        )  # fmt: skip

    def price(
        self,
        jobs: Sequence[Job],
        effort: Effort = Effort.LEARN,
        *,
        seed: int = 0,
        reuse: bool = False,
        progress: Progress = Progress(),  # noqa: B008  stateless
    ) -> list[Cost | Failure]:
        return price_each(jobs, self._price, progress)

    # --- engines and what they use

    def engines(self, stages: Sequence[Stage]) -> tuple[list[Engine], list[list[Sizes]]]:
        """The engines of the template with the cycles of these stages, and the sizes that each may have."""
        sides = [2**i for i in range(self.most.bit_length()) if 2**i <= self.most]
        pairs = list(product(sides, sides))
        if self.template == "fused":
            uses = [self._uses(inputs * units + self.taps * units, inputs * units, units) for inputs, units in pairs]
            cycles = [[self._fused(stage, *size) for stage in stages] for size in pairs]
            return [Engine("fused", np.array(uses), np.array(cycles, float))], [list(pairs)]
        wide = [(2**i,) for i in range(2 * self.most.bit_length() - 1) if 2**i <= 4 * self.most]
        made = []
        for name, sizes in (("expand", pairs), ("deep", wide), ("project", pairs)):
            uses = [self._uses(math.prod(size), math.prod(size), size[0] if name == "deep" else 0) for size in sizes]
            cycles = [[self._cycles(getattr(stage, name), name, size) for stage in stages] for size in sizes]
            made.append(Engine(name, np.array(uses), np.array(cycles, float)))
        return made, [list(pairs), list(wide), list(pairs)]

    def _uses(self, multipliers: int, weights: int, units: int) -> list[float]:
        """What RESOURCES count. weights: read in every cycle. units: of a depthwise engine; each keeps lines."""
        blocks = math.ceil(weights * self.weight_bits / PORT_BITS)
        blocks += math.ceil(units * self.lines * self.pixels * self.value_bits / BLOCK_BITS)
        return [multipliers, multipliers * self.dsp_per_multiplier, multipliers * self.lut_per_multiplier, blocks]

    def _fused(self, stage: Stage, inputs: int, units: int) -> float:
        """Cycles of a stage: a pass through both engines, and one through the pointwise engine alone."""
        first = self._pointwise(stage.expand, inputs, units)
        if stage.deep:
            steps = math.ceil(stage.deep.inputs / (self.taps * self._at_once(stage.deep)))
            first = max(first, math.ceil(stage.deep.outputs / units) * steps * stage.deep.pixels)
        return first + self._pointwise(stage.project, inputs, units)

    def _cycles(self, layer: Layer | None, name: str, size: Sizes) -> int:
        """Cycles of one of three engines; the depthwise one takes a product of each channel at a time."""
        if layer is None or name != "deep":
            return self._pointwise(layer, *size) if layer else 0
        return math.ceil(layer.outputs / size[0]) * math.ceil(layer.inputs / self._at_once(layer)) * layer.pixels

    def _pointwise(self, layer: Layer | None, inputs: int, outputs: int) -> int:
        """Cycles of an engine that multiplies so many inputs for so many outputs at a time."""
        if layer is None:
            return 0
        wide = inputs * self._at_once(layer)
        return math.ceil(layer.inputs / wide) * math.ceil(layer.outputs / outputs) * layer.pixels

    def _at_once(self, layer: Layer) -> int:
        """How many of a layer's weights go through a multiplier at a time. Raises UsageError for wider weights than the
        engines take."""
        if layer.bits > self.weight_bits:
            raise UsageError(f"{layer.name} has weights of {layer.bits} bits, {self.name} takes {self.weight_bits}")
        return 2 if (layer.bits or self.weight_bits) <= self.packed_bits else 1

    # --- prices

    def _waited(self, stages: Sequence[Stage]) -> Array:
        """Cycles in which memory moves what each stage needs, (S,)."""
        if not self.bandwidth_gbs:
            return np.zeros(len(stages))
        a_cycle = self.bandwidth_gbs * 1e9 / (self.clock_mhz * 1e6) * 8
        return np.array([math.ceil(sum(map(self._bits_moved, stage.layers)) / a_cycle) for stage in stages], float)

    def _bits_moved(self, layer: Layer) -> int:
        return layer.values * self.value_bits + layer.weights * (layer.bits or self.weight_bits)

    def _price(self, job: Job) -> Cost | Failure:
        try:
            stages = stages_of(*count_layers(job, TOOL))
            engines, sizes = self.engines(stages)
            budget = np.array([np.inf, self.dsp, self.lut, self.bram36])
            waited = self._waited(stages)
            chosen, cycles = cheapest_engines(engines, budget, self.together, waited)
        except SurgenasError as error:
            return Failure(job.key, error)
        except Infeasible as error:
            needed = ", ".join(f"{n:g} {name}" for name, n in zip(RESOURCES[1:], error.least[1:], strict=True))
            return Failure(
                job.key,
                UsageError(f"{self.name}: the board holds no such accelerator; the smallest needs {needed}, the board "
                           f"has {self.dsp}, {self.lut}, {self.bram36}"),
            )  # fmt: skip
        used = sum(engine.uses[size] for engine, size in zip(engines, chosen, strict=True))
        values = {"ms": cycles / (self.clock_mhz * 1e3), "cycles": cycles}
        values |= dict(zip(RESOURCES, map(float, used), strict=True))
        made = "; ".join(
            f"{engine.name} {' x '.join(map(str, options[size]))}"
            for engine, options, size in zip(engines, sizes, chosen, strict=True)
        )
        found = cycles_of(engines, chosen, self.together, waited) / (self.clock_mhz * 1e3)
        layers = tuple((stage.layers[-1].name, float(ms)) for stage, ms in zip(stages, found, strict=True))
        said = (*ASSUMPTIONS, f"Sized for this network: {made}, {values['multipliers']:g} multipliers.")
        return Estimate(job.key, self.key, values, TOOL, VERSION, said, layers)
