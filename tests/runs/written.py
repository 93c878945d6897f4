"""What tests of runs share: tiny images, runs written by hand, devices that misbehave, listeners that interrupt."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

import surgenas
from surgenas.core.architecture import Architecture
from surgenas.core.cost import Cost, Effort, Estimate, Failure
from surgenas.core.errors import UsageError
from surgenas.core.progress import Progress, Task
from surgenas.hardware.devices import make_target
from surgenas.hardware.target import Job, Target
from surgenas.hardware.timed.measurement import Measurement
from surgenas.nn.statistics import settle_statistics
from surgenas.nn.weights import save_weights
from surgenas.predictors.score import Score
from surgenas.runs.config import make_config
from surgenas.runs.journal import Journal
from surgenas.runs.names import AS_LONG, EQUAL, FOUND, RANDOM, YARDSTICK
from surgenas.runs.results import (
    Accuracy,
    Delivered,
    Derived,
    Exported,
    HeldOutLatencies,
    Layer,
    ModelFile,
    Planned,
    Predicted,
    Profiled,
    Reached,
    Rivals,
    Searched,
    TotalCost,
    Verified,
)
from surgenas.runs.run import Run
from surgenas.spaces.mobile import Mobile
from surgenas.tasks.by_class import judge_classes
from surgenas.testing import ToyDevice

TOY = "surgenas.testing:toy_device"
TINY: dict[str, Any] = {
    "device": TOY, "resolution": 16, "epochs": 2, "train_epochs": 2, "samples": 16, "batch": 48,
    "predictors": ("ridge", "flops"), "accelerator": "cpu",
}  # fmt: skip
GENES = ("k3e3",) * 10 + ("skip",)
SMALL = Mobile(layout="small", resolution=16, classes=10)
ARCH = SMALL.architecture(GENES)
DELIVERED = Delivered("toy", ModelFile("int8", 1, "toy 1"), {"model-int8.onnx": "0"}, 0.1, 0.9, 0.88)
SCORE = Score("ridge", 0.9, 0.8, 0.1, 0.5, 0.75, 0.1, 0.01, mean_ms=0.07, off=0.11, near_limit=0.12)
JUDGED = judge_classes(torch.tensor([0, 0, 1, 1, 1]), torch.tensor([0, 0, 0, 1, 2]), ("cat", "dog", "<owl>"))
"""How well a network tells three classes: two of three cats, all dogs, no owl."""
ROOFLINE = 'estimator = "roofline"\npeak_gmacs = 1.0\nbandwidth_gbs = 1.0\noverhead_us = 5\n'
"""A processor on paper, as a device file."""


def pictures(folder: Path, each: int = 32) -> Path:
    """Three classes of noisy 20 x 24 images: dark, middling, bright."""
    rng = np.random.default_rng(0)
    for name, level in (("bright", 190), ("dark", 60), ("middling", 120)):
        (folder / name).mkdir(parents=True)
        for i in range(each):
            pixels = rng.integers(level - 50, level + 50, size=(20, 24, 3)).astype(np.uint8)
            Image.fromarray(pixels).save(folder / name / f"{i}.png")
    return folder


def timed(ms: float, key: str = "k", grade: str = "A") -> Measurement:
    """Two runs of ten take half as long again."""
    spreads = ((ms,) * 8 + (1.5 * ms,) * 2,) * 3
    return Measurement(
        key, "toy/1", ms, ms, 0.01, grade, 10, ms, 1.5 * ms, "toy-reference", 1.0, 0.0, spreads_ms=spreads
    )


def estimated(ms: float, key: str = "k") -> Estimate:
    return Estimate(key, "paper/1", {"ms": ms, "cycles": 1e5 * ms}, "paper", "1", ("All is well.",), (("stem", ms),))


def new_run(folder: Path, **words: Any) -> Run:
    """Nothing done yet, on a simulated device."""
    return Run.create(folder, make_config(**{"device": TOY, "resolution": 16, **words}), Progress())


def again(run: Run, progress: Progress | None = None) -> Run:
    """The same run, opened anew."""
    return Run.open(run.folder, progress or Progress())


def written_run(
    folder: Path,
    accuracy: float = 0.9,
    beside: dict[str, float] | None = None,
    *,
    costs: dict[str, Cost] | None = None,
    limit_ms: float = 2.5,
    layers: tuple[Layer, ...] = (),
    **words: Any,
) -> Run:
    """A finished run that was never done: every result in its journal, no weights."""
    run = new_run(folder, **words)
    assert run.data.name, "its line is in the journal"
    assert run.target.name, "and the target's"
    beside = {YARDSTICK: 0.8, f"{EQUAL} 1": 0.7, f"{RANDOM} 1": 0.6, f"{AS_LONG} 1": 0.85} if beside is None else beside
    costs = costs or {name: timed(2.0 + 0.1 * i) for i, name in enumerate((FOUND, *beside))}
    found = run.space.architecture(GENES)
    rivals = {name: run.space.architecture(("k5e3", *GENES[1:])) for name in beside}
    run.journal.append("epoch", summary={"epoch": 0, "loss": 2.0, "accuracy": 0.5, "latency_ms": None, "skips": 3})
    run.journal.append("trained", network=FOUND, epoch=0, loss=1.0, accuracy=0.5)
    if not layers:
        layers = (Layer("stem", "fixed", (8, 8, 8), 1e6, 10, 0.25), Layer("layer1", "k3e3", (8, 8, 8), 2e6, 20, 0.75))
    steps = {
        "reach": (1.0, Reached(0.1, 4.0, limit_ms)),
        "plan": (1.0, Planned(2, 2, 10.0, 20.0, 5.0, 90.0, 10**9)),
        "profile": (5.0, Profiled(16, (None, 0.1))),
        "predict": (2.0, Predicted((SCORE,), HeldOutLatencies((1.0,), (1.1,)), SCORE, "ridge", "because")),
        "search": (60.0, Searched(1)),
        "derive": (3.0, Derived(found, 1.9, costs[FOUND], 1)),
        "rivals": (1.0, Rivals(rivals)),
        f"train {FOUND}": (20.0, Accuracy(accuracy, JUDGED.balanced_accuracy, JUDGED)),
        "cost": (0.0, TotalCost(3000, 100, 1000, 2)),
        **{f"train {name}": (20.0, Accuracy(value, value - 0.05)) for name, value in beside.items()},
        "export": (1.0, Exported(1e-6, 1.0, None if isinstance(costs[FOUND], Estimate) else DELIVERED)),
        "verify": (1.0, Verified(costs, layers)),
    }  # fmt: skip
    for step, (seconds, result) in steps.items():
        run.journal.append("spent", step=step, seconds=seconds)
        run.record(step, result)
    (run.folder / "architecture.json").write_text(found.to_json())
    return run


def end_of(folder: Path) -> dict[str, Any]:
    """What must be equal between two runs: everything but times."""
    journal = Journal(folder / "journal.jsonl")
    return {
        "epochs": [e["summary"] for e in journal.all("epoch")],
        "trials": journal.all("trial"),
        "work": journal.all("work"),
        "trained": journal.all("trained"),
        "done": [e for e in journal.all("done") if e["step"] not in ("plan", "predict")],  # they hold times
        "weights": {p.name: p.read_bytes() for p in folder.glob("*.safetensors")},
        "onnx": (folder / "model.onnx").read_bytes(),
        "architecture": (folder / "architecture.json").read_text(),
    }  # fmt: skip


class Interrupting(Progress):
    """Stops everything right after the given number of epochs or candidates."""

    def __init__(self, after: int) -> None:
        self.left = after

    @contextmanager
    def task(self, name: str, total: int, done: int = 0) -> Iterator[Task]:
        yield _Step(self) if name.startswith(("search", "train", "start")) else Task()


class _Step(Task):
    def __init__(self, listener: Interrupting) -> None:
        self.listener = listener

    def advance(self, note: str = "") -> None:
        self.listener.left -= 1
        if self.listener.left == 0:
            raise KeyboardInterrupt


def killed(folder: Path, after: tuple[int, ...], **settings: Any) -> None:
    """A run, new or begun, that is killed after as many epochs or candidates, again and again, then left in peace."""
    begun = not settings
    for number in after:
        listener = Interrupting(number)
        go_on = partial(surgenas.search, out=folder, **settings) if not begun else partial(surgenas.resume, folder)
        with pytest.raises(KeyboardInterrupt):
            go_on(progress=listener)
        begun = True
    surgenas.resume(folder)


# --- devices


class BusyDevice(ToyDevice):
    """Every quick measurement is of grade D; a patient one is not."""

    def measured(self, job: Job, effort: Effort) -> Cost | Failure:
        found = super().measured(job, effort)
        return replace(found, grade="D") if effort is Effort.LEARN else found


class HopelessDevice(ToyDevice):
    """Every measurement is of grade D."""

    def measured(self, job: Job, effort: Effort) -> Cost | Failure:
        return replace(super().measured(job, effort), grade="D")


class GrainyDevice(ToyDevice):
    """A tenth of every latency is chance, and stays the network's."""

    def measured(self, job: Job, effort: Effort) -> Cost | Failure:
        found = super().measured(job, effort)
        chance = int(job.key[:4], 16) / 0xFFFF
        return replace(found, ms=found.ms * (0.9 + 0.2 * chance))


