"""Devices are data: files shipped and yours, far ones behind a command, and every mistake in one line."""

from __future__ import annotations

import json
import os
import sys
import time

import pytest

from surgenas.core import moves
from surgenas.core.catalog import look_up
from surgenas.core.errors import DataError, EnvironmentFault, UsageError
from surgenas.engine.jobs import job_of
from surgenas.hardware import ESTIMATORS
from surgenas.hardware.devices import make_target, shipped_names
from surgenas.hardware.estimated.roofline import RooflineTarget
from surgenas.hardware.estimated.table import TableTarget
from surgenas.hardware.runtimes.onnxruntime import OnnxRuntime
from surgenas.hardware.target import TimedTarget
from surgenas.hardware.timed.link import HERE, DeviceLost
from surgenas.hardware.timed.timing import Protocol
from surgenas.testing import brief_device, check_target

SHORT = Protocol(rounds=3, max_rounds=3, warmup_s=0.01)
GIVEN = ("reference-s/2", 1.0)


def jobs(small, *operators):
    return [job_of(moves.uniform_architecture(small, operator)) for operator in operators]


SLOW = (
    "openvino-cpu",
    "openvino-cpu-bf16",
    "mnn-cpu",
    "litert-cpu",
    "executorch-cpu",
    "ncnn-cpu",
    "ncnn-cpu-fp16",
    "torch-compile-cpu",
    "pytorch-cpu",
    "openvino-cpu-int8",
    "onnxruntime-cpu-int8",
)
"""A quarter of a minute and more to convert, quantize or compile a few networks."""


def marks(name):
    on_gpu = name.endswith(("cuda", "cuda-graph", "tensorrt"))
    return [pytest.mark.gpu] * on_gpu + [pytest.mark.slow] * (name in SLOW)


ALIKE = ("batch8", "u55-32", "u55-64", "u55-256", "u65-256", "u65-512", "85-128", "85-256", "85-512", "1024", "2048")
"""Ends of names of devices that differ from another by a number; test_ethosu asks all NPUs."""


@pytest.mark.parametrize("name", [pytest.param(n, marks=marks(n)) for n in shipped_names() if not n.endswith(ALIKE)])
def test_shipped_devices_keep_their_contract(small, name):
    try:
        target = make_target(name)
    except EnvironmentFault as missing:
        pytest.skip(str(missing))
    target = brief_device(name) if isinstance(target, TimedTarget) else target
    check_target(target, jobs(small, "k3e3", "skip"))
    assert target.describe().name == name


def test_a_gpu_is_known_by_what_its_driver_says(driver):
    with pytest.raises(EnvironmentFault, match="NVIDIA GPU and its driver"):
        make_target("cuda-graph")
    with pytest.raises(EnvironmentFault, match="onnxruntime-gpu"):
        make_target("onnxruntime-cuda")
    driver("echo 'NVIDIA H100'")
    assert make_target("cuda-graph").key.split("/")[1].endswith("on NVIDIA H100")


def test_a_file_of_ones_own(tmp_path, small):
    (tmp_path / "two.toml").write_text('runtime = "onnxruntime"\nthreads = 2\nbatch = 4\n')
    device = make_target(str(tmp_path / "two.toml"))
    assert device.key.endswith("fp32/threads=2/batch=4")
    (found,) = device.on_scale(GIVEN).measure(jobs(small, "skip"), protocol=SHORT)
    assert found.device == device.key


def test_a_far_device_is_known_by_its_own_fingerprint_and_versions(tmp_path, small):
    """The same loop on the far side of a command: a plain subprocess that claims to be another host, without torch."""
    script = tmp_path / "far.py"
    script.write_text(
        "import sys\nsys.modules['torch'] = None\n"
        "from surgenas.hardware import worker\nworker.host_fingerprint = lambda: 'pi-4'\nworker.main()\n"
    )
    command = json.dumps([sys.executable, str(script)])
    (tmp_path / "pi.toml").write_text(f'runtime = "onnxruntime"\ncommand = {command}\n')
    device = make_target(str(tmp_path / "pi.toml"))
    assert device.key.startswith("pi-4/onnxruntime-")
    found = device.on_scale(GIVEN).measure(jobs(small, "skip", "k3e3"), protocol=SHORT)
    assert len(device.store.find(found[0].key, device.key)) == 1
    assert all(m.ms > 0 and m.max_difference < 1e-3 for m in found)
    with pytest.raises(UsageError, match="this machine only"):
        device.layer_shares(jobs(small, "skip")[0])


