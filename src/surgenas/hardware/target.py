"""What the rest of the program knows of a device: its key, and that it measures networks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from torch import nn

from surgenas.core.errors import EnvironmentFault, SurgenasError, UsageError
from surgenas.core.progress import Progress
from surgenas.hardware.runtimes import Images
from surgenas.hardware.timed.link import DeviceGone
from surgenas.hardware.timed.measurement import Measurement
from surgenas.hardware.timed.timing import Protocol as TimingProtocol


@dataclass(frozen=True)
class Job:
    """A network to be measured. key identifies it in the store; build makes it (weights do not matter).

    model: ONNX bytes for a batch size, of a network that only exists as a file. images: (N, C, H, W), normalised, to
    quantize it with; without them, random ones.
    """

    key: str
    build: Callable[[], nn.Module] | None
    input_shape: tuple[int, int, int]
    model: Callable[[int], bytes] | None = None
    images: Callable[[], Images] | None = None

    @property
    def module(self) -> nn.Module:
        """The network, in eval mode; raises UsageError if it only exists as a file."""
        if self.build is None:
            raise UsageError(f"{self.key} is an ONNX file: there is no PyTorch network to look into")
        return self.build().eval()


class Device(Protocol):
    """A place where networks run and are measured. `testing.check_device` tests this contract."""

    @property
    def name(self) -> str:
        """What the user called it."""

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
        """Share of the latency by module path of the network, from a profiled run; sums to 1. Raises UsageError where
        the runtime cannot tell."""


def measure_each(device: Device, jobs: Sequence[Job], **how: Any) -> dict[str, Measurement | SurgenasError]:
    """By key: the measurement, or why there is none. One network that fails, or that takes its whole process down, does
    not take the others with it: they are measured again in smaller campaigns.

    how: as for `Device.measure`. Raises EnvironmentFault for a full disk and the like.
    """
    try:
        return dict(zip([job.key for job in jobs], device.measure(jobs, **how), strict=True))
    except EnvironmentFault:
        raise
    except DeviceGone as error:
        return dict.fromkeys((job.key for job in jobs), error)
    except SurgenasError as error:
        if len(jobs) == 1:
            return {jobs[0].key: error}
        middle = len(jobs) // 2
        return measure_each(device, jobs[:middle], **how) | measure_each(device, jobs[middle:], **how)
