"""Is a millisecond true, whenever the machine was calibrated? Runs on a simulated machine whose speed changes.

python benchmarks/scale.py [--runs N] [--hogged N] [--keep]

Once on a new machine each time, of which nothing is known, and once on one machine, an hour between the runs.

Each run is the measuring of a search: calibrated at any moment, then networks to learn from, candidates and rivals with
minutes of training between. The machine is in one of three states for one to five minutes each. What a run says in the
end is compared with what its networks take in the fastest state.

With --hogged, that many runs of seven minutes on this machine instead: two programs compute while it is calibrated, and
what is said of a network in the end is compared with the fast decile of a plain loop over ONNX Runtime.
"""

from __future__ import annotations

import argparse
import gc
import math
import subprocess
import sys
import tempfile
import time
import timeit
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from common import finish
from torch import nn

from surgenas.core import moves
from surgenas.core.cost import Effort
from surgenas.core.progress import Progress
from surgenas.engine.jobs import job_of
from surgenas.hardware.devices import make_target
from surgenas.hardware.runtimes import Images
from surgenas.hardware.runtimes.onnxruntime import OnnxRuntime
from surgenas.hardware.target import Job
from surgenas.hardware.timed.conversion import convert_for
from surgenas.hardware.timed.device import RuntimeDevice
from surgenas.hardware.timed.measurement import Measurement
from surgenas.hardware.timed.scale import REPAIRED
from surgenas.hardware.timed.session import Answer, Greeting, Network, Request
from surgenas.hardware.timed.store import Store
from surgenas.hardware.timed.timing import Machine, run_campaign
from surgenas.nn.cost import count
from surgenas.spaces import make_space

STATES = (1.0, 1.45, 1.8)
NOISE = 0.01
SHAPE = (3, 8, 8)
STEPS = (
    (0, Effort.LEARN), (0, Effort.LEARN), (1.5, Effort.CLAIM), (0, Effort.CONFIRM), (2, Effort.CLAIM),
)  # fmt: skip
"""Minutes of training, and what is measured then."""
MINUTES = 6