class FickleDevice(ToyDevice):
    """As long as it is busy, what confirms a candidate takes three times as long: nothing fits twice."""

    busy = True

    def measured(self, job: Job, effort: Effort) -> Cost | Failure:
        found = super().measured(job, effort)
        return replace(found, ms=3.0 * found.ms) if self.busy and effort is Effort.CLAIM else found


class CountingDevice(ToyDevice):
    """Notes what it is asked, and stops everything at its `fatal`-th question."""

    asked: list[list[str]] = []  # noqa: RUF012
    fatal = 0

    def price(self, jobs, effort=Effort.LEARN, **how):
        self.asked.append([job.key for job in jobs])
        if len(self.asked) == self.fatal:
            raise KeyboardInterrupt
        return super().price(jobs, effort, **how)


class PickyDevice(ToyDevice):
    """No kernel for Xception's operators."""

    def measured(self, job: Job, effort: Effort) -> Cost | Failure:
        failed = Failure(job.key, UsageError("no kernel for this"))
        return failed if "choice_x" in job.key or "/x/" in job.key else super().measured(job, effort)


class SnobbishDevice(ToyDevice):
    """Runs nothing but networks of one width: the yardstick is not among them."""

    def measured(self, job: Job, effort: Effort) -> Cost | Failure:
        width = dict(job.arch.space.settings).get("width", 1.0) if job.arch else 1.0
        return super().measured(job, effort) if width == 1.0 else Failure(job.key, UsageError("not that width"))


