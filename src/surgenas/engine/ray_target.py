"""A device that another node of a Ray cluster has: whatever is asked of it is asked there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from surgenas.core.cost import Cost, Effort, Failure, Unit
from surgenas.core.progress import Progress
from surgenas.hardware.devices import make_target
from surgenas.hardware.runtimes import Images
from surgenas.hardware.target import Deliverer, Job, Known, Scale, TargetInfo, TimedTarget

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


class Holder:
    """Holds a device on the node that has it; a Ray actor, so that it does one thing at a time."""

    def __init__(self, name: str) -> None:
        self.target = make_target(name)

    def kind(self) -> Kind:
        """What a proxy of the device must know of it."""
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

    def price(
        self, jobs: Sequence[Job], effort: Effort = Effort.LEARN, *, seed: int = 0, reuse: bool = False,
        progress: Progress = Progress(),  # noqa: B008  stateless
    ) -> list[Cost | Failure]:  # fmt: skip
        """As of every target; how far the device is, is not seen here."""
        progress.check()
        found: list[Cost | Failure] = self.ask("price", self.scale, list(jobs), effort, seed=seed, reuse=reuse)
        return found

    def calibrate(self, job: Job) -> Scale:
        found: Scale = self.ask("calibrate", self.scale, job)
        return found

    def known(self, reference: str) -> Known | None:
        found: Known | None = self.ask("known", self.scale, reference)
        return found

    def on_scale(self, scale: Scale) -> RemoteTarget:
        return replace(self, scale=scale)

    def layer_shares(self, job: Job) -> dict[str, float]:
        found: dict[str, float] = self.ask("layer_shares", self.scale, job)
        return found

    def logits(self, job: Job, images: Images) -> Images:
        found: Images = self.ask("logits", self.scale, job, images)
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
        found: dict[str, bytes] = self.ask("deliver", self.scale, job)
        return found


def remote_target(ask: Ask, kind: Kind) -> RemoteTarget:
    """The device that `ask` reaches."""
    return (RemoteDeliverer if kind.delivers else RemoteTarget)(ask, kind)
