"""Runtimes: one file each. A runtime prepares a callable; it never times anything itself."""

from __future__ import annotations

from collections.abc import Callable
from importlib import metadata
from typing import Protocol

import numpy as np
import numpy.typing as npt

from surgenas.core.errors import EnvironmentFault

Images = npt.NDArray[np.float32]


class Runtime(Protocol):
    """Turns an ONNX model into a callable that computes its logits for one fixed input."""

    name: str

    @property
    def version(self) -> str:
        """As the runtime's own package says; raises EnvironmentFault, naming the extra, if it is not installed."""

    def prepare(self, model: bytes, images: Images, threads: int) -> Callable[[], Images]:
        """images: (N, C, H, W) float32. The callable runs the whole network and returns (N, classes)."""

    def layer_times_ms(self, model: bytes, images: Images, threads: int, runs: int) -> dict[str, float]:
        """Profiled milliseconds by module path; to be used as shares only, never as a latency."""


def distribution_version(distribution: str, extra: str) -> str:
    """What is installed; raises EnvironmentFault saying what to install if nothing is."""
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        raise EnvironmentFault(f"{distribution} is not installed; pip install 'surgenas[{extra}]'") from None
