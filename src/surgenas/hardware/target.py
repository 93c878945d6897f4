"""What costs are asked of: a device that is timed, a table, a formula, a compiler's estimate. One contract for all.

`testing.check_target` tests it. Nobody outside `hardware.timed` needs to know how a latency is measured: how sure it
has to be is an Effort.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from surgenas.core.architecture import Architecture
from surgenas.core.cost import Cost, Effort, Evidence, Failure, Unit
from surgenas.core.errors import UsageError
from surgenas.core.progress import Progress
from surgenas.core.record import Record
from surgenas.hardware.runtimes import Images

if TYPE_CHECKING:  # a store is opened by processes that need no network
    from torch import nn

Scale = tuple[str, float]
"""The name of a reference network, and the milliseconds that it is taken to need: what ratios are multiplied by."""


@dataclass(frozen=True)
class Known:
    """The milliseconds that a reference takes in the machine's fastest state, and the relative doubt of it."""

    ms: float
    doubt: float


@dataclass(frozen=True)
class Job:
    """A network whose cost is asked for. key identifies it in the store; build makes it (weights do not matter).

    input_shape: (C, H, W). model: ONNX bytes for a batch size, of a network that only exists as a file; layout, dtype:
    the order of the axes and the type of the images that it takes. images: (N, C, H, W), normalised, to quantize it
    with; without them, random ones. arch: what it is built from, if that is known: tables look it up. notes: what a
    reader of its cost must know, as parts of sentences.
    files: by suffix, what a device of their format has handed on: they are run as they are.
    """

    key: str
    build: Callable[[], nn.Module] | None
    input_shape: tuple[int, int, int]
    model: Callable[[int], bytes] | None = None
    images: Callable[[], Images] | None = None
    arch: Architecture | None = None
    files: Callable[[], Mapping[str, bytes]] | None = None
    layout: str = "NCHW"
    dtype: str = "float32"
    notes: tuple[str, ...] = ()

    def batch_shape(self, batch: int) -> tuple[int, ...]:
        """The shape of so many images in the order of the axes that the network takes."""
        sizes = dict(zip("NCHW", (batch, *self.input_shape), strict=True))
        return tuple(sizes[axis] for axis in self.layout)

    @property
    def module(self) -> nn.Module:
        """The network, in eval mode; raises UsageError if it only exists as a file."""
        if self.build is None:
            raise UsageError(f"{self.key} is an ONNX file: there is no PyTorch network to look into")
        return self.build().eval()


@dataclass(frozen=True)
class TargetInfo(Record):
    """A target for people and for config.json. key: what its costs are valid for. notes: what it takes for granted."""

    name: str
    key: str
    evidence: Evidence
    runtime: str
    processor: str
    precision: str = "fp32"
    threads: int = 1
    batch: int = 1
    notes: tuple[str, ...] = ()


@runtime_checkable
class Target(Protocol):
    """Every source of costs. units: what its costs count, "ms" first."""

    @property
    def name(self) -> str:
        """The name by which the user asked for the device."""

    @property
    def key(self) -> str:
        """What its costs are valid for: host, runtime and version, precision, threads, batch; or a tool and its
        configuration."""

    @property
    def units(self) -> tuple[Unit, ...]: ...

    def describe(self) -> TargetInfo: ...

    def price(
        self,
        jobs: Sequence[Job],
        effort: Effort = Effort.LEARN,
        *,
        seed: int = 0,
        reuse: bool = False,
        progress: Progress = Progress(),  # noqa: B008  stateless
    ) -> list[Cost | Failure]:
        """The costs of all jobs, in their order. A network that fails does not take the others with it. reuse: accept
        what is known from before, if it is good enough to learn from. Raises EnvironmentFault for a full disk and the
        like."""


@runtime_checkable
class TimedTarget(Target, Protocol):
    """A device on which networks run."""

    def calibrate(self, job: Job) -> Scale:
        """The reference network nearest to a typical job, and its milliseconds now."""

    def known(self, reference: str) -> Known | None:
        """What the named reference takes, by all looks at it until now; None without any."""

    def on_scale(self, scale: Scale) -> TimedTarget:
        """The same device, all of whose milliseconds are multiples of this reference's."""

    def layer_shares(self, job: Job) -> dict[str, float]:
        """Each layer's share of the latency by its module path, from a profiled run; they sum to 1.

        Raises UsageError where the runtime cannot tell.
        """

    def logits(self, job: Job, images: Images) -> Images:
        """What the network answers there to images (N, C, H, W): (N, classes). Raises UsageError where that cannot be
        asked."""


@runtime_checkable
class Deliverer(Target, Protocol):
    """A target that hands on files for whoever deploys a network, and can say what these compute."""

    def logits(self, job: Job, images: Images) -> Images:
        """What the network answers there to images (N, C, H, W): (N, classes)."""

    @property
    def suffixes(self) -> tuple[str, ...]:
        """Of its files, the one that is opened first."""

    @property
    def runs_open_onnx(self) -> bool:
        """Whether it runs an ONNX file of open batch size as it is, so that nothing else needs to be handed on."""

    def deliver(self, job: Job) -> dict[str, bytes]:
        """The files of a converted network by suffix; as `Job.files` they are measured as they are.

        Raises DataError for a network that cannot be converted, EnvironmentFault for a converter that is not installed.
        """


def all_costs(found: Sequence[Cost | Failure]) -> list[Cost]:
    """The costs, if there is one for every job; else raises the first failure's error."""
    costs: list[Cost] = []
    for cost in found:
        if isinstance(cost, Failure):
            raise cost.error
        costs.append(cost)
    return costs
