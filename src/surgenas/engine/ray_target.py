"""A device that another node of a Ray cluster has: whatever is asked of it is asked there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from importlib.metadata import version
from typing import Any

from surgenas.core.cost import Cost, Effort, Failure, Unit
from surgenas.core.errors import EnvironmentFault
from surgenas.core.progress import Progress
from surgenas.hardware.devices import make_target
from surgenas.hardware.runtimes import Images
from surgenas.hardware.target import Deliverer, Job, Known, Scale, Target, TargetInfo, TimedTarget

Ask = Callable[..., Any]
"""Calls a method of the device there: (its name, the scale or None, arguments) -> what it returns."""


@dataclass(frozen=True)
class Kind:
    """What does not change about a device. delivers: the suffixes of the files that it hands on, and whether it runs an
    open ONNX file as it is; None if it hands on none. timed: whether networks run on it."""

    timed: bool
    name: str
    key: str
    units: tuple[Unit, ...]
    info: TargetInfo
    delivers: tuple[tuple[str, ...], bool] | None


def check_version(expected: str) -> None:
    """On a node: raise EnvironmentFault if it has another version of surgenas."""
    if (found := version("surgenas")) != expected:
        raise EnvironmentFault(f"a node of the Ray cluster has surgenas {found}, this is {expected}; install the same")


def carried(job: Job, info: TargetInfo) -> Job:
    """The job as another node can do it: with contents where functions of this process would read its files or images.

    A network whose weights do not matter is built there. Images travel only to a device that quantizes with them.
    """
    quantized = info.precision == "int8" and not job.files
    trained = job.build if job.files or job.images else None
    return replace(
        job,
        build=_kept(trained()) if trained else job.build,
        model=_kept(job.model(info.batch)) if job.model else None,
        images=_kept(job.images()) if job.images and quantized else None,
        files=_kept(job.files()) if job.files else None,
    )


def _kept(value: Any) -> Callable[..., Any]:
    return lambda *_: value


class Holder:
    """Holds a device on the node that has it; a Ray actor, so that it does one thing at a time.

    Ray takes an error while an actor is made for the death of its node, so the device is made when it is asked for.
    """

    def __init__(self, name: str) -> None:
        self.device = name

    @cached_property
    def target(self) -> Target:
        return make_target(self.device)

    def kind(self, expected: str) -> Kind:
        """What a proxy of the device must know of it. expected: the version of surgenas, as of `check_version`."""
        check_version(expected)
        target = self.target
        delivers = (target.suffixes, target.runs_open_onnx) if isinstance(target, Deliverer) else None
        timed = isinstance(target, TimedTarget)
        return Kind(timed, target.name, target.key, target.units, target.describe(), delivers)

    def do(self, method: str, scale: Scale | None, *args: Any, **kwargs: Any) -> Any:
        """What a method of the device returns, on a scale if there is one."""
        target: Any = self.target.on_scale(scale) if scale and isinstance(self.target, TimedTarget) else self.target
        return getattr(target, method)(*args, **kwargs)


@dataclass(frozen=True, eq=False)
class RemoteTarget:
    """A timed device elsewhere, as `hardware.target.TimedTarget`. scale: as of `on_scale`."""

    ask: Ask
    kind: Kind
    scale: Scale | None = None

    @property
    def name(self) -> str:
        return self.kind.name

    @property
    def key(self) -> str:
        return self.kind.key

    @property
    def units(self) -> tuple[Unit, ...]:
        return self.kind.units

    def describe(self) -> TargetInfo:
        return self.kind.info

    def _carried(self, *jobs: Job) -> list[Job]:
        return [carried(job, self.kind.info) for job in jobs]

    def price(
        self, jobs: Sequence[Job], effort: Effort = Effort.LEARN, *, seed: int = 0, reuse: bool = False,
        progress: Progress = Progress(),  # noqa: B008  stateless
    ) -> list[Cost | Failure]:  # fmt: skip
        """As of every target; how far the device is, is not seen here."""
        progress.check()
        found: list[Cost | Failure] = self.ask(
            "price", self.scale, self._carried(*jobs), effort, seed=seed, reuse=reuse
        )
        return found

    def calibrate(self, job: Job) -> Scale:
        found: Scale = self.ask("calibrate", self.scale, *self._carried(job))
        return found

    def known(self, reference: str) -> Known | None:
        found: Known | None = self.ask("known", self.scale, reference)
        return found

    def on_scale(self, scale: Scale) -> RemoteTarget:
        return replace(self, scale=scale)

    def layer_shares(self, job: Job) -> dict[str, float]:
        found: dict[str, float] = self.ask("layer_shares", self.scale, *self._carried(job))
        return found

    def logits(self, job: Job, images: Images) -> Images:
        found: Images = self.ask("logits", self.scale, *self._carried(job), images)
        return found


@dataclass(frozen=True, eq=False)
class RemoteDeliverer(RemoteTarget):
    """A timed device elsewhere that hands on files, too, as `hardware.target.Deliverer`."""

    @property
    def suffixes(self) -> tuple[str, ...]:
        assert self.kind.delivers, "it hands on files"
        return self.kind.delivers[0]

    @property
    def runs_open_onnx(self) -> bool:
        assert self.kind.delivers, "it hands on files"
        return self.kind.delivers[1]

    def deliver(self, job: Job) -> dict[str, bytes]:
        found: dict[str, bytes] = self.ask("deliver", self.scale, *self._carried(job))
        return found


def remote_target(ask: Ask, kind: Kind) -> RemoteTarget:
    """The device that `ask` reaches."""
    return (RemoteDeliverer if kind.delivers else RemoteTarget)(ask, kind)
