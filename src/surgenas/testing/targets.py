"""Contract checks of targets and of the runtimes behind them."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from contextlib import suppress

import numpy as np
import torch
from torch import nn

from surgenas.core.errors import UsageError
from surgenas.hardware.costs import read_cost
from surgenas.hardware.runtimes import Images, Runtime
from surgenas.hardware.target import Job, Target, TargetInfo, TimedTarget, all_costs
from surgenas.hardware.timed.measurement import Measurement

SHAPE = (3, 8, 8)
"""(C, H, W) of the images that runtimes are tried with."""


def check_target(target: Target, jobs: Sequence[Job]) -> None:
    """Check that a target prices jobs in order, by its own key and units; that what it says survives JSON; and that a
    device keeps to its scale, with layer shares that sum to 1. Raises AssertionError."""
    info = target.describe()
    assert (info.name, info.key) == (target.name, target.key)
    assert TargetInfo.from_json(json.loads(json.dumps(info.to_json()))) == info
    if isinstance(target, TimedTarget):
        name, ms = target.calibrate(jobs[0])
        known = target.known(name)
        assert known is not None, "it was calibrated just now"
        assert known.ms > 0
        assert known.doubt >= 0
        target = target.on_scale((name, ms))
        with suppress(UsageError):  # some runtimes cannot tell
            assert np.isclose(sum(target.layer_shares(jobs[0]).values()), 1.0)
    found = all_costs(target.price(jobs))
    assert [cost.key for cost in found] == [job.key for job in jobs]
    for cost in found:
        assert cost.ms > 0
        assert cost.target == target.key
        assert cost.evidence == info.evidence
        assert set(cost.values) == set(target.units)
        assert (cost.grade is None) == (cost.interval_ms is None) == (cost.evidence == "estimated")
        assert read_cost(json.loads(json.dumps(cost.to_dict()))) == cost
        if isinstance(cost, Measurement) and isinstance(target, TimedTarget):
            assert (cost.reference, cost.reference_ms) == (name, ms)
            assert np.isclose(cost.ms, cost.ratio * cost.reference_ms)


def check_runtime(runtime: Runtime) -> None:
    """Check that a runtime tells its name, version and precisions, and computes what PyTorch computes, of the images as
    they are at each call; that the files that it hands on do too; that it refuses what is no model, and a batch if it
    takes none; and that it quantizes and tells the times of layers, or says in one line that it cannot. Raises
    AssertionError."""
    assert runtime.name
    assert runtime.version
    assert "fp32" in runtime.precisions
    assert runtime.missing_feature("fp32") == ""
    rng, module = np.random.default_rng(0), _small_network()
    for batch in (1, 3) if runtime.takes_batches else (1,):
        images = rng.standard_normal((batch, *SHAPE), dtype=np.float32)
        model = runtime.convert(module, SHAPE, batch)
        call = runtime.prepare(model, images, 1, "fp32")
        for _ in range(3):
            with torch.no_grad():
                expected = module(torch.from_numpy(images)).numpy()
            found = call()
            assert found.shape == expected.shape
            assert found.dtype == np.float32
            assert np.allclose(found, expected, atol=1e-4)
            images[:] = rng.standard_normal(images.shape, dtype=np.float32)
        _check_files(runtime, model, images, call())
    if not runtime.takes_batches:
        _check_refusal(_raised_by(lambda: runtime.convert(module, SHAPE, 3)), runtime.name)
    _check_extras(runtime, model, images)


def _check_files(runtime: Runtime, model: bytes, images: Images, expected: Images) -> None:
    """Check that the files in which a model is handed on are of the suffixes that are told, and the same model."""
    files = runtime.to_files(model)
    assert tuple(files) == runtime.suffixes
    assert files == runtime.to_files(model), "the same files each time"
    assert np.allclose(runtime.prepare(runtime.from_files(files), images, 1, "fp32")(), expected, atol=1e-5)


def _small_network() -> nn.Module:
    torch.manual_seed(0)
    layers = (nn.Conv2d(3, 4, 3, stride=2), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(36, 5))
    return nn.Sequential(*layers).eval()


def _check_extras(runtime: Runtime, model: bytes, images: Images) -> None:
    """Check what a runtime may lack: int8 and the times of layers; and that nonsense is no model."""
    error = _raised_by(lambda: runtime.prepare(b"no model", images, 1, "fp32"))
    assert error, "bytes that are no model are refused"
    assert not isinstance(error, AttributeError | NameError), "a fault of the runtime's code"
    if "int8" not in runtime.precisions:
        _check_refusal(_raised_by(lambda: runtime.quantize(model, images)), runtime.name)
    error = _raised_by(lambda: runtime.layer_times_ms(model, images, 1, "fp32", runs=2))
    if error:
        _check_refusal(error, runtime.name)
    else:
        times = runtime.layer_times_ms(model, images, 1, "fp32", runs=2)
        assert times
        assert min(times.values()) >= 0


def _check_refusal(error: Exception | None, name: str) -> None:
    assert isinstance(error, UsageError)
    assert str(error).startswith(name)
    assert "\n" not in str(error)


def _raised_by(call: Callable[[], object]) -> Exception | None:
    try:
        call()
    except Exception as error:  # noqa: BLE001  each runtime has its own
        return error
    return None
