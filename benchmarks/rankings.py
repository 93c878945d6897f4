"""Do devices and estimators rank networks alike? Random architectures; Kendall tau by pair; a pair whose order flips.

    python benchmarks/rankings.py [--networks 100] [--devices onnxruntime-cpu openvino-cpu ...] [--keep]

Latencies are kept in $SURGENAS_HOME, so that a run that was stopped goes on (converters take up to a minute a network).
A flip counts if each device says that its faster one is faster beyond the noise floor and both intervals together; what
an estimator says has neither.
"""

from __future__ import annotations

import argparse
import math
import sys
from dataclasses import replace
from itertools import combinations
from typing import Any

import numpy as np
from common import finish
from scipy.stats import kendalltau

from surgenas.cli.console import ConsoleProgress
from surgenas.core import moves
from surgenas.core.cost import Cost, Effort, Failure
from surgenas.core.errors import SurgenasError
from surgenas.engine.jobs import job_of
from surgenas.hardware.devices import make_target
from surgenas.hardware.target import Job
from surgenas.hardware.timed.comparison import tie_width
from surgenas.hardware.timed.device import RuntimeDevice
from surgenas.hardware.timed.measurement import Measurement
from surgenas.hardware.timed.timing import Protocol
from surgenas.spaces.mobile import Mobile

PROTOCOL = Protocol(half_width=0.02, max_rounds=60, budget_s=60, patience_s=90, duplicates=2, fresh=True)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--networks", type=int, default=100)
    parser.add_argument("--resolution", type=int, default=64)
    parser.add_argument("--devices", nargs="+", default=["onnxruntime-cpu", "openvino-cpu", "pytorch-cpu"])
    parser.add_argument("--keep", action="store_true")
    args = parser.parse_args()
    space, rng = Mobile(layout="small", resolution=args.resolution, classes=10), np.random.default_rng(0)
    archs = [moves.sample(space, rng) for _ in range(args.networks)]
    jobs = [job_of(arch) for arch in archs]
    measured = {name: found for name in args.devices if (found := on(name, jobs))}
    taus, flips = {}, []
    for a, b in combinations(measured, 2):
        both = [i for i, job in enumerate(jobs) if job.key in measured[a] and job.key in measured[b]]
        one, other = [[measured[name][jobs[i].key] for i in both] for name in (a, b)]
        tau = kendalltau([m.ms for m in one], [m.ms for m in other]).statistic
        turned = flipped(one, other)
        taus[f"{a} | {b}"] = {"tau": float(tau), "networks": len(both), "pairs_that_flip": len(turned)}
        if turned:
            i, j = turned[0]
            flips.append({"devices": [a, b], "faster_on_first": told(archs[both[i]].genes, one[i], other[i]),
                          "faster_on_second": told(archs[both[j]].genes, one[j], other[j])})  # fmt: skip
    grades = {name: "".join(sorted(c.grade or "-" for c in found.values())) for name, found in measured.items()}
    finish("rankings", {"resolution": args.resolution, "kendall": taus, "flips": flips, "grades": grades})


def on(name: str, jobs: list[Job]) -> dict[str, Cost]:
    """Empty, and said so, if the device cannot be used here."""
    try:
        device = make_target(name)
        if isinstance(device, RuntimeDevice):
            device = replace(device, protocols=dict.fromkeys(Effort, PROTOCOL))
        found = device.price(jobs, reuse=True, progress=ConsoleProgress())
    except SurgenasError as error:
        print(f"{name}: {error}", file=sys.stderr)
        return {}
    return {cost.key: cost for cost in found if not isinstance(cost, Failure) and (cost.grade or "A") < "D"}


def flipped(one: list[Cost], other: list[Cost]) -> list[tuple[int, int]]:
    """Pairs (i, j): i clearly faster on the first device, j clearly on the second; the clearest first."""
    found = []
    for i in range(len(one)):
        for j in range(len(one)):
            first, second = math.log(one[j].ms / one[i].ms), math.log(other[i].ms / other[j].ms)
            if first > apart(one[i], one[j]) and second > apart(other[i], other[j]):
                found.append((min(first, second), (i, j)))
    return [pair for _, pair in sorted(found, reverse=True)]


def apart(one: Cost, other: Cost) -> float:
    """By how much, in logarithms, two costs have to differ to be told apart."""
    timed = isinstance(one, Measurement) and isinstance(other, Measurement)
    return tie_width(one, other) if timed else 0.0


def told(genes: tuple[str, ...], one: Cost, other: Cost) -> dict[str, Any]:
    return {"genes": list(genes), "ms": [one.ms, other.ms], "doubt": [one.doubt, other.doubt]}


if __name__ == "__main__":
    main()
