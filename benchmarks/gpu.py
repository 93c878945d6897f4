"""Everything that needs a GPU, in ten minutes of an H100: `make gpu`.

    python benchmarks/gpu.py [--only tests,steps,training,promise,demo] [--device cuda] [--keep]

tests: those marked gpu. steps: a search step's images a second, times its K paths, over those of training the mean path
alone, in turns, and the memory that it takes over the largest path's. training: images a second of a network in
float32, in bfloat16, and with its blocks compiled, in turns. promise: benchmarks/measurement.py on three devices.
demo: a whole search of the digits that trains and measures there. With `--device cpu` steps and training run here.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import torch
from common import ROOT, finish, spread
from step_cost import BATCH, ROUNDS, drawn_paths, predictor_of, problem, standalone, train_step
from torch import nn

from surgenas.core import moves
from surgenas.methods.base import Problem
from surgenas.methods.surgenas import SurgeNAS
from surgenas.nn import Precision
from surgenas.nn.precision import in_precision

DEVICES = ("pytorch-cuda", "torch-compile-cuda", "cuda-graph")
SIZES = (32, 64, 128)
PRECISION: Precision = "auto"
WARM = 3


def tests(device: torch.device) -> Any:
    """The exit status of the tests that need a GPU."""
    return _run("-m", "pytest", "-m", "gpu", "-W", "default", timeout=240)


def demo(device: torch.device) -> Any:
    """The seconds of a whole search, and its exit status."""
    begun = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        out = str(Path(folder) / "run")
        code = _run(
            "-m", "surgenas", "search", "--accelerator", "cuda", "--device", "cuda-graph", "--out", out, timeout=400
        )
    return {"status": code, "seconds": time.monotonic() - begun}


def promise(device: torch.device) -> Any:
    """The exit status of the benchmark of measuring, on each device; its figures are kept by itself."""
    brief = ("--networks", "8", "--repetitions", "6", "--disturbed", "0", *(["--keep"] if "--keep" in sys.argv else []))
    script = str(ROOT / "benchmarks" / "measurement.py")
    return {name: _run(script, "--device", name, *brief, timeout=150) for name in DEVICES}


def steps(device: torch.device) -> Any:
    """By the images' size: images a second x K over the mean path's alone, and peak memory over the largest path's."""
    found = {}
    for size in SIZES:
        space, images, labels = problem(size)
        images, labels = images.to(device), labels.to(device)
        method = SurgeNAS(warmup=0.0, epochs=1000)
        asked = Problem(space, 1.0, 0, predictor=predictor_of(space), steps_per_epoch=10, accelerator=device)
        search = method.begin(asked)
        ratios, memory = [], []
        for index in range(WARM + ROUNDS):
            paths = drawn_paths(search, index)
            alone = [_trainer(space, path, images, labels) for path in paths]
            for step in alone:
                step()
            before = _seconds(device, *alone)
            step_seconds = _seconds(device, partial(search.step, images, labels, index))
            ratios.append((before + _seconds(device, *alone)) / (2 * step_seconds))
            if device.type == "cuda":
                memory.append(
                    _peak(device, partial(search.step, images, labels, index)) / max(_peak(device, s) for s in alone)
                )
        found[f"{size} px"] = {"speed": spread(ratios[WARM:]), "memory": spread(memory[WARM:]) if memory else None}
        print(size, found[f"{size} px"]["speed"]["median"], file=sys.stderr)
    return found


def training(device: torch.device) -> Any:
    """By the images' size and the way of computing: images a second over those in float32."""
    found: dict[str, Any] = {}
    for size in SIZES:
        space, images, labels = problem(size)
        images, labels = images.to(device), labels.to(device)
        path = moves.indices(space, moves.uniform_architecture(space, "k5e6"))
        make = partial(_trainer, space, path, images, labels)
        ways = {"fp32": make("fp32"), "bf16": make("bf16")}
        if device.type == "cuda":  # on a CPU they take 1.3 times as long, and a minute to compile (docs/log.md)
            ways["bf16, blocks compiled"] = make("bf16", compiled=True)
        rows: dict[str, list[float]] = {name: [] for name in ways}
        for _ in range(WARM + ROUNDS):
            for name, step in ways.items():
                rows[name].append(_seconds(device, step))
        over = {
            name: spread([a / b for a, b in zip(rows["fp32"], row, strict=True)][WARM:]) for name, row in rows.items()
        }
        found[f"{size} px"] = {**over, "fp32 images/s": BATCH / min(rows["fp32"][WARM:])}
        print(size, {name: row["median"] for name, row in over.items()}, file=sys.stderr)
    return found


def _trainer(
    space: Any, path: tuple[int, ...], images: torch.Tensor, labels: torch.Tensor, precision: Precision = PRECISION,
    compiled: bool = False,
) -> Callable[[], None]:  # fmt: skip
    network, _ = standalone(space, path)
    network.to(images.device)
    optimizer = torch.optim.SGD(network.parameters(), 0.1, momentum=0.9, weight_decay=3e-5)
    if compiled:
        for block in max((m for m in network.modules() if isinstance(m, nn.Sequential | nn.ModuleList)), key=len):
            block.compile()

    def step() -> None:
        with in_precision(precision, images.device):
            train_step(network, optimizer, images, labels)

    return step


def _seconds(device: torch.device, *calls: Callable[[], object]) -> float:
    if device.type == "cuda":
        torch.cuda.synchronize()
    begun = time.perf_counter()
    for call in calls:
        call()
    if device.type == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - begun


def _peak(device: torch.device, call: Callable[[], object]) -> int:
    """Bytes that a call takes beyond those that are held before it."""
    torch.cuda.synchronize()
    torch.cuda.reset_peak_memory_stats(device)
    before = torch.cuda.memory_allocated(device)
    call()
    torch.cuda.synchronize()
    return torch.cuda.max_memory_allocated(device) - before


def _run(*words: str, timeout: float) -> int | str:
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    try:
        return subprocess.run([sys.executable, *words], cwd=ROOT, env=env, timeout=timeout, check=False).returncode
    except subprocess.TimeoutExpired:
        return f"not done in {timeout:g} s"


PARTS: dict[str, Callable[[torch.device], Any]] = {
    "tests": tests, "steps": steps, "training": training, "promise": promise, "demo": demo,
}  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default=",".join(PARTS))
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--keep", action="store_true")
    args = parser.parse_args()
    device = torch.device(args.device)
    if device.type == "cuda" and not torch.cuda.is_available():
        raise SystemExit("no GPU here that torch can use; --device cpu --only steps,training runs here")
    figures: dict[str, Any] = {}
    for name in args.only.split(","):
        begun = time.monotonic()
        figures[name] = PARTS[name](device)
        print(f"{name}: {time.monotonic() - begun:.0f} s", file=sys.stderr)
    kind = torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu"
    finish("gpu", {"gpu": kind, "batch": BATCH, **figures})


if __name__ == "__main__":
    main()
