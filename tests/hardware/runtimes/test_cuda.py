"""PyTorch on a GPU: what it says where there is none, and on one, that all its ways compute and time the same thing."""

from __future__ import annotations

import time
from importlib import metadata

import numpy as np
import pytest
import torch
from torch import nn

from surgenas.core.catalog import look_up
from surgenas.core.errors import EnvironmentFault, UsageError
from surgenas.hardware import RUNTIMES
from surgenas.hardware.runtimes.cuda import CudaGraph, PyTorchCuda, TorchCompileCuda
from surgenas.hardware.runtimes.pytorch import PyTorch

SHAPE = (3, 16, 16)
EVERY = pytest.mark.parametrize("kind", [PyTorchCuda, TorchCompileCuda, CudaGraph])


def network(width=8):
    torch.manual_seed(0)
    layers = (nn.Conv2d(3, width, 3), nn.BatchNorm2d(width), nn.ReLU(), nn.Conv2d(width, width, 3), nn.Flatten())
    return nn.Sequential(*layers, nn.Linear(144 * width, 5)).eval()


def images(batch=2):
    return np.random.default_rng(0).standard_normal((batch, *SHAPE), dtype=np.float32)


@EVERY
def test_without_a_gpu_or_an_answer_of_its_driver_it_says_what_it_needs(kind, driver):
    for command in (None, "exit 9", "echo"):
        if command:
            driver(command)
        with pytest.raises(EnvironmentFault, match="needs an NVIDIA GPU and its driver; there is none here"):
            _ = kind().version


@EVERY
def test_a_version_is_that_of_torch_on_the_gpu_that_the_driver_names(kind, driver):
    driver("echo 'NVIDIA H100'")
    assert kind().version == f"{metadata.version('torch')} on NVIDIA H100"


@EVERY
def test_it_is_known_by_its_own_name_and_stays_out_of_our_process(kind):
    assert look_up("runtime", kind.name, RUNTIMES) is kind
    assert kind.own_process
    assert (kind.precisions, kind.takes_onnx) == (("fp32",), False)


@EVERY
def test_what_it_cannot_do_it_says_in_its_own_name(kind):
    with pytest.raises(UsageError, match=f"^{kind.name} cannot quantize to int8 here; one of fp32$"):
        kind().quantize(b"", images())
    with pytest.raises(UsageError, match=f"^{kind.name} does not tell the time of single layers"):
        kind().layer_times_ms(b"", images(), 1, "fp32", runs=2)


def test_a_network_is_converted_where_there_is_no_gpu_to_what_pytorch_reads():
    x, module = images(), network()
    with torch.no_grad():
        expected = module(torch.from_numpy(x)).numpy()
    found = PyTorch().prepare(PyTorchCuda().convert(module, SHAPE, 2), x, 1, "fp32")()
    assert np.allclose(found, expected, atol=1e-5)


@pytest.mark.gpu
@EVERY
def test_convolutions_are_in_true_fp32_and_read_the_image_anew(kind):
    """TF32 has 10 bits of mantissa: it would be off by more than 1e-4 of what comes out."""
    x, module = images(), network(width=64)
    call = kind().prepare(kind().convert(module, SHAPE, 2), x, 1, "fp32")
    for _ in range(3):
        with torch.no_grad():
            expected = module.double()(torch.from_numpy(x).double()).numpy()
        assert np.abs(call() - expected).max() < 1e-5 * np.abs(expected).max()
        x[:] = x[::-1] + 1
    assert not torch.backends.cudnn.allow_tf32
    assert not torch.backends.cuda.matmul.allow_tf32


@pytest.mark.gpu
@EVERY
def test_its_own_clock_counts_no_more_than_the_hosts_and_more_for_more_images(kind):
    runtime, found = kind(), []
    for batch in (1, 512):
        call = runtime.prepare(runtime.convert(network(width=64), SHAPE, batch), images(batch), 1, "fp32")
        timer = runtime.timer()
        own, host = [], []
        for _ in range(20):
            start = time.perf_counter()
            own.append(timer(call))
            host.append((time.perf_counter() - start) * 1e3)
        assert 0 < min(own) <= min(host)
        found.append(min(own))
    assert found[0] < found[1]
