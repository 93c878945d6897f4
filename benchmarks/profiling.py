"""How well is this machine's latency predicted, from how many measurements? The mobile space on several runtimes.

python benchmarks/profiling.py [--device onnxruntime-cpu ...] [--samples 100] [--resolution 64] [--keep]
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path
from typing import Any

from common import finish

from surgenas import api
from surgenas.cli.console import ConsoleProgress
from surgenas.runs.steps.predict import predict
from surgenas.runs.steps.profile import profile
from surgenas.runs.steps.reach import reach

DEVICES = ("onnxruntime-cpu", "openvino-cpu", "pytorch-cpu")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--device", action="append")
    parser.add_argument("--samples", type=int, default=100)
    parser.add_argument("--resolution", type=int, default=64)
    parser.add_argument("--keep", action="store_true")
    args = parser.parse_args()
    rows = [one(device, args.samples, args.resolution) for device in args.device or DEVICES]
    finish("profiling", {"resolution": args.resolution, "devices": rows})


def one(device: str, samples: int, resolution: int) -> dict[str, Any]:
    """Profile and predict as `surgenas profile` and `surgenas predict` do."""
    with tempfile.TemporaryDirectory() as folder:
        run = api.create(data="digits", device=device, samples=samples, resolution=resolution,
                         out=Path(folder) / "run", progress=ConsoleProgress())  # fmt: skip
        run.record("reach", reach(run))
        start = time.monotonic()
        profiled = profile(run)
        seconds = time.monotonic() - start
        run.record("profile", profiled)
        found = predict(run).to_json()
    row = {"device": run.target.key, "networks": profiled.samples, "seconds": seconds, "ceiling": found["ceiling"],
           "scores": found["scores"]}  # fmt: skip
    best = row["scores"][0]
    print(device, row["networks"], f"{seconds:.0f} s", best["name"], *(best[m] for m in ("mape", "within_5")))
    return row


if __name__ == "__main__":
    main()
