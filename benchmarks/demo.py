"""The main job on the embedded default, over seeds: inside the limit? at least as accurate as MobileNetV2? how long?

    python benchmarks/demo.py [--seeds N] [--keep]
    python benchmarks/demo.py --against COMMIT [--seeds N] [--keep]

With a commit, its build and this one do the same in turns, each with an empty measurement store, and then measure four
networks; times are told as ratios, ours over theirs.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from common import ROOT, finish, lay_out, spread

import surgenas
from surgenas.cli.console import ConsoleProgress

MEASURING = ("reach", "profile", "derive", "rivals", "verify")
"""The steps that measure."""
FOUR = ("mobilenetv2_050", "mobilenetv3_small_050", "lcnet_050", "tf_efficientnet_lite0", "--resolution", "64")


def alone(seeds: int) -> dict[str, Any]:
    rows = []
    for seed in range(seeds):
        with tempfile.TemporaryDirectory() as folder:
            found = surgenas.search(seed=seed, out=Path(folder) / "run", progress=ConsoleProgress()).to_json()
        rows.append({key: found[key] for key in ("limit_ms", "latency", "accuracy", "yardsticks", "seconds", "seed")})
    return {
        "inside_limit": [row["latency"]["ms"] <= row["limit_ms"] for row in rows],
        "share_of_limit": spread([row["latency"]["ms"] / row["limit_ms"] for row in rows]),
        "accuracy": spread([row["accuracy"]["test"] for row in rows]),
        "mobilenetv2": spread([row["yardsticks"][0]["accuracy"] for row in rows]),
        "seconds": spread([sum(row["seconds"].values()) for row in rows]),
        "peak_memory_gib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20,
        "runs": rows,
    }


def beside(commit: str, seeds: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        builds = {"theirs": lay_out(commit, folder / "other"), "ours": ROOT}
        runs: dict[str, list[dict[str, Any]]] = {which: [] for which in builds}
        for seed in range(seeds):
            for which, build in builds.items():
                home = folder / f"{which}-{seed}"
                found, search_s = timed(build, home, "search", "--seed", str(seed), "--out", str(home / "run"))
                _, measure_s = timed(build, home, "measure", *FOUR)
                steps = found["seconds"]
                measuring_s = sum(steps[step] for step in MEASURING)
                runs[which].append({
                    "search_s": round(search_s, 1), "measuring_s": round(measuring_s, 1),
                    "measure_s": round(measure_s, 1), "steps": steps, "latency": found["latency"],
                    "limit_ms": found["limit_ms"], "accuracy": found["accuracy"]["test"],
                })  # fmt: skip
                print(which, seed, runs[which][-1], file=sys.stderr)
    pairs = list(zip(runs["ours"], runs["theirs"], strict=True))
    ratios = {key: spread([o[key] / t[key] for o, t in pairs]) for key in ("search_s", "measuring_s", "measure_s")}
    return {"against": commit, "ratios": ratios, **runs}


def timed(build: Path, home: Path, *words: str) -> tuple[dict[str, Any], float]:
    """The JSON that a command prints, and its seconds on the wall. home: where its measurements are kept."""
    env = os.environ | {"PYTHONPATH": str(build / "src"), "SURGENAS_HOME": str(home)}
    command = [sys.executable, "-c", "from surgenas.cli import main; main()", *words, "--json"]
    start = time.monotonic()
    done = subprocess.run(command, env=env, stdout=subprocess.PIPE, check=True)
    return json.loads(done.stdout), time.monotonic() - start


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--against")
    parser.add_argument("--keep", action="store_true")
    args = parser.parse_args()
    finish("demo", beside(args.against, args.seeds) if args.against else alone(args.seeds))


if __name__ == "__main__":
    main()
