"""What would a network cost on Arm's Ethos-U? What the compiler of these small NPUs, Vela, estimates; nothing runs.

A network is made an int8 .tflite file here (`hardware.tflite`), which is also what is handed on.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
import torch
from pydantic import Field
from torch import nn

from surgenas.core.cost import Cost, Effort, Estimate, Failure, Unit
from surgenas.core.errors import DataError, SurgenasError, UsageError
from surgenas.core.progress import Progress
from surgenas.hardware.estimated import vela
from surgenas.hardware.estimated.counted import price_each
from surgenas.hardware.onnx_file import to_onnx
from surgenas.hardware.runtimes import Images
from surgenas.hardware.target import Job, TargetInfo
from surgenas.hardware.tflite.convert import int8_tflite
from surgenas.hardware.tflite.run import logits, steps_apart
from surgenas.nn.statistics import settle_statistics

TOOL = "Vela"
SUFFIX = ".tflite"
RANGED = 4
"""How many random images say the ranges of a network that has no images of its own."""
CHECKED = 16
"""How many images tflite-micro has to compute as LiteRT does before a file is handed on."""
MOST_STEPS = 1
"""The largest difference of the two that is accepted, in steps of a logit."""
ASSUMPTIONS = (
    "Cycles and memory are the compiler's estimates, which it calls no performance numbers; nothing ran.",
    "The host's own work, interrupts, and waiting for memory that others use cost nothing.",
)
UNTRAINED = "Weights are drawn evenly from a range, which packs worst: trained ones take about as long, or less."

Accelerator = Literal[
    "ethos-u55-32", "ethos-u55-64", "ethos-u55-128", "ethos-u55-256", "ethos-u65-256", "ethos-u65-512",
    "ethos-u85-128", "ethos-u85-256", "ethos-u85-512", "ethos-u85-1024", "ethos-u85-2048",
]  # fmt: skip


@dataclass(frozen=True)
class EthosUTarget:
    """An NPU in a system, as Vela knows them. Costs are of one image in int8.

    system, memory: names of a system configuration and of a memory mode in the compiler's file of these; they decide
    the time as much as the accelerator does. config: that file; None for the one that comes with the compiler.
    optimise: what the compiler aims at. arena_bytes: fast memory that it may use; None for what the memory mode says.
    """

    name: str
    accelerator: Accelerator
    system: str
    memory: str
    optimise: Literal["Performance", "Size"]
    config: Path | None = None
    arena_bytes: Annotated[int, Field(ge=1)] | None = None

    def __post_init__(self) -> None:
        if self.config and not self.config.is_file():
            raise UsageError(f"config: there is no file {self.config}")
        vela.check_sections(self.config, (f"System_Config.{self.system}", f"Memory_Mode.{self.memory}"))

    @property
    def units(self) -> tuple[Unit, ...]:
        return ("ms", "cycles", "sram", "flash", "dram")

    @property
    def key(self) -> str:
        return (
            f"vela-{vela.version()}/{self.accelerator}/{self.system}/{self.memory}/{self.optimise}/"
            f"config={self._system_file}/arena={self.arena_bytes or 'mode'}"
        )

    @property
    def _system_file(self) -> str:
        """The file of systems by its content: another of that name is another device."""
        return hashlib.sha256(self.config.read_bytes()).hexdigest()[:16] if self.config else "shipped"

    def describe(self) -> TargetInfo:
        return TargetInfo(
            self.name, self.key, "estimated", f"{TOOL} {vela.version()}",
            f"{self.accelerator} in {self.system}, {self.memory}", precision="int8", notes=ASSUMPTIONS,
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
        vela.version()
        return price_each(jobs, self._price, progress)

    # --- files

    @property
    def suffixes(self) -> tuple[str, ...]:
        return (SUFFIX,)

    @property
    def runs_open_onnx(self) -> bool:
        return False

    def deliver(self, job: Job) -> dict[str, bytes]:
        """The int8 file that the compiler takes, which tflite-micro computes as LiteRT's reference kernels do.

        Raises DataError for a network without an int8 form, SurgenasError if the two compute different integers.
        """
        file, images = _int8(job), _images(job)
        apart = steps_apart(file, images[:: max(1, len(images) // CHECKED)][:CHECKED])
        if apart > MOST_STEPS:
            raise SurgenasError(
                f"{_named(job)}: tflite-micro and LiteRT are {apart} steps apart; the file is not handed on"
            )
        return {SUFFIX: file}

    def logits(self, job: Job, images: Images) -> Images:
        """What the int8 file computes, by LiteRT on this processor."""
        return logits(_file(job), images)

    # --- prices

    def _price(self, job: Job) -> Cost | Failure:
        trained = job.files is not None or job.images is not None
        try:
            compiled = vela.compile_for(_file(job), self._options())
            if compiled.on_cpu:
                more = f" and {len(compiled.on_cpu) - 1} more" if len(compiled.on_cpu) > 1 else ""
                raise UsageError(
                    f"{_named(job)}: {compiled.on_cpu[0]}{more} would run on the CPU, of which {TOOL} counts no time; "
                    "leave such operators out of the space"
                )
            if not compiled.cycles:
                raise DataError(f"{_named(job)}: {TOOL} counts no cycles for it")
        except SurgenasError as error:
            return Failure(job.key, error)
        ms = 1e3 / compiled.clock_hz
        values = {
            "ms": ms * compiled.cycles, "cycles": compiled.cycles, "sram": compiled.sram,
            "flash": compiled.flash, "dram": compiled.dram,
        }  # fmt: skip
        layers = tuple((_node(name), ms * cycles) for name, cycles in compiled.by_operator if cycles)
        said = ASSUMPTIONS if trained else (*ASSUMPTIONS, UNTRAINED)
        return Estimate(job.key, self.key, values, TOOL, vela.version(), said, layers)

    def _options(self) -> list[str]:
        config = self.config.resolve() if self.config else "Arm/vela.ini"
        found = {
            "accelerator-config": self.accelerator, "system-config": self.system, "memory-mode": self.memory,
            "optimise": self.optimise, "config": config, "arena-cache-size": self.arena_bytes,
        }  # fmt: skip
        return [word for name, value in found.items() if value is not None for word in (f"--{name}", str(value))]


def _named(job: Job) -> str:
    """A network as a person knows it: by its genes, or as it was called."""
    return str(job.arch) if job.arch else job.key


def _node(name: str) -> str:
    """The node of the graph that computes what an operator is named after."""
    return re.sub(r"_output_\d+(_intermediate)?$", "", name)


def _file(job: Job) -> bytes:
    """The int8 file of a job: what was handed on, or one made now."""
    if job.files is None:
        return _int8(job)
    files = job.files()
    if SUFFIX not in files:
        raise UsageError(f"{_named(job)}: expected a {SUFFIX} file, got {', '.join(files)}")
    return files[SUFFIX]


def _int8(job: Job) -> bytes:
    """A job's network in int8: with its own weights if it has images to quantize it with, else with even ones."""
    if job.layout != "NCHW" or job.dtype != "float32":
        raise UsageError(f"{_named(job)}: only networks that take float32 images (N, C, H, W) are made int8 here")
    if job.model is not None:
        model = job.model(1)
    else:
        try:
            network = job.module if job.images else settle_statistics(evened(job.module), job.input_shape)
            model = to_onnx(network, job.input_shape)
        except (RuntimeError, ValueError) as error:
            why = (str(error).splitlines() or [type(error).__name__])[0]
            raise DataError(f"{_named(job)} cannot be run on {job.input_shape}, or be exported ({why})") from error
    try:
        return int8_tflite(model, _images(job))
    except DataError as error:
        raise DataError(f"{_named(job)}: {error}") from error


def _images(job: Job) -> Images:
    if job.images:
        return job.images()
    return np.random.default_rng(0).standard_normal((RANGED, *job.input_shape), dtype=np.float32)


def evened(network: nn.Module) -> nn.Module:
    """Draw all weights of layers anew and evenly, always the same, so that the shape alone counts.

    The compiler packs weights, and time goes with their size: those of a short training took .5 % less than even ones,
    and 1.2 % more than Gaussian ones (docs/microcontrollers.md, 1), so that a limit that is met with these is met.
    """
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for weight in network.parameters():
            if weight.ndim > 1:
                bound = (6 / weight[0].numel()) ** 0.5
                weight.uniform_(-bound, bound, generator=generator)
    return network
