"""What does a published latency table say of an architecture? It knows one space, and each layer of it by itself.

The format of the file is that of `predictors.table`. Networks of other spaces, MobileNetV2 among them, have no price.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated

from pydantic import PlainValidator

from surgenas.core import moves
from surgenas.core.architecture import Architecture
from surgenas.core.cost import Cost, Effort, Estimate, Failure, Unit
from surgenas.core.errors import SurgenasError, UsageError
from surgenas.core.progress import Progress
from surgenas.core.space import Space
from surgenas.hardware.target import Job, TargetInfo
from surgenas.predictors.table import LatencyTable, parse_latency_table, read_table_file
from surgenas.spaces import make_space

TOOL = "latency table"
ASSUMPTIONS = (
    "Every layer takes as long as it took where the table was made.",
    "A network takes as long as its layers together.",
)


def read_space_key(value: object) -> Space:
    """The space that a device file means by a name or a path, or by { name = "single_path", classes = 10 }."""
    settings = {"name": value} if isinstance(value, str) else value
    if not isinstance(settings, dict) or not isinstance(settings.get("name"), str):
        raise ValueError('expected "single_path", or { name = "single_path", classes = 10 } with settings')
    return make_space(settings["name"], {key: setting for key, setting in settings.items() if key != "name"})


@dataclass(frozen=True)
class TableTarget:
    """Milliseconds by layer and operator from the file `table`, for the architectures of one space.

    The file is read once, when the target is made.
    """

    name: str
    table: Path
    space: Annotated[Space, PlainValidator(read_space_key)]

    def __post_init__(self) -> None:
        assert self._latencies, "read now: what is wrong with the file is said before anything is priced"

    @property
    def units(self) -> tuple[Unit, ...]:
        return ("ms",)

    @property
    def key(self) -> str:
        return f"table/{self._sha}"

    def describe(self) -> TargetInfo:
        return TargetInfo(
            self.name, self.key, "estimated", TOOL, f"as {self.table.name} has it for {self.space.name}",
            precision="unknown", notes=ASSUMPTIONS,
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
        return [self._price(job) for job in jobs]

    def _price(self, job: Job) -> Cost | Failure:
        try:
            rows = self._rows(self._known(job))
        except SurgenasError as error:
            return Failure(job.key, error)
        return Estimate(job.key, self.key, {"ms": sum(ms for _, ms in rows)}, TOOL, self._sha, ASSUMPTIONS, rows)

    def _known(self, job: Job) -> Architecture:
        """The job's architecture, if the table knows its space; the same one for all that are the same network."""
        if job.arch is None:
            raise UsageError(f"{job.key}: a latency table knows architectures of {self.space.name}, not this network")
        if job.arch.space != self.space.spec:
            raise UsageError(f"a latency table of {self.space.spec} does not know a network of {job.arch.space}")
        return self.space.canonical(self.space.check(job.arch))

    def _rows(self, arch: Architecture) -> tuple[tuple[str, float], ...]:
        table, path = self._latencies, moves.path_of(self.space, arch)
        layers = [(choice.name, row[k]) for choice, row, k in zip(self.space.rows, table.rows, path, strict=True)]
        return (*layers, ("everything else", table.fixed_ms))

    @cached_property
    def _content(self) -> bytes:
        return read_table_file(self.table)

    @cached_property
    def _sha(self) -> str:
        return hashlib.sha256(self._content).hexdigest()[:16]

    @cached_property
    def _latencies(self) -> LatencyTable:
        return parse_latency_table(self.space, self._content, self.table)
