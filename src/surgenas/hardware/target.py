"""What does the rest of the program know of a device? It has a key, and it measures networks."""

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
    """A network that is to be measured.

    key: what identifies it in the store. build: makes the network, whose weights do not matter; None if it only exists
    as an ONNX file. input_shape: (C, H, W) of one image.

    model: gives the ONNX bytes of such a file for a batch size. images: gives normalised images (N, C, H, W) to
    quantize the network with; random ones are taken without.
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
        """The name by which the user asked for the device."""

    @property
    def key(self) -> str:
        """What a latency is valid for (docs/measurement.md, 1)."""

    def describe(self) -> dict[str, object]:
        """What the device is, as plain values for people and for config.json."""

    def calibrate(self, job: Job) -> tuple[str, float]:
        """(name, latency in ms) of the reference network that is nearest to a typical job, for `measure`."""

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
        """Measure networks in interleaved campaigns; one measurement for each job, in their order.

        reference: what `calibrate` gave; None takes the nearest for each group of like latency. reuse: accept what the
        store knows, at grade C or better. Raises a SurgenasError for a network that cannot be measured.
        """

    def layer_shares(self, job: Job) -> dict[str, float]:
        """Each layer's share of the latency by its module path, from a profiled run; they sum to 1.

        Raises UsageError where the runtime cannot tell.
        """


def measure_each(device: Device, jobs: Sequence[Job], **how: Any) -> dict[str, Measurement | SurgenasError]:
    """Measure networks so that one that fails does not fail the others; by key the measurement, or why there is none.

    If a campaign fails, its networks are measured again in two smaller ones. how: the keywords of `Device.measure`.
    Raises EnvironmentFault if the machine is at fault, as with a full disk.
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
