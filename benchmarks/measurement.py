"""Does the measuring keep its promise here? Ours beside the usual ways, in one interleaved run, quiet and disturbed.

    python benchmarks/measurement.py [--networks 20] [--repetitions 30] [--disturbed 6] [--keep]

Each repetition measures all networks by the sequential median and minimum of 50 runs, and as the device does: in
campaigns in fresh processes, one for each group of like latency. CV: standard deviation over mean across repetitions,
by network. tau: Kendall's, between repetitions. Three campaigns: medians of three consecutive ones. In each group one
network is there under two names. Beside the random networks there are well-known ones of many weights: those suffer
most from a neighbour that goes through memory. Then the same beside programs that compute, and that go through memory.
"""

from __future__ import annotations

import argparse
import math
import multiprocessing
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import fields, replace
from itertools import combinations
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from common import finish
from scipy.stats import kendalltau

from surgenas.core import moves
from surgenas.engine.jobs import job_of
from surgenas.hardware.devices import make_target
from surgenas.hardware.runtimes import Images
from surgenas.hardware.target import Job
from surgenas.hardware.timed.comparison import ranks
from surgenas.hardware.timed.device import RuntimeDevice
from surgenas.hardware.timed.measurement import Measurement
from surgenas.hardware.timed.session import Network
from surgenas.hardware.timed.store import Store
from surgenas.hardware.timed.timing import Protocol
from surgenas.spaces.mobile import Mobile
from surgenas.studies.sources import read_source

PROTOCOL = Protocol(max_rounds=20, budget_s=15, patience_s=20, duplicates=2, fresh=True)
RUNS = 50
TWIN = "again "
HEAVY = (("mobilenetv2_100", 64), ("mobilenetv2_100", 128), ("mobilenetv3_large_100", 128), ("efficientnet_b0", 64))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--networks", type=int, default=20)
    parser.add_argument("--repetitions", type=int, default=30)
    parser.add_argument("--device", default="onnxruntime-cpu")
    parser.add_argument("--disturbed", type=int, default=6)
    parser.add_argument("--keep", action="store_true")
    args = parser.parse_args()
    jobs = sampled(args.networks)
    with tempfile.TemporaryDirectory() as folder:
        device = make_target(args.device)
        assert isinstance(device, RuntimeDevice)
        store = Store(Path(folder) / "m.sqlite")
        known = Remembering(**{f.name: getattr(device, f.name) for f in fields(device)} | {"store": store})
        figures = judged(known, jobs, args.repetitions, args.disturbed)
    name = "measurement" if args.device == "onnxruntime-cpu" else f"measurement-{args.device}"
    finish(name, {"networks": args.networks, "repetitions": args.repetitions, **figures})


class Remembering(RuntimeDevice):
    """Converts each network once, not once a campaign."""

    converted: ClassVar[dict[str, tuple[Network, Images]]] = {}

    def _convert(self, job: Job) -> tuple[Network, Images]:
        key = job.key.removeprefix(TWIN)
        if key not in self.converted:
            self.converted[key] = super()._convert(job)
        return self.converted[key]


def judged(device: Remembering, jobs: list[Job], repetitions: int, disturbances: int) -> dict[str, object]:
    groups: dict[tuple[str, float], list[Job]] = {}
    for job, m in zip(jobs, device.measure(jobs, protocol=PROTOCOL), strict=True):
        groups.setdefault((m.reference, m.reference_ms), []).append(job)
    quiet, quiet_grades, median, minimum, ties = [], [], [], [], []
    for repetition in range(repetitions):
        found, same = ours(device, groups, repetition)
        runs = [sequential(device, job) for job in jobs]
        quiet.append([found[job.key].ms for job in jobs])
        median.append([statistics.median(ms) for ms in runs])
        minimum.append([min(ms) for ms in runs])
        ties += same
        quiet_grades += [found[job.key].grade for job in jobs]
        grades = "".join(found[job.key].grade for job in jobs)
        print(f"repetition {repetition}: {grades}, ties {same}", file=sys.stderr)
    truth = np.median(quiet, axis=0)
    threes = [np.median(quiet[i : i + 3], axis=0) for i in range(0, len(quiet) - 2, 3)]
    judgement: dict[str, dict[str, Any]] = {
        "sequential median": repeatability(median),
        "sequential minimum": repeatability(minimum),
        "ours, one campaign": repeatability(quiet) | {"pairs_5_percent_apart_right": ordered_right(quiet, truth)},
        "ours, three campaigns": repeatability(threes),
        "one network under two names": {"tries": len(ties), "ties": float(np.mean(ties))},
    }  # fmt: skip
    usual_truth = np.median(median, axis=0)
    for n, (what, hog, count) in enumerate(DISTURBANCES):
        answers, usual = [], []
        for i in range(disturbances):
            with disturbed(hog, count):
                answers.append(ours(device, groups, 1000 * (n + 1) + i)[0])
                usual.append([statistics.median(sequential(device, job)) for job in jobs])
            print(f"{what}: {''.join(answers[-1][job.key].grade for job in jobs)}", file=sys.stderr)
        errors = [abs(a[job.key].ms / t - 1) for a in answers for job, t in zip(jobs, truth, strict=True)]
        letters = [a[job.key].grade for a in answers for job in jobs]
        off = [abs(ms / t - 1) for row in usual for ms, t in zip(row, usual_truth, strict=True)]
        stood_by = [e for e, g in zip(errors, letters, strict=True) if g < "D"]
        judgement[f"beside {what}"] = {
            "p95_error": float(np.quantile(errors, 0.95)),
            "p95_error_of_grades_A_to_C": float(np.quantile(stood_by, 0.95)) if stood_by else None,
            "sequential_p95_error": float(np.quantile(off, 0.95)),
            "by_grade": by_grade(errors, letters),
        }  # fmt: skip
    quiet_errors = [abs(ms / t - 1) for row in quiet for ms, t in zip(row, truth, strict=True)]
    judgement["ours, one campaign"]["by_grade"] = by_grade(quiet_errors, quiet_grades)
    return {
        "latency_ms": [truth.min(), truth.max()],
        "groups": {reference: len(group) for (reference, _), group in groups.items()},
        "estimators": judgement,
    }  # fmt: skip


