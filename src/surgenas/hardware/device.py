"""What the rest of the program knows of a device: its key, and that it measures networks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from torch import nn

from surgenas.core.catalog import look_up
from surgenas.core.progress import Progress
from surgenas.hardware import CATALOG
from surgenas.hardware.measurement import Measurement
from surgenas.hardware.timing import Protocol as TimingProtocol


@dataclass(frozen=True)
class Job:
    """A network to be measured. key identifies it in the store; build makes it (weights do not matter)."""

    key: str
    build: Callable[[], nn.Module]
    input_shape: tuple[int, int, int]


class Device(Protocol):
    """A place where networks run and are measured. `testing.check_device` tests this contract."""

    name: str

    @property
    def key(self) -> str:
        """Host fingerprint, runtime and version, precision, threads and batch: what a latency is valid for."""

    def describe(self) -> dict[str, object]:
        """For people and for config.json."""

    def calibrate(self, job: Job) -> tuple[str, float]:
        """(name, latency in ms) of the reference network nearest to a typical job; to be given to `measure`."""

    def measure(
        self,
        jobs: Sequence[Job],
        *,
        reference: tuple[str, float] | None = None,
        protocol: TimingProtocol = TimingProtocol(),  # noqa: B008  a frozen value
        seed: int = 0,
        reuse: bool = False,
        progress: Progress = Progress(),  # noqa: B008  stateless
    ) -> list[Measurement]:
        """Measure all jobs in interleaved campaigns. reuse: accept what the store knows (grade C or better)."""

    def layer_shares(self, job: Job) -> dict[str, float]:
        """Share of the latency by module path of the network, from a profiled run; sums to 1."""


def make_device(name: str) -> Device:
    """The device behind a catalogued name or a "package.module:factory" path."""
    return look_up("device", name, CATALOG)()
