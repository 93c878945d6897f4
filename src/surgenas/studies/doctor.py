"""Does all that is installed work, and how quiet is this machine? What a person looks at before a long job."""

from __future__ import annotations

import platform
import time
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version

import psutil

from surgenas.core.cores import usable_cores
from surgenas.core.cost import Cost, Effort, Failure
from surgenas.core.errors import SurgenasError
from surgenas.core.moves import uniform_architecture
from surgenas.core.progress import Progress
from surgenas.core.record import Record
from surgenas.engine.jobs import job_of
from surgenas.hardware.context import gpu_name, processor_name, processor_seconds, share_used_elsewhere
from surgenas.hardware.costs import AnyCost
from surgenas.hardware.devices import make_target
from surgenas.hardware.target import Target
from surgenas.hardware.timed.store import default_store
from surgenas.spaces.mobile import Mobile
from surgenas.studies.describe import Unusable, devices

PACKAGES = ("surgenas", "torch", "timm", "onnx", "onnxruntime")
"""Those that every search needs."""
ENOUGH_BYTES = 2e9
"""Less free memory than this is too little for images and a search beside each other."""
CROWDED = 0.1
"""The share of all cores from which other programs are worth a word."""


@dataclass(frozen=True)
class Noise(Record):
    """How well this machine measures now: the cost of MobileNetV2 at 64 px on a device, or why it has none. seconds:
    how long that took. used_elsewhere: the share (0 to 1) of all cores that other programs used meanwhile."""

    device: str
    seconds: float
    used_elsewhere: float
    cost: AnyCost | None = None
    failed: str = ""


@dataclass(frozen=True)
class Health(Record):
    """What there is and what it is worth.

    packages: their versions. cores: that this process may use. free_bytes: of memory. gpu: its name; empty if there is
    none. devices: what can be searched for, and why others cannot, by name. store: where measurements are kept; empty
    if they cannot be.
    advice: what to do, a sentence each; empty if nothing is in the way.
    """

    python: str
    packages: Mapping[str, str]
    processor: str
    cores: int
    free_bytes: int
    gpu: str
    devices: Mapping[str, str]
    store: str
    noise: Noise | None
    advice: tuple[str, ...]

    @property
    def usable(self) -> tuple[str, ...]:
        """The names of the devices that work here."""
        return tuple(name for name, why_not in self.devices.items() if not why_not)


def examine(device: str, progress: Progress) -> Health:
    """Look at all of it; device: on which the machine's noise is measured. Raises UsageError if there is no such
    device."""
    free, store, broken = psutil.virtual_memory().available, "", ""
    try:
        store = default_store().name
    except SurgenasError as error:
        broken = str(error)
    noise = None
    if not broken:
        target = make_target(device)
        noise = _noise(target, progress) if target.describe().evidence == "measured" else None
    known = {name: row.unusable if isinstance(row, Unusable) else "" for name, row in devices().items()}
    return Health(
        python=platform.python_version(), packages={name: version(name) for name in PACKAGES},
        processor=processor_name(), cores=usable_cores(), free_bytes=free, gpu=gpu_name() or "", devices=known,
        store=store, noise=noise, advice=(*([broken] if broken else []), *_advice(free, noise)),
    )  # fmt: skip


def _noise(target: Target, progress: Progress) -> Noise:
    space = Mobile(layout="mobilenetv2-small", resolution=64, width=0.5, classes=10)
    began, before = time.monotonic(), processor_seconds()
    found: Cost | Failure | SurgenasError
    try:
        (found,) = target.price(
            [job_of(uniform_architecture(space, "k3e6"), space)], Effort.CLAIM, seed=0, progress=progress
        )
    except SurgenasError as error:
        found = error
    took, used = time.monotonic() - began, share_used_elsewhere(before, processor_seconds())
    if isinstance(found, Failure | SurgenasError):
        return Noise(target.name, took, used, failed=str(found.error if isinstance(found, Failure) else found))
    return Noise(target.name, took, used, found)


def _advice(free_bytes: int, noise: Noise | None) -> list[str]:
    found = []
    if free_bytes < ENOUGH_BYTES:
        found.append(f"only {free_bytes / 1e9:.1f} GB of memory are free; end other programs, or use --memory 200MB")
    if noise is None:
        return found
    if noise.used_elsewhere > CROWDED:
        found.append(f"other programs use {noise.used_elsewhere:.0%} of the cores; latencies are surer without them")
    if noise.failed:
        found.append(f"{noise.device} cannot be measured: {noise.failed}")
    elif noise.cost is not None and noise.cost.ms_grade == "D":
        found.append("milliseconds of this moment are not to be relied on (grade D); wait until the machine is quieter")
    return found
