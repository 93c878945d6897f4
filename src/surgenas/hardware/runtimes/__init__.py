"""Runtimes: one file each. A runtime converts a network and prepares a callable; it never times anything itself."""

from __future__ import annotations

import io
import logging
import sys
import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from importlib import metadata
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from surgenas.core.errors import EnvironmentFault, UsageError

if TYPE_CHECKING:  # a worker on a small machine has no torch
    from torch import nn

Images = npt.NDArray[np.float32]


class Runtime(ABC):
    """Turns a network into bytes, here, and bytes into a callable that computes logits, where it is measured."""

    name: str
    precisions: tuple[str, ...] = ("fp32",)
    takes_onnx = False
    """Whether its bytes are ONNX, so that it also runs ONNX files that others made."""
    suffixes: tuple[str, ...] = (".bin",)
    """Of the files that a model is handed on in, the one that is opened first."""
    open_batch = False
    """Whether it fixes an open batch size itself, so that in fp32 the ONNX file for everybody is what it measures."""
    takes_batches = True
    """Whether it computes more than one image in a call."""
    own_process = False
    """Whether it changes settings of its whole process (thread pools), so that it never runs in ours."""
    converters: tuple[str, ...] = ()
    """What has to be installed, beside its own package, to convert a network."""

    @property
    @abstractmethod
    def version(self) -> str:
        """The version of the runtime's package; raises EnvironmentFault, naming the extra, if it is not installed."""

    def check_converters(self) -> None:
        """Raise EnvironmentFault, naming the extra, if what converts a network is not installed."""
        for distribution in self.converters:
            distribution_version(distribution, self.name)

    @abstractmethod
    def convert(self, network: nn.Module, input_shape: tuple[int, int, int], batch: int) -> bytes:
        """The bytes of a network in eval mode, in this runtime's format and fp32, for `batch` images of (C, H, W)."""

    @abstractmethod
    def prepare(self, model: bytes, images: Images, threads: int, precision: str) -> Callable[[], Images]:
        """Compile a model, and return the callable that computes logits (N, classes).

        images: (N, C, H, W) float32, or as the ONNX file of others wants them; read anew by each call.
        """

    def quantize(self, model: bytes, calibration: Images, spared: Collection[str] = ()) -> bytes:
        """The converted model in int8, its ranges from calibration images (N, C, H, W), but for the nodes that are
        spared, by their names.

        Raises UsageError for a runtime without int8.
        """
        raise UsageError(f"{self.name} cannot quantize to int8 here; one of {', '.join(self.precisions)}")

    def to_files(self, model: bytes) -> dict[str, bytes]:
        """The files that a model is handed on in, by suffix."""
        return {self.suffixes[0]: model}

    def from_files(self, files: Mapping[str, bytes]) -> bytes:
        """What `prepare` takes, from such files."""
        return files[self.suffixes[0]]

    def layer_times_ms(self, model: bytes, images: Images, threads: int, precision: str, runs: int) -> dict[str, float]:
        """Profiled milliseconds by module path, of use as shares only, never as a latency.

        Raises UsageError for a runtime that cannot tell.
        """
        raise UsageError(f"{self.name} does not tell the time of single layers; onnxruntime and openvino do")

    def timer(self) -> Callable[[Callable[[], object]], float] | None:
        """The device's own clock, which runs a call and returns the milliseconds; None for the host's clock."""
        return None

    def missing_feature(self, precision: str) -> str:
        """What this machine's processor lacks for a precision; empty if it lacks nothing."""
        return ""


class OnnxReader(Runtime):
    """A runtime that reads ONNX."""

    takes_onnx = True
    suffixes: tuple[str, ...] = (".onnx",)

    def convert(self, network: nn.Module, input_shape: tuple[int, int, int], batch: int) -> bytes:
        from surgenas.hardware.onnx_file import to_onnx

        return to_onnx(network, input_shape, batch=batch)


def a_run_ms(took: Iterable[tuple[str, float]], runs: int) -> dict[str, float]:
    """Milliseconds of each name in one of several profiled runs, from all that was seen of it: the median, since a
    single run that was interrupted would outweigh all others."""
    seen: dict[str, list[float]] = {}
    for name, ms in took:
        seen.setdefault(name, []).append(ms)
    return {name: float(np.median(values)) * len(values) / runs for name, values in seen.items()}


@contextmanager
def silence_output() -> Iterator[None]:
    """Silence what converters and quantizers print, warn and log while the block runs."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings(), redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)


@contextmanager
def without_telemetry() -> Iterator[None]:
    """Import OpenVINO's packages in this block, and they report nothing.

    On import alone they fork a process that tells their maker of it: beside a measurement, and in a worker, whose
    standard input is being read, one that may never end (docs/log.md, 2026-11-27).
    """
    name = "openvino_telemetry"
    unknown = name not in sys.modules
    if unknown:
        sys.modules[name] = None  # type: ignore[assignment]  # as if it were not installed
    try:
        yield
    finally:
        if unknown:
            del sys.modules[name]


def distribution_version(distribution: str, extra: str) -> str:
    """The installed version of a package; raises EnvironmentFault, naming the extra, if it is not installed."""
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        raise EnvironmentFault(f"{distribution} is not installed; pip install 'surgenas[{extra}]'") from None
