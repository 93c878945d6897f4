"""A target from outside: a microcontroller that takes a fixed number of cycles for each multiply-accumulate.

One class is all that surgenas needs of it; docs/how_to/add_a_target.md says why each part is there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from surgenas.core.cost import Cost, Effort, Estimate, Failure
from surgenas.core.errors import SurgenasError
from surgenas.core.progress import Progress
from surgenas.hardware.target import Job, TargetInfo
from surgenas.nn.cost import count

ASSUMPTIONS = ("Every multiply-accumulate takes the same number of cycles.", "Nothing else takes any.")


@dataclass(frozen=True)
class Microcontroller:
    """Its fields are the keys of a device file; with defaults it can also be asked for by its path alone."""

    name: str = "my_target"
    mhz: float = 100.0
    cycles_per_mac: float = 2.0

    @property
    def units(self) -> tuple[str, ...]:
        return ("ms", "cycles")

    @property
    def key(self) -> str:
        return f"my-microcontroller-1/mhz={self.mhz:g}/cycles_per_mac={self.cycles_per_mac:g}"

    def describe(self) -> TargetInfo:
        return TargetInfo(
            self.name, self.key, "estimated", "cycles by MACs", f"{self.mhz:g} MHz", "int8", notes=ASSUMPTIONS
        )

    def price(
        self,
        jobs: Sequence[Job],
        effort: Effort = Effort.LEARN,
        *,
        seed: int = 0,
        reuse: bool = False,
        progress: Progress = Progress(),  # noqa: B008  stateless
    ) -> list[Cost | Failure]:
        return [self._price(job) for job in jobs]

    def _price(self, job: Job) -> Cost | Failure:
        try:
            macs, _ = count(job.module, job.input_shape)
        except SurgenasError as error:  # an ONNX file has no module
            return Failure(job.key, error)
        cycles = self.cycles_per_mac * macs
        values = {"ms": cycles / (self.mhz * 1e3), "cycles": cycles}
        return Estimate(job.key, self.key, values, tool="cycles by MACs", version="1", assumptions=ASSUMPTIONS)
