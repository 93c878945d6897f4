"""From a network to the bytes that a runtime measures, and what they should compute: fast and wrong is not fast."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import torch
from torch import nn

from surgenas.core.errors import DataError, EnvironmentFault, SurgenasError, UsageError
from surgenas.hardware.onnx_file import unoptimised
from surgenas.hardware.runtimes import Images, Runtime
from surgenas.hardware.target import Job
from surgenas.hardware.timed.session import Network

TOLERANCE = {"fp32": 1e-3, "bf16": 0.3, "int8": 1.0}
"""Largest accepted difference, relative to the largest logit. In int8 a rounding one way or the other is a whole step,
and deep networks of random weights are chaotic: right kernels differed by up to .6 (docs/log.md). In bf16
PyTorch itself is up to .15 from its fp32 (MobileNetV2), other images' logits are .95 and more (docs/log.md)."""
CALIBRATION = 64
"""Random images that a network without images of its own is quantized with."""


def converted(runtime: Runtime, job: Job, batch: int, precision: str) -> tuple[Network, Images]:
    """What goes to the device, and what it should compute: as PyTorch eager; as the ONNX file unoptimised for a network
    that is a file, or was quantized into one. (What int8 itself costs is said by the accuracy on images.)

    Raises UsageError for an ONNX file on a runtime of another format, DataError for a network that cannot be exported.
    """
    if job.model is None:
        network, expected = _from_pytorch(runtime, job, batch)
    elif runtime.takes_onnx:
        network, expected = Network(job.model(batch), (batch, *job.input_shape)), None
    else:
        raise UsageError(f"{runtime.name} runs networks from PyTorch, not ONNX files; {job.key} is one")
    if precision == "int8":
        random = np.random.default_rng(1).standard_normal((CALIBRATION, *job.input_shape), dtype=np.float32)
        images = job.images() if job.images else random
        with _somebody_elses(job, "be quantized"):
            network = replace(network, model=runtime.quantize(network.model, images))
        expected = None
    return network, unoptimised(network.model, network.images) if expected is None else expected


def _from_pytorch(runtime: Runtime, job: Job, batch: int) -> tuple[Network, Images]:
    _, H, W = job.input_shape
    with _somebody_elses(job, f"run on images of {H} x {W}, or be exported"):
        module = with_statistics(job.module, job.input_shape)
        network = Network(runtime.convert(module, job.input_shape, batch), (batch, *job.input_shape))
        with torch.no_grad():
            return network, module(torch.from_numpy(network.images)).numpy()


@contextmanager
def _somebody_elses(job: Job, what: str) -> Iterator[None]:
    """Networks of anybody, at any size, in converters of anybody: they raise whatever they like."""
    try:
        yield
    except (SurgenasError, MemoryError):
        raise
    except Exception as error:
        if isinstance(error, OSError) and error.errno == errno.ENOSPC:
            raise EnvironmentFault(f"{job.key} cannot {what}: {error.strerror}; free the disk or set TMPDIR") from error
        why = (str(error).splitlines() or [type(error).__name__])[0]
        raise DataError(f"{job.key} cannot {what} ({why})") from error


def with_statistics(module: nn.Module, input_shape: tuple[int, int, int]) -> nn.Module:
    """In eval mode, BN of a fresh network put in order by a few random images.

    With its initial statistics the signal dies out layer by layer: the comparison of results would compare nothing.
    """
    fresh = [m for m in module.modules() if isinstance(m, nn.BatchNorm2d) and m.num_batches_tracked == 0]
    for norm in fresh:
        norm.momentum = None  # the plain mean
        norm.train()
    if fresh:
        with torch.no_grad():
            module(torch.randn(8, *input_shape, generator=torch.Generator().manual_seed(0)))
    return module.eval()


def check_equal(expected: Images, output: Images, runtime: str, tolerance: float = TOLERANCE["fp32"]) -> float:
    """The largest |output - expected|; raises SurgenasError if it is more than rounding to the precision asked for."""
    difference = float(np.abs(output - expected).max())
    if not np.isfinite(expected).all():
        raise DataError("the network computes values that are not numbers (NaN or infinity) in PyTorch")
    if not difference <= tolerance * float(np.abs(expected).max()):
        raise SurgenasError(
            f"{runtime} computes something else than PyTorch (difference {difference:.3g}); not measured"
        )
    return difference