class Clock:
    """Simulated seconds, and how slow the machine is at any of them."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.rng, self.now_s, self.state, self.until_s = rng, 1.0, int(rng.integers(3)), float(rng.uniform(1, 300))

    def slowness(self) -> float:
        while self.now_s > self.until_s:
            self.state = (self.state + int(self.rng.integers(1, 3))) % 3
            self.until_s += float(self.rng.uniform(60, 300))
        return STATES[self.state]

    def wait(self, seconds: float) -> None:
        self.now_s += seconds

    def network(self, ms: float) -> Callable[[], None]:
        def call() -> None:
            self.wait(1e-3 * ms * self.slowness() * (1 + NOISE * self.rng.exponential()))

        return call


class Known(nn.Module):
    """A network that takes a known time, and computes zeros."""

    def __init__(self, ms: float) -> None:
        super().__init__()
        self.ms = ms

    def forward(self, x_NCHW: torch.Tensor) -> torch.Tensor:
        return torch.zeros(len(x_NCHW), 10)


class Simulated:
    """A runtime whose models are their milliseconds."""

    name, own_process, takes_onnx, precisions = "simulated", False, False, ("fp32",)

    def convert(self, module: nn.Module, input_shape: tuple[int, int, int], batch: int) -> bytes:
        known = module.ms if isinstance(module, Known) else count(module, input_shape)[0] / 1e7
        return str(known).encode()


@dataclass(frozen=True)
class SimulatedLink:
    """In place of a worker: the real loop, on the simulated clock."""

    clock: Clock
    command: tuple[str, ...] = ("simulated",)

    def perform(self, request: Request, progress: Progress) -> Answer:
        def prepare(network: Network) -> Callable[[], None]:
            return self.clock.network(float(network.model))

        calls = {name: prepare(network) for name, network in request.networks.items()}
        machine = Machine(now=lambda: self.clock.now_s, switches=lambda: 0, sleep=self.clock.wait)
        rng = np.random.default_rng(request.seed)
        campaign = run_campaign(calls, prepare(request.reference), request.reference_ms, request.protocol, rng, machine)
        self.clock.wait(2.0)  # compiling, a new process
        outputs: dict[str, Images] = {name: np.zeros((1, 10), np.float32) for name in calls}
        return Answer(campaign, outputs, {"crowded": 0.0})


def one_run(seed: int, store: Store, clock: Clock) -> tuple[Measurement, float]:
    """(what a run says in the end of its found network, the milliseconds that this network takes in truth)."""
    far = Greeting("host", "simulated", {"simulated": "1"})
    device = RuntimeDevice("simulated", Simulated(), store, far, link=SimulatedLink(clock))  # type: ignore[arg-type]
    true_ms = clock.rng.uniform(1.0, 2.0, 8)
    jobs = [Job(f"{seed}-{i}", lambda ms=ms: Known(ms), SHAPE) for i, ms in enumerate(true_ms)]
    scale = device.calibrate(jobs[0])
    scaled = device.on_scale(scale)
    for minutes, effort in STEPS:
        clock.wait(60 * minutes)
        said = scaled.price(jobs, effort, seed=seed)[0]
    assert isinstance(said, Measurement)
    known = device.known(scale[0])
    assert known is not None
    if abs(math.log(known.ms / scale[1])) > REPAIRED:
        said = said.on(known.ms, known.doubt)
    return said, float(true_ms[0])


def new_machines(runs: int, folder: Path) -> Iterator[tuple[Measurement, float]]:
    for seed in range(runs):
        clock = Clock(np.random.default_rng(seed))
        clock.wait(float(clock.rng.uniform(0, 600)))
        yield one_run(seed, Store(folder / f"{seed}.sqlite", clock=lambda clock=clock: clock.now_s), clock)


def one_machine(runs: int, folder: Path) -> Iterator[tuple[Measurement, float]]:
    clock = Clock(np.random.default_rng(runs))
    store = Store(folder / "one.sqlite", clock=lambda: clock.now_s)
    for seed in range(runs):
        yield one_run(seed, store, clock)
        clock.wait(float(clock.rng.uniform(1800, 5400)))


def hogged(runs: int, folder: Path) -> Iterator[tuple[Measurement, float]]:
    """Each with a store of its own; every minute something is measured, as in a search."""
    space = make_space("mobile", {"layout": "small", "resolution": 32, "classes": 10})
    for seed in range(runs):
        here = make_target("onnxruntime-cpu")
        assert isinstance(here, RuntimeDevice)
        device = replace(here, store=Store(folder / f"{seed}.sqlite"))
        job = job_of(moves.sample(space, np.random.default_rng(seed)))
        with computing(2):
            scale = device.calibrate(job)
        scaled = device.on_scale(scale)
        for _ in range(MINUTES):
            scaled.price([job])
            time.sleep(55)
        said = scaled.price([job], Effort.CLAIM)[0]
        known = device.known(scale[0])
        assert isinstance(said, Measurement)
        assert known is not None
        print(f"calibrated as {scale[1]:.4f} ms, known as {known.ms:.4f} +-{known.doubt:.0%}", file=sys.stderr)
        yield said.on(known.ms, known.doubt), plain_loop_ms(job)


@contextmanager
def computing(count: int) -> Iterator[None]:
    """While so many other processes compute."""
    hogs = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(count)]
    try:
        yield
    finally:
        for hog in hogs:
            hog.kill()
            hog.wait()


def plain_loop_ms(job: Job, runs: int = 5000) -> float:
    network = convert_for(OnnxRuntime(), job, 1, "fp32")[0]
    call = OnnxRuntime().prepare(network.model, network.images, 1, "fp32")
    seconds = timeit.repeat(call, number=1, repeat=runs)
    return 1e3 * float(np.quantile(seconds, 0.1))


def figures(ends: list[tuple[Measurement, float]]) -> dict[str, Any]:
    off = {g: [abs(m.ms / true - 1) for m, true in ends if m.ms_grade == g] for g in "ABCD"}
    sure = np.array(off["A"] + off["B"])
    return {
        "grades": Counter(m.ms_grade for m, _ in ends),
        "grades_of_ratios": Counter(m.grade for m, _ in ends),
        "share_within_3_percent_at_A_or_B": float((sure <= 0.03).mean()) if len(sure) else None,
        "largest_error_by_grade": {g: max(errors, default=None) for g, errors in off.items()},
        "beyond_10_percent_better_than_D": sum(e > 0.1 for g in "ABC" for e in off[g]),
    }


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=300)
    parser.add_argument("--hogged", type=int, default=0)
    parser.add_argument("--keep", action="store_true")
    args = parser.parse_args()
    if args.hogged:
        with tempfile.TemporaryDirectory() as folder:
            ends = list(hogged(args.hogged, Path(folder)))
        pairs = [{"said_ms": m.ms, "loop_ms": true, "grade": m.ms_grade} for m, true in ends]
        finish("scale-hogged", {"runs": args.hogged, **figures(ends), "pairs": pairs})
        return
    gc.freeze()  # campaigns collect garbage before they time
    found = {}
    for machines in (new_machines, one_machine):
        with tempfile.TemporaryDirectory() as folder:
            found[machines.__name__] = figures(list(machines(args.runs, Path(folder))))
    finish("scale", {"runs": args.runs, **found})


if __name__ == "__main__":
    main()
