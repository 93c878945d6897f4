"""The main job on the embedded default, over seeds: inside the limit? at least as accurate as MobileNetV2? how long?

python benchmarks/demo.py [--seeds N] [--keep]
"""

from __future__ import annotations

import argparse
import resource
import tempfile
from pathlib import Path

from common import finish, spread

import surgenas
from surgenas.cli.console import ConsoleProgress


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--keep", action="store_true")
    args = parser.parse_args()
    rows = []
    for seed in range(args.seeds):
        with tempfile.TemporaryDirectory() as folder:
            found = surgenas.search(seed=seed, out=Path(folder) / "run", progress=ConsoleProgress()).to_json()
        rows.append({key: found[key] for key in ("limit_ms", "latency", "accuracy", "yardsticks", "seconds", "seed")})
    finish(
        "demo",
        {
            "inside_limit": [row["latency"]["ms"] <= row["limit_ms"] for row in rows],
            "share_of_limit": spread([row["latency"]["ms"] / row["limit_ms"] for row in rows]),
            "accuracy": spread([row["accuracy"]["test"] for row in rows]),
            "mobilenetv2": spread([row["yardsticks"][0]["accuracy"] for row in rows]),
            "seconds": spread([sum(row["seconds"].values()) for row in rows]),
            "peak_memory_gib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20,
            "runs": rows,
        },
    )


if __name__ == "__main__":
    main()