def test_a_host_is_reached_by_ssh(tmp_path, monkeypatch):
    """An ssh of ours that writes down whom it was to reach, and then runs what follows here."""
    ssh = tmp_path / "ssh"
    ssh.write_text(f'#!/bin/sh\necho "$1 $2" > {tmp_path}/asked\nshift 2\nexec {sys.executable} "$@"\n')
    ssh.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    (tmp_path / "pi.toml").write_text('runtime = "onnxruntime"\nhost = "pi@raspberrypi.local"\n')
    assert "/onnxruntime-" in make_target(str(tmp_path / "pi.toml")).key
    assert (tmp_path / "asked").read_text() == "pi@raspberrypi.local python3\n"


ONNX = "surgenas.hardware.runtimes"


class Shy(OnnxRuntime):
    """A runtime that fails when it is asked for its version."""

    name = "shy"

    @property
    def version(self):
        raise KeyError("here")


ROOFLINE = 'estimator = "roofline"\npeak_gmacs = 1\nbandwidth_gbs = 1.5\n'


@pytest.mark.parametrize(
    ("text", "error", "named"),
    [
        ('runtime = "onnxruntime"\nthread = 2', UsageError, "thread: extra inputs.*known keys: runtime, threads"),
        ('runtime = "onnxruntime"\nthreads = 0', UsageError, "threads: input should be greater"),
        ('runtime = "onnxruntime"\nthreads = true', UsageError, "threads: input should be a valid integer"),
        ('runtime = "onnxruntime"\ncommand = "ssh pi"', UsageError, "command: input should be a valid list"),
        ('runtime = "pytorch"\nprecision = "int8"', UsageError, "x.toml: pytorch has no int8"),
        ('runtime = "ncnn"\nbatch = 2', UsageError, "x.toml: ncnn computes one image at a time; leave out batch"),
        ('runtime = "onnxruntime"\nprecision = "int3"', UsageError, "precision"),
        ('runtime = "abacus"', UsageError, "unknown runtime 'abacus'; one of .*onnxruntime"),
        ('runtime = "json:dumps"', UsageError, "x.toml: runtime 'json:dumps' cannot be made: TypeError"),
        ('runtime = "builtins:dict"', UsageError, "x.toml: .*makes a dict; expected a hardware.runtimes.Runtime"),
        (f'runtime = "{ONNX}:OnnxReader"', UsageError, "x.toml: .* cannot be made: TypeError: Can't instantiate"),
        (f'runtime = "{ONNX}.onnxruntime:OnnxRuntime"', UsageError, "x.toml: .* needs a `name` of its own"),
        (f'runtime = "{__name__}:Shy"', EnvironmentFault, "runtime shy does not tell its version: KeyError: 'here'"),
        ("threads = 1", UsageError, "runtime: field required"),
        ("runtime = ", UsageError, "not TOML"),
        (
            'runtime = "onnxruntime"\nhost = "-oProxyCommand=touch x"',
            UsageError,
            r"host: string should match pattern '\^\[A-Z",
        ),
        ('runtime = "onnxruntime"\nhost = "a"\ncommand = ["b"]', UsageError, "either host or command"),
        ("batch = 2\nprecision = 3", UsageError, "estimator, where nothing is to be timed"),
        ('estimator = "roofline"\nruntime = "onnxruntime"', UsageError, "x.toml: either runtime or estimator"),
        (
            'estimator = "oracle"',
            UsageError,
            "x.toml: unknown estimator 'oracle'; one of accelerator, crossbar, ethos-u, roofline, table, or a path",
        ),
        ('estimator = "json:dumps"', UsageError, "x.toml: the estimator is .*expected a dataclass"),
        ('estimator = "roofline"\nbandwidth_gbs = 1', UsageError, "x.toml: peak_gmacs: field required; known keys"),
        (ROOFLINE + "peak = 1", UsageError, "x.toml: peak: extra inputs.*known keys: estimator, peak_gmacs"),
        (ROOFLINE + "threads = 2", UsageError, "threads: extra inputs"),
        (ROOFLINE + "overhead_us = -1", UsageError, "overhead_us: input should be greater than or equal to 0"),
        (ROOFLINE + "overhead_us = inf", UsageError, "overhead_us: input should be a finite number"),
        (ROOFLINE + "depthwise_utilisation = 2", UsageError, "depthwise_utilisation: input should be less"),
        (ROOFLINE + "depthwise_utilisation = nan", UsageError, "depthwise_utilisation: input should be"),
        (ROOFLINE + "batch = 0", UsageError, "batch: input should be greater"),
        (ROOFLINE + "batch = true", UsageError, "batch: input should be a valid integer"),
        (ROOFLINE + 'precision = "int4"', UsageError, "precision: input should be 'fp32' or 'int8'"),
        ('estimator = "roofline"\npeak_gmacs = "fast"\nbandwidth_gbs = 1', UsageError, "peak_gmacs: input should be"),
        ('estimator = "table"\nspace = "single_path"', UsageError, "x.toml: table: field required"),
        ('estimator = "table"\ntable = "none.json"\nspace = "single_path"', UsageError, "x.toml: .*none.json: No such"),
        ('estimator = "table"\ntable = "x.toml"\nspace = "single_path"', DataError, "x.toml: .*invalid JSON"),
        ('estimator = "table"\ntable = "x.toml"\nspace = "round"', UsageError, "x.toml: unknown space 'round'"),
        ('estimator = "table"\ntable = "x.toml"\nspace = 3', UsageError, 'space: value error, expected "single_path"'),
        (
            'estimator = "table"\ntable = "x.toml"\nspace = { name = "single_path", depths = 1 }',
            UsageError,
            "x.toml: space 'single_path' has no setting 'depths'; one of layout",
        ),
    ],
)
def test_a_device_file_that_is_wrong_says_what(tmp_path, text, error, named):
    (tmp_path / "x.toml").write_text(text)
    with pytest.raises(error, match=named) as raised:
        make_target(str(tmp_path / "x.toml"))
    assert "\n" not in str(raised.value)


