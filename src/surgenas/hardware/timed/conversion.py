"""How does a network become bytes for a runtime, and what should they compute there (docs/measurement.md, 2)?"""

from __future__ import annotations

import errno
import math
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import torch
from torch import nn

from surgenas.core.errors import DataError, EnvironmentFault, SurgenasError, UsageError
from surgenas.hardware.onnx_file import run_unoptimised
from surgenas.hardware.runtimes import Images, Runtime
from surgenas.hardware.target import Job
from surgenas.hardware.timed.session import Network, random_images
from surgenas.nn.statistics import settle_statistics

TOLERANCE = {"fp32": 1e-3, "fp16": 0.2, "bf16": 0.3, "int8": 1.0}
"""The largest accepted difference, relative to the largest logit. In int8 a rounding one way or the other is a whole
step, and deep networks of random weights are chaotic: right kernels differed by up to .6 (docs/log.md). In bf16 PyTorch
itself is up to .15 from its fp32 (MobileNetV2), in fp16 up to .08, other images' logits are .95 and more
(docs/log.md)."""
HALVES = 0.03
"""The same for a network that asks for float16 images: right kernels differed by up to .003, fp16 from fp32 by .016,
other images' logits by .5 and more."""
CALIBRATION = 64
"""How many random images quantize a network that has no images of its own."""
KEPT_BYTES = 1 << 28
"""Of converted networks that are kept."""


def convert_for(runtime: Runtime, job: Job, batch: int, precision: str) -> tuple[Network, Images]:
    """Convert a network for a runtime: (what goes to the device, what it should compute there, (N, classes)).

    The second is what PyTorch computes; for a network that is an ONNX file, or was quantized into one, what that file
    computes unoptimised. (How much accuracy int8 costs is seen on images, not here.)

    Raises UsageError for an ONNX file on a runtime of another format, DataError for a network that cannot be exported.
    """
    if job.files:
        return _from_files(runtime, job, batch, precision, job.files())
    if job.model is None:
        network, expected = _from_pytorch(runtime, job, batch)
    elif runtime.takes_onnx:
        network, expected = Network(job.model(batch), job.batch_shape(batch), job.dtype), None
    else:
        raise UsageError(f"{runtime.name} runs networks from PyTorch, not ONNX files; {job.key} is one")
    if precision == "int8":
        images = job.images() if job.images else random_images(job.batch_shape(CALIBRATION), job.dtype, seed=1)
        with _naming_errors(job, "be quantized"):
            network = replace(network, model=runtime.quantize(network.model, images))
        expected = None
    return network, run_unoptimised(network.model, network.images) if expected is None else expected


class Conversions:
    """The latest networks that were converted to be measured, so that one measured again is not converted again.

    Networks of one key take as long whatever their weights, so these may be another's: nothing here is handed on.
    """

    def __init__(self, most_bytes: int = KEPT_BYTES) -> None:
        self._most_bytes = most_bytes
        self._known: OrderedDict[str, tuple[Network, Images]] = OrderedDict()

    def get(self, job: Job, convert: Callable[[Job], tuple[Network, Images]]) -> tuple[Network, Images]:
        """As `convert` finds it. Files, and what is quantized with images of its own, are not kept."""
        if job.files or job.images:
            return convert(job)
        found = self._known.pop(job.key, None) or convert(job)
        self._known[job.key] = found  # the latest stands last
        while len(self._known) > 1 and self._bytes > self._most_bytes:
            self._known.popitem(last=False)
        return found

    @property
    def _bytes(self) -> int:
        return sum(len(network.model) for network, _ in self._known.values())


def _from_pytorch(runtime: Runtime, job: Job, batch: int) -> tuple[Network, Images]:
    _, H, W = job.input_shape
    with _naming_errors(job, f"run on images of {H} x {W}, or be exported"):
        module = settle_statistics(job.module, job.input_shape)
        network = Network(runtime.convert(module, job.input_shape, batch), (batch, *job.input_shape))
        return network, _by_pytorch(module, network)


def _from_files(
    runtime: Runtime, job: Job, batch: int, precision: str, files: Mapping[str, bytes]
) -> tuple[Network, Images]:
    """As `convert_for`, of files that were handed on. What int8 computes is compared with itself, loaded here: how far
    it is from PyTorch was seen when it was handed on."""
    network = Network(runtime.from_files(files), (batch, *job.input_shape))
    if precision == "int8" and not runtime.own_process:
        return network, runtime.prepare(network.model, network.images, 1, precision)()
    return network, _by_pytorch(job.module, network)


def _by_pytorch(module: nn.Module, network: Network) -> Images:
    with torch.no_grad():
        found: Images = module(torch.from_numpy(network.images)).numpy()
    return found


def tolerance_for(precision: str, network: Network) -> float:
    """The tolerance for a network that is computed in this precision; one that asks for float16 images is in fp16."""
    return max(TOLERANCE[precision], HALVES if network.dtype == "float16" else 0.0)


@contextmanager
def _naming_errors(job: Job, what: str) -> Iterator[None]:
    """Turn whatever a foreign network or converter raises into a DataError: "<network> cannot <what> (<why>)".

    A full disk becomes an EnvironmentFault; our own errors pass unchanged.
    """
    try:
        yield
    except (SurgenasError, MemoryError):
        raise
    except Exception as error:
        if isinstance(error, OSError) and error.errno == errno.ENOSPC:
            raise EnvironmentFault(f"{job.key} cannot {what}: {error.strerror}; free the disk or set TMPDIR") from error
        why = (str(error).splitlines() or [type(error).__name__])[0]
        raise DataError(f"{job.key} cannot {what} ({why})") from error


def check_equal(expected: Images, output: Images, runtime: str, tolerance: float = TOLERANCE["fp32"]) -> float:
    """Compare a runtime's output with what was expected, both (N, classes), and return the largest difference, relative
    to the largest expected logit: what a network computes from random weights has any size.

    tolerance: the largest that is accepted. Raises SurgenasError beyond it, DataError if the network computes NaN or
    infinity.
    """
    if not np.isfinite(expected).all():
        raise DataError("the network computes values that are not numbers (NaN or infinity) in PyTorch")
    apart, largest = float(np.abs(output - expected).max()), float(np.abs(expected).max())
    difference = apart / largest if largest else (math.inf if apart else 0.0)
    if not difference <= tolerance:
        raise SurgenasError(
            f"{runtime} computes something else than PyTorch (off by {difference:.3g} of the largest logit, "
            f"{tolerance:g} is accepted); not measured"
        )
    return difference
