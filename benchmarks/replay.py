"""Does this build of the program do, bit for bit, what another commit does? The guard of every rebuilding.

    python benchmarks/replay.py --against COMMIT [--only surgenas spos] [--rounds 3] [--keep]
    python benchmarks/replay.py --record      (measure recorded_latencies.json anew)

The commit is laid out beside the tree, and both builds run the same small jobs in one environment: the four methods
that share weights on the digits, with latencies from a recorded file instead of a clock, and searches on a made table.
Compared are epochs, losses, the found network, the weights and the ONNX file. Kept bytes would not do in place of the
second build: processors differ in the last bits. With rounds, the searches run in turns so often, and seconds of the
search and peak memory of its process are told as ratios.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from common import ROOT, finish, lay_out, spread

HERE = Path(__file__).parent
SMALL = (
    "--device", "replay_device:recorded", "--resolution", "16", "--batch", "256", "--epochs", "3",
    "--train-epochs", "2", "--samples", "24", "--random-at-equal-latency", "1", "--accelerator", "cpu",
)  # fmt: skip
EVOLVED = tuple(
    word for name in ("population=8", "generations=2", "mutations=4", "crossovers=4") for word in ("--set", name)
)
JOBS: dict[str, tuple[str, ...]] = {
    "surgenas": ("search", "--method", "surgenas", *SMALL),
    "single-path": ("search", "--method", "single-path", *SMALL),
    "spos": ("search", "--method", "spos", *SMALL, *EVOLVED),
    "hurricane": ("search", "--method", "hurricane", *SMALL, *EVOLVED, "--set", "keep=3"),
    "bench": (
        "bench", "search", "--space", "macro", "--table", "table.json", "--validation", "val", "--test", "test",
        "--latency-table", "table.json", "--latency", "ms", "--limit", "5ms", "--budget", "200", "--seeds", "2",
        "--methods", "regularized,evolution,local,nsga2,weaknas-forest,optuna-tpe,nevergrad",
    ),
}  # fmt: skip


OLDER = {"--random-at-equal-latency": "--random"}
"""What builds until b10adc8 called it."""


def _knows(build: Path, flag: str) -> bool:
    return flag not in OLDER or (build / "src" / "surgenas" / "runs").is_dir()


def run(build: Path, name: str, folder: Path) -> dict[str, Any]:
    """What the build makes of a job, in a process of its own."""
    found, _ = process(build, name, folder)
    return searched(found) if JOBS[name][0] == "bench" else outcome(folder / "out")


def process(build: Path, name: str, folder: Path) -> tuple[dict[str, Any], float]:
    """The JSON that a job prints, and the peak memory of its process in MiB."""
    folder.mkdir(parents=True)
    table(folder / "table.json")
    env = os.environ | {
        "PYTHONPATH": os.pathsep.join([str(build / "src"), str(HERE)]),
        "SURGENAS_HOME": str(folder / "home"),
        "OMP_NUM_THREADS": "1",
    }
    words = [word if _knows(build, word) else OLDER.get(word, word) for word in JOBS[name]]
    command = [sys.executable, "-c", "from surgenas.cli import main; main()", *words, "--out", "out", "--json"]
    with open(folder / "stdout", "w+") as out, open(folder / "stderr", "w+") as err:
        child = subprocess.Popen(command, cwd=folder, env=env, stdout=out, stderr=err, text=True)
        _, status, used = os.wait4(child.pid, 0)
        out.seek(0)
        err.seek(0)
        if status:
            raise SystemExit(f"{name} on {build}: exit code {os.waitstatus_to_exitcode(status)}: {err.read()[-300:]}")
        return json.loads(out.read()), used.ru_maxrss / 1024


def cost_of(builds: dict[str, Path], name: str, rounds: int, folder: Path) -> dict[str, Any]:
    """Seconds of the search and peak MiB of a job, ours over theirs: of each round, in turns."""
    rows = []
    for turn in range(rounds):
        row = {}
        for which, build in builds.items():
            found, mib = process(build, name, folder / f"{name}-{which}-{turn}")
            row[which] = (found["seconds"]["search"], mib)
        rows.append(row)
    ratios = [[row["ours"][k] / row["theirs"][k] for row in rows] for k in (0, 1)]
    return {
        "search_seconds_ratio": spread(ratios[0]),
        "peak_memory_ratio": spread(ratios[1]),
        "theirs_seconds": [row["theirs"][0] for row in rows],
        "theirs_MiB": [round(row["theirs"][1]) for row in rows],
    }


def outcome(run: Path) -> dict[str, Any]:
    """Everything of a run but its times."""
    events = [json.loads(line.partition(" ")[2]) for line in (run / "journal.jsonl").read_text().splitlines()]
    trained = [[_older(e["network"]), e["epoch"], e["loss"], e["accuracy"]] for e in events if e["event"] == "trained"]
    files = [*sorted(run.glob("*.safetensors")), run / "model.onnx", run / "architecture.json"]
    return {
        "epochs": [e["summary"] for e in events if e["event"] == "epoch"],
        "trained": sorted(trained),
        **{_older(file.name): hashlib.sha256(file.read_bytes()).hexdigest() for file in files},
    }


def _older(name: str) -> str:
    """As builds until b10adc8 called it: what they called random was of equal latency."""
    return name.replace(" at equal latency", "").replace("-at-equal-latency", "")


def searched(found: dict[str, Any]) -> dict[str, Any]:
    """The regrets of every method of a bench."""
    return {row["method"]: [row["regret"], row["queries"], row["hypervolume"]] for row in found["methods"]}


def table(path: Path) -> None:
    """Made accuracies and latencies of all 6,561 networks of the space `macro`."""
    rng = np.random.default_rng(0)
    of_layer, ms_of_layer = rng.normal(size=(2, 8, 3))
    rows = {}
    for i in range(3**8):
        digits = [i // 3**place % 3 for place in range(8)]
        score = 90 + float(sum(of_layer[place][d] for place, d in enumerate(digits)))
        ms = 4 + 0.3 * float(sum(ms_of_layer[place][d] * d for place, d in enumerate(digits)))
        noise = float(rng.normal())
        rows["".join(map(str, digits))] = {"val": score + 0.3 * noise, "test": score, "ms": max(ms, 0.5)}
    seen: dict[tuple[str, ...], dict[str, float]] = {}
    for text, row in rows.items():  # layers that keep their shape trade places with a skip: one network, one row
        groups = (text[0], text[1], text[2], "".join(sorted(text[3:5])), text[5], "".join(sorted(text[6:8])))
        rows[text] = seen.setdefault(groups, row)
    path.write_text(json.dumps(rows))


def differences(ours: dict[str, Any], theirs: dict[str, Any]) -> list[str]:
    """What is not equal, by name."""
    return [key for key in sorted({*ours, *theirs}) if ours.get(key) != theirs.get(key)]


def record() -> None:
    """Measure 96 networks on ONNX Runtime and keep them."""
    from replay_device import FEATURES, RECORDED, features

    from surgenas.core import moves
    from surgenas.hardware.context import processor_name
    from surgenas.hardware.devices import make_target
    from surgenas.hardware.target import Job, all_costs
    from surgenas.spaces import make_space

    spaces = [
        make_space(name, {"layout": "small", "resolution": 16, "classes": 10})
        for name in ("mobile", "single_path", "shuffle", "operators")
    ]
    archs = [(space, moves.sample_skewed(space, np.random.default_rng(i))) for space in spaces for i in range(24)]
    jobs = [Job(arch.key, partial(space.build, arch), space.input_shape) for space, arch in archs]
    measured = all_costs(make_target("onnxruntime-cpu").price(jobs))
    rows = [[*features(job.module, job.input_shape), m.ms] for job, m in zip(jobs, measured, strict=True)]
    lines = ",\n  ".join(json.dumps([float(f"{value:.5g}") for value in row]) for row in rows)
    head = json.dumps({"features": FEATURES, "device": "onnxruntime-cpu", "processor": processor_name()}, indent=1)
    RECORDED.write_text(head[:-2] + f',\n "networks": [\n  {lines}\n ]\n}}\n')


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--against")
    parser.add_argument("--only", nargs="+", choices=JOBS, default=list(JOBS))
    parser.add_argument("--rounds", type=int, default=0)
    parser.add_argument("--record", action="store_true")
    parser.add_argument("--keep", action="store_true")
    args = parser.parse_args()
    if args.record:
        record()
        return
    if not args.against:
        parser.error("expected --against COMMIT or --record")
    figures: dict[str, Any] = {"against": args.against, "jobs": {}}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        other = lay_out(args.against, folder / "other")
        for job in args.only:
            theirs, ours = (run(build, job, folder / f"{job}-{build.name}") for build in (other, ROOT))
            differ = differences(ours, theirs)
            figures["jobs"][job] = {"equal": not differ, "compared": len(theirs), "differ": differ}
            print(f"{job}: {'equal' if not differ else 'DIFFER: ' + ', '.join(differ)}", file=sys.stderr)
            if args.rounds and JOBS[job][0] == "search":
                builds = {"theirs": other, "ours": ROOT}
                figures["jobs"][job] |= cost_of(builds, job, args.rounds, folder / "costs")
    finish("replay", figures)
    if any(not job["equal"] for job in figures["jobs"].values()):
        raise SystemExit(1)


if __name__ == "__main__":
    main()