def test_a_roofline_of_ones_own(tmp_path, small):
    (tmp_path / "paper.toml").write_text(ROOFLINE + 'precision = "int8"\nbatch = 4\n')
    target = make_target(str(tmp_path / "paper.toml"))
    assert target == RooflineTarget("paper", 1.0, 1.5, batch=4, precision="int8")
    check_target(target, jobs(small, "k3e3", "skip"))


def test_a_table_of_ones_own_lies_beside_its_file(tmp_path, small):
    rows = {str(n): dict.fromkeys(small.choices[0].options, 1.0) for n in range(1, 12)}
    (tmp_path / "table.json").write_text(json.dumps(rows))
    space = 'space = { name = "mobile", layout = "small", resolution = 16, classes = 10 }'
    (tmp_path / "phone.toml").write_text(f'estimator = "table"\ntable = "table.json"\n{space}\n')
    target = make_target(str(tmp_path / "phone.toml"))
    assert isinstance(target, TableTarget)
    assert (target.name, target.table, target.space.spec) == ("phone", tmp_path / "table.json", small.spec)
    check_target(target, jobs(small, "k3e3", "skip"))


def test_every_catalogued_estimator_can_be_looked_up():
    for name, path in ESTIMATORS.items():
        assert look_up("estimator", name, ESTIMATORS).__name__ == path.split(":")[1]


def test_a_command_that_reaches_nobody_is_tried_again_after_a_while(tmp_path, monkeypatch):
    waited = []
    monkeypatch.setattr(time, "sleep", waited.append)
    (tmp_path / "x.toml").write_text('runtime = "onnxruntime"\ncommand = ["no-such-command"]')
    with pytest.raises(DeviceLost, match=r"no-such-command: cannot be started .*\(3 tries\)"):
        make_target(str(tmp_path / "x.toml"))
    assert waited == sorted(waited)
    assert len(waited) == 2


def test_unknown_devices_are_named_with_the_known_ones():
    for name in ("tpu", "no.such.module:x", "surgenas.hardware.timed.device:nothing"):
        with pytest.raises(UsageError, match="onnxruntime-cpu"):
            make_target(name)
    for name, said in (("math:pi", "cannot be made: TypeError"), ("builtins:dict", "makes a dict, which has no")):
        with pytest.raises(UsageError, match=said):
            make_target(name)


@pytest.mark.parametrize("elsewhere", [False, True])
def test_more_threads_than_may_be_used_are_refused_here_and_elsewhere(tmp_path, elsewhere):
    command = f"command = {json.dumps(list(HERE))}\n" if elsewhere else ""
    (tmp_path / "many.toml").write_text(f'runtime = "onnxruntime"\nthreads = 1000\n{command}')
    with pytest.raises(EnvironmentFault, match=r"1000 threads, but \d+ cores? may be used"):
        make_target(str(tmp_path / "many.toml"))


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="no affinity on this system")
def test_where_one_core_is_permitted_two_threads_are_not(tmp_path):
    (tmp_path / "two.toml").write_text('runtime = "onnxruntime"\nthreads = 2')
    before = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {min(before)})
        with pytest.raises(EnvironmentFault, match="2 threads, but 1 core may be used"):
            make_target(str(tmp_path / "two.toml"))
    finally:
        os.sched_setaffinity(0, before)


def test_a_precision_that_a_runtime_or_a_processor_lacks_is_said(tmp_path, monkeypatch):
    (tmp_path / "x.toml").write_text('runtime = "pytorch"\nprecision = "int8"\n')
    with pytest.raises(UsageError, match="pytorch has no int8; one of fp32"):
        make_target(str(tmp_path / "x.toml"))
    openvino = pytest.importorskip("openvino")
    monkeypatch.setattr(openvino.Core, "get_property", lambda *_: ["FP32", "INT8"])
    with pytest.raises(EnvironmentFault, match="this processor has no bf16"):
        make_target("openvino-cpu-bf16")
