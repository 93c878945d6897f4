"""How long would a network take if each layer were held up by arithmetic or by memory alone (a roofline)?

After Williams, Waterman and Patterson, Roofline (2009). The peak numbers are the target file's; nothing runs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field, FiniteFloat

from surgenas.core.cost import Cost, Effort, Estimate, Failure, Unit
from surgenas.core.errors import SurgenasError
from surgenas.core.progress import Progress
from surgenas.hardware.estimated.counted import count_layers, price_each
from surgenas.hardware.target import Job, TargetInfo
from surgenas.nn.cost import LayerWork

VERSION = "1"
BYTES = {"fp32": 4, "int8": 1}
"""Of one value, by precision."""
ASSUMPTIONS = (
    "Every layer waits for the one before it.",
    "A layer takes the longer of its arithmetic and its memory traffic, and a fixed overhead.",
    "Nothing stays in a cache between layers.",
    "Activations, normalizations and additions cost nothing.",
)

Positive = Annotated[FiniteFloat, Field(gt=0)]
Share = Annotated[float, Field(gt=0, le=1)]


@dataclass(frozen=True)
class RooflineTarget:
    """A processor that is a few numbers: a layer takes max(MACs / (peak x utilisation), bytes / bandwidth) + overhead.

    peak_gmacs: 1e9 multiply-accumulates a second in the precision. bandwidth_gbs: 1e9 bytes a second from memory.
    overhead_us: of each layer. utilisation: the share of the peak that a kind of layer reaches; pooling has no MACs.
    Costs are of one run of `batch` images, as latencies are everywhere.
    """

    name: str
    peak_gmacs: Positive
    bandwidth_gbs: Positive
    overhead_us: Annotated[FiniteFloat, Field(ge=0)] = 0.0
    dense_utilisation: Share = 1.0
    depthwise_utilisation: Share = 1.0
    batch: Annotated[int, Field(ge=1, le=4096)] = 1
    precision: Literal["fp32", "int8"] = "fp32"

    @property
    def units(self) -> tuple[Unit, ...]:
        return ("ms", "bytes", "macs")

    @property
    def key(self) -> str:
        return (
            f"roofline-{VERSION}/peak={self.peak_gmacs:g}/bandwidth={self.bandwidth_gbs:g}/"
            f"overhead={self.overhead_us:g}/dense={self.dense_utilisation:g}/depthwise={self.depthwise_utilisation:g}/"
            f"{self.precision}/batch={self.batch}"
        )

    def describe(self) -> TargetInfo:
        return TargetInfo(
            self.name, self.key, "estimated", f"roofline {VERSION}",
            f"{self.peak_gmacs:g} GMAC/s and {self.bandwidth_gbs:g} GB/s on paper", self.precision, batch=self.batch,
            notes=ASSUMPTIONS,
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

    def layer_ms(self, work: LayerWork) -> float:
        """Milliseconds of one layer for the whole batch."""
        arithmetic_ms = self.batch * work.macs / (self.peak_gmacs * 1e6 * self._utilisation(work))
        memory_ms = self.layer_bytes(work) / (self.bandwidth_gbs * 1e6)
        return max(arithmetic_ms, memory_ms) + self.overhead_us * 1e-3

    def layer_bytes(self, work: LayerWork) -> int:
        """The bytes that a layer moves: the values of each image, and the weights once."""
        return BYTES[self.precision] * (self.batch * work.values + work.weights)

    def _utilisation(self, work: LayerWork) -> float:
        return self.depthwise_utilisation if work.kind == "depthwise" else self.dense_utilisation

    def _price(self, job: Job) -> Cost | Failure:
        try:
            _, works = count_layers(job, "roofline")
        except SurgenasError as error:
            return Failure(job.key, error)
        layers = tuple((work.name, self.layer_ms(work)) for work in works)
        values = {
            "ms": sum(ms for _, ms in layers),
            "bytes": float(sum(map(self.layer_bytes, works))),
            "macs": float(self.batch * sum(work.macs for work in works)),
        }
        return Estimate(job.key, self.key, values, "roofline", VERSION, ASSUMPTIONS, layers)
