"""How much does a very small network's latency differ from process to process, against each of the small references?

    python benchmarks/processes.py [--device onnxruntime-cpu] [--processes 20] [--keep]

Random networks of .02 to .04 ms (one core of a server), a campaign of each in fresh processes, the references taking
turns. spread: standard deviation of ln ratio between processes, median over the networks; shared: of what all networks
of a process have in common; p95 of how far one campaign is from the median.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace

import numpy as np
from common import finish

from surgenas.core import moves
from surgenas.core.cost import Effort
from surgenas.engine.jobs import job_of
from surgenas.hardware.devices import make_target
from surgenas.hardware.target import Job
from surgenas.hardware.timed.device import RuntimeDevice
from surgenas.hardware.timed.efforts import PROTOCOLS
from surgenas.hardware.timed.references import REFERENCES
from surgenas.spaces.mobile import Mobile

ONCE = replace(PROTOCOLS[Effort.CLAIM], campaigns=1, duplicates=0, steady=0)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--device", default="onnxruntime-cpu")
    parser.add_argument("--processes", type=int, default=20)
    parser.add_argument("--keep", action="store_true")
    args = parser.parse_args()
    device, jobs = make_target(args.device), tiny()
    assert isinstance(device, RuntimeDevice)
    references = [reference.name for reference in REFERENCES[:3]]
    logs: dict[str, list[list[float]]] = {name: [] for name in references}
    for i in range(args.processes):
        for name in references:
            found = device.on_scale((name, 1.0)).measure(jobs, protocol=ONCE, seed=i)
            logs[name].append([float(np.log(m.ratio)) for m in found])
        print(f"process {i + 1} of {args.processes}", file=sys.stderr)
    finish("processes", {"networks": len(jobs), "processes": args.processes,
                         "references": {name: scatter(np.array(rows)) for name, rows in logs.items()}})  # fmt: skip


def tiny() -> list[Job]:
    """Of digits' size, and larger ones of fewer channels."""
    rng = np.random.default_rng(0)
    kinds = [(8, 1.0)] * 4 + [(16, 0.5)] * 2 + [(24, 0.35), (32, 0.25)]
    return [job_of(moves.sample(Mobile(layout="small", resolution=r, width=w, classes=10), rng)) for r, w in kinds]


def scatter(log_ratio_PN: np.ndarray) -> dict[str, float]:
    apart_PN = log_ratio_PN - np.median(log_ratio_PN, axis=0)
    shared_P = np.median(apart_PN, axis=1)
    return {
        "spread": float(np.median(apart_PN.std(axis=0, ddof=1))),
        "shared": float(shared_P.std(ddof=1)),
        "p95": float(np.quantile(np.abs(apart_PN), 0.95)),
    }


if __name__ == "__main__":
    main()
