"""Runtimes: one file each. A runtime converts a network and prepares a callable; it never times anything itself."""

from __future__ import annotations

import io
import logging
import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
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
    """Are its bytes ONNX? Then it also runs ONNX files that others made."""
    own_process = False
    """Does it change settings of its whole process (thread pools)? Then it never runs in ours."""

    @property
    @abstractmethod
    def version(self) -> str:
        """As the runtime's own package says; raises EnvironmentFault, naming the extra, if it is not installed."""

    @abstractmethod
    def convert(self, network: nn.Module, input_shape: tuple[int, int, int], batch: int) -> bytes:
        """The network in eval mode for a fixed batch of images (C, H, W), in this runtime's format, fp32."""

    @abstractmethod
    def prepare(self, model: bytes, images: Images, threads: int, precision: str) -> Callable[[], Images]:
        """images: (N, C, H, W) float32, read anew by each call. The callable returns (N, classes)."""

    def quantize(self, model: bytes, calibration: Images) -> bytes:
        """The converted model in int8, its ranges from calibration images; only where precisions has int8."""
        raise UsageError(f"{self.name} cannot quantize to int8 here; one of {', '.join(self.precisions)}")

    def layer_times_ms(self, model: bytes, images: Images, threads: int, precision: str, runs: int) -> dict[str, float]:
        """Profiled milliseconds by module path; to be used as shares only, never as a latency."""
        raise UsageError(f"{self.name} does not tell the time of single layers; onnxruntime and openvino do")

    def timer(self) -> Callable[[Callable[[], object]], float] | None:
        """A device's own clock, if it has one: runs a call and says the milliseconds. None: the monotonic clock."""
        return None

    def missing_feature(self, precision: str) -> str:
        """What this machine's processor lacks for a precision; empty if nothing."""
        return ""


class OnnxReader(Runtime):
    """What runtimes share that read ONNX."""

    takes_onnx = True

    def convert(self, network: nn.Module, input_shape: tuple[int, int, int], batch: int) -> bytes:
        from surgenas.hardware.onnx_file import to_onnx

        return to_onnx(network, input_shape, batch=batch)


@contextmanager
def silence_output() -> Iterator[None]:
    """Converters and quantizers advise, warn and log on what they were not asked."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings(), redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)


def distribution_version(distribution: str, extra: str) -> str:
    """What is installed; raises EnvironmentFault saying what to install if nothing is."""
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        raise EnvironmentFault(f"{distribution} is not installed; pip install 'surgenas[{extra}]'") from None
