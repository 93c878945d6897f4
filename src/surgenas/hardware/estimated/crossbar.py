"""What would a network cost where memory itself multiplies (crossbars)? Latency, energy and area as sums of counts.

How many crossbars a layer takes is a formula; what each count costs are the device file's coefficients. Nothing here
was measured, and nothing is of a real chip (docs/methods/flash.md, 5).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from typing import Annotated, ClassVar

from pydantic import ConfigDict, Field, FiniteFloat
from torch import nn

from surgenas.core.cost import AREA, ENERGY, Cost, Effort, Estimate, Failure, Unit
from surgenas.core.errors import SurgenasError, UsageError
from surgenas.core.progress import Progress
from surgenas.hardware.estimated.counted import count_layers, price_each
from surgenas.hardware.target import Job, TargetInfo
from surgenas.nn.cost import LayerWork

TOOL, VERSION = "crossbar model", "1"
ASSUMPTIONS = (
    "Latency, energy and area are modelled: sums of counts times the coefficients of the device file.",
    "Every layer has crossbars of its own, in which its weights stay; one column holds one bit of a weight.",
    "A convolution by groups takes the room of a full one, zeros included.",
    "Moved are the values that layers read and write, in as many bits as a weight has.",
    "Activations, normalizations and additions cost nothing.",
)

Count = Annotated[int, Field(ge=1)]
Share = Annotated[FiniteFloat, Field(ge=0)]


@dataclass(frozen=True)
class Rates:
    """What counts add to one kind of cost, never less than nothing: each 1e9 MACs, 1e6 weights, 1e6 bytes moved, and
    each crossbar."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    gmacs: Share = 0.0
    mweights: Share = 0.0
    mbytes: Share = 0.0
    crossbars: Share = 0.0

    def __call__(self, counts: Rates) -> float:
        return sum(rate * count for rate, count in zip(astuple(self), astuple(counts), strict=True))


@dataclass(frozen=True)
class CrossbarTarget:
    """A chip of crossbars that is a few numbers. Costs are of one image.

    rows, columns: of a crossbar, in cells. bits: of a weight, and of a value that is moved. latency_ms, energy_mj,
    area_mm2: what counts add to milliseconds, millijoules and square millimetres.
    """

    name: str
    latency_ms: Rates
    energy_mj: Rates
    area_mm2: Rates
    rows: Count = 128
    columns: Count = 128
    bits: Annotated[int, Field(ge=1, le=32)] = 8

    def __post_init__(self) -> None:
        if not any(astuple(self.latency_ms)):
            raise UsageError("latency_ms: every network would take 0 ms; one of its numbers must be above 0")

    @property
    def units(self) -> tuple[Unit, ...]:
        return ("ms", ENERGY, AREA, "crossbars")

    @property
    def key(self) -> str:
        rates = (("ms", self.latency_ms), (ENERGY, self.energy_mj), (AREA, self.area_mm2))
        told = (f"{unit}={','.join(f'{value:g}' for value in astuple(rate))}" for unit, rate in rates)
        return f"crossbar-{VERSION}/{self.rows}x{self.columns}/bits={self.bits}/{'/'.join(told)}"

    def describe(self) -> TargetInfo:
        return TargetInfo(
            self.name, self.key, "estimated", f"{TOOL} {VERSION}",
            f"crossbars of {self.rows} x {self.columns} cells on paper", precision=f"int{self.bits}", notes=ASSUMPTIONS,
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

    def crossbars(self, inputs: int, outputs: int) -> int:
        """How many crossbars hold a matrix of weights with so many inputs (K K Cin) and outputs (Cout)."""
        return math.ceil(inputs / self.rows) * math.ceil(outputs * self.bits / self.columns)

    def counts(self, network: nn.Module, work: LayerWork) -> Rates:
        """What a layer of a network counts, in the units of the rates."""
        moved = work.values * self.bits / 8
        return Rates(
            work.macs / 1e9, work.weights / 1e6, moved / 1e6, self._crossbars(network.get_submodule(work.name))
        )

    def _crossbars(self, layer: nn.Module) -> int:
        if isinstance(layer, nn.Conv2d):
            return self.crossbars(layer.in_channels * math.prod(layer.kernel_size), layer.out_channels)
        return self.crossbars(layer.in_features, layer.out_features) if isinstance(layer, nn.Linear) else 0

    def _price(self, job: Job) -> Cost | Failure:
        try:
            network, works = count_layers(job, TOOL)
        except SurgenasError as error:
            return Failure(job.key, error)
        counted = {work.name: self.counts(network, work) for work in works}
        values = {
            "ms": sum(map(self.latency_ms, counted.values())),
            ENERGY: sum(map(self.energy_mj, counted.values())),
            AREA: sum(map(self.area_mm2, counted.values())),
            "crossbars": float(sum(counts.crossbars for counts in counted.values())),
        }
        layers = tuple((name, self.latency_ms(counts)) for name, counts in counted.items())
        return Estimate(job.key, self.key, values, TOOL, VERSION, ASSUMPTIONS, layers)