class HandingDevice(ToyDevice):
    """Simulated latencies; what it hands on, and what that answers to images, is real. It notes what it measures."""

    measured_files: list[dict[str, bytes]] = []  # noqa: RUF012

    def __init__(self, name: str = "onnxruntime-cpu-int8") -> None:
        self.real = make_target(name)
        self.name, self.key = name, f"toy/{name}"
        self.suffixes, self.runs_open_onnx = self.real.suffixes, self.real.runs_open_onnx

    def describe(self):
        return replace(self.real.describe(), key=self.key)

    def measured(self, job: Job, effort: Effort) -> Cost | Failure:
        if job.files:
            self.measured_files.append(dict(job.files()))
        return super().measured(job, effort)

    def deliver(self, job):
        return self.real.deliver(job)

    def logits(self, job, images):
        return self.real.logits(job, images)


class HandingXml(HandingDevice):
    """As HandingDevice, in OpenVINO's format."""

    def __init__(self) -> None:
        super().__init__("openvino-cpu")


class HandingNcnn(HandingDevice):
    """As HandingDevice, in ncnn's format."""

    def __init__(self) -> None:
        super().__init__("ncnn-cpu")


class HandingMnn(HandingDevice):
    """As HandingDevice, in MNN's format."""

    def __init__(self) -> None:
        super().__init__("mnn-cpu")


def handing_npu() -> Target:
    """A small NPU, on which nothing runs, and which takes a file in int8."""
    return make_target("ethos-u55-128")


class HandingOnnx(HandingDevice):
    """As HandingDevice, in fp32."""

    def __init__(self) -> None:
        super().__init__("onnxruntime-cpu")


def trained(run: Run) -> Run:
    """A run whose found network has weights, as if trained; nothing is exported yet."""
    torch.manual_seed(0)
    run.record("reach", Reached(0.001, 1.0, 0.5))
    run.record("derive", Derived(run.space.architecture(GENES), 1.0, timed(1.0), 1))
    run.record("rivals", Rivals({}))
    network = settle_statistics(run.space.build(run.derived.architecture), run.space.input_shape)
    for module in network.modules():
        if hasattr(module, "num_batches_tracked"):
            module.num_batches_tracked += 1
    save_weights(run.folder / "model.safetensors", network.state_dict())
    (run.folder / "architecture.json").write_text(run.derived.architecture.to_json())
    return run


def architecture_file(path: Path, arch: Architecture = ARCH) -> Path:
    path.write_text(arch.to_json())
    return path


def lines_of(run: Run) -> list[dict[str, Any]]:
    """The journal as it is on disk."""
    return [json.loads(line[9:]) for line in run.journal.path.read_text().splitlines()]