def sampled(count: int) -> list[Job]:
    """Random networks of growing width at 128 px, about .8 to 8 ms on one core, and the heavy ones."""
    rng = np.random.default_rng(0)
    jobs = []
    for width in np.geomspace(0.5, 2, count):
        space = Mobile(layout="small", resolution=128, width=float(width), classes=10)
        jobs.append(job_of(moves.sample(space, rng)))
    return jobs + [read_source(name, (resolution, resolution)) for name, resolution in HEAVY]


def ours(
    device: Remembering, groups: dict[tuple[str, float], list[Job]], seed: int
) -> tuple[dict[str, Measurement], list[bool]]:
    """Every network's measurement, and by group whether one network under two names is a tie."""
    found: dict[str, Measurement] = {}
    ties: list[bool] = []
    for reference, group in groups.items():
        job = group[seed % len(group)]
        twin = replace(job, key=TWIN + job.key)
        measured = device.on_scale(reference).measure([*group, twin], protocol=PROTOCOL, seed=seed)
        (low, high), (least, most) = (ranks(measured)[i] for i in (seed % len(group), -1))
        ties.append(low <= most and least <= high)
        found |= {m.key: m for m in measured[:-1]}
    return found, ties


def sequential(device: Remembering, job: Job) -> list[float]:
    """The usual way: compile, warm up, time one run after the other."""
    network, _ = device._convert(job)
    call = device.runtime.prepare(network.model, network.images, device.threads, device.precision)
    for _ in range(10):
        call()
    times = []
    for _ in range(RUNS):
        start = time.perf_counter()
        call()
        times.append((time.perf_counter() - start) * 1e3)
    return times


def repeatability(rows: Sequence[Sequence[float]] | Sequence[np.ndarray]) -> dict[str, Any]:
    values = np.array(rows)
    cv = values.std(axis=0, ddof=1) / values.mean(axis=0)
    taus = [float(kendalltau(a, b).statistic) for a, b in combinations(values, 2)]
    return {"cv_median": float(np.median(cv)), "cv_worst": float(cv.max()), "tau_mean": float(np.mean(taus)),
            "tau_worst": min(taus)}  # fmt: skip


def ordered_right(rows: Sequence[Sequence[float]], truth: np.ndarray) -> float:
    """Share of right orders among pairs of networks whose medians over all repetitions are 5 % or more apart."""
    apart = [(i, j) for i, j in combinations(range(len(truth)), 2) if abs(math.log(truth[i] / truth[j])) >= 0.05]
    return float(np.mean([(row[i] < row[j]) == (truth[i] < truth[j]) for row in rows for i, j in apart]))


def by_grade(errors: Sequence[float], letters: Sequence[str]) -> dict[str, dict[str, float]]:
    """How many numbers had each grade, the 95th percentile of their errors, and how many were off by more than 10 %."""
    found = {}
    for letter in "ABCD":
        graded = [e for e, g in zip(errors, letters, strict=True) if g == letter]
        if graded:
            found[letter] = {"count": len(graded), "p95_error": float(np.quantile(graded, 0.95)),
                             "off_by_10_percent": sum(e > 0.1 for e in graded)}  # fmt: skip
    return found


@contextmanager
def disturbed(hog: Callable[[], None], count: int) -> Iterator[None]:
    processes = [multiprocessing.Process(target=hog, daemon=True) for _ in range(count)]
    for process in processes:
        process.start()
    try:
        yield
    finally:
        for process in processes:
            process.terminate()
            process.join()


def computing() -> None:
    while True:
        pass


def streaming() -> None:
    """Goes through more memory than the caches hold."""
    memory = np.zeros(1 << 23)
    while True:
        memory += 1


DISTURBANCES = (
    ("one program that computes", computing, 1),
    ("three that compute", computing, 3),
    ("one that goes through memory", streaming, 1),
    ("three that go through memory", streaming, 3),
)


if __name__ == "__main__":
    main()
