"""Does a run by several processes find what a run by one finds? And what does it cost here?

    python benchmarks/ranks.py [--counts 1 2 3] [--nodes] [--single] [--method surgenas] [--epochs 2] [--keep]

The same search of the digits on an estimated device, by so many processes, in double precision: in single precision a
last bit decides on which side of a ReLU's kink a value lies, and searches part after some steps. --single: in single
precision, for how far they part, and for the time. The last of the runs is killed after its first epoch, by SIGKILL to
one of its processes, and resumed by one process more. --nodes: two torchruns of one process each, as two machines
would be, in single precision, beside the same by --processes 2.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import torch
from common import finish
from lightning_fabric import Fabric

from surgenas import api
from surgenas.core.progress import Progress
from surgenas.runs.flow import LONG, perform, prepare, training
from surgenas.runs.journal import Journal
from surgenas.runs.limit import begin_session
from surgenas.runs.names import FOUND
from surgenas.runs.run import Run

SPACE, SMALL = "nasbench201", {"channels": 4, "repeats": 1}
BRIEF = {"random": "0", "samples": "20", "train_epochs": "2", "batch": "128", "accelerator": "cpu"}


def precise(fabric: Fabric, *, single: bool) -> None:
    torch.set_default_dtype(torch.float32 if single else torch.float64)


def go(folder: str, processes: int, method: str, epochs: int, single: bool) -> None:
    """In a process of its own: begin the run, or go on with it."""
    if Path(folder, "config.json").exists():
        opened = Run.open(Path(folder), Progress())
        training = opened.config.training.model_copy(update={"processes": processes})
        run = Run(opened.folder, opened.config.model_copy(update={"training": training}), opened.journal, Progress())
    else:
        numbers: dict[str, Any] = {k: int(v) if v.isdigit() else v for k, v in BRIEF.items()}
        if not single:  # others compute in single precision
            numbers["predictors"] = ("flops",)
        run = api.create(
            out=folder, data="digits", device="roofline-example", method=method, epochs=epochs, processes=processes,
            space=SPACE, space_settings=SMALL, **numbers,
        )  # fmt: skip
    with closing(run.workforce.team):
        run.workforce.team.run(partial(precise, single=single))
        until_trained(run)


def until_trained(run: Run) -> None:
    """What several processes do together; ONNX Runtime takes no exported network in double precision."""
    with run.exclusive():
        begin_session(run)
        prepare(run)
        for step in LONG:
            perform(run, step)
        (run.folder / "architecture.json").write_text(run.derived.architecture.to_json())
        perform(run, training(FOUND, run.derived.architecture))


def begin(args: argparse.Namespace, folder: str, processes: int) -> subprocess.Popen[bytes]:
    asked = [sys.executable, __file__, "--go", folder, str(processes), "--method", args.method]
    return subprocess.Popen([*asked, "--epochs", str(args.epochs), *(["--single"] if args.single else [])])


def outcome(folder: str) -> dict[str, Any]:
    """What a run found, and the losses of its epochs."""
    journal = Journal(Path(folder) / "journal.jsonl")
    found = json.loads((Path(folder) / "architecture.json").read_text())
    spent = [event["seconds"] for event in journal.all("spent") if event["step"] == "search"]
    return {
        "losses": [event["summary"]["loss"] for event in journal.all("epoch")],
        "training losses": [event["loss"] for event in journal.all("trained", network="found")],
        "found": "-".join(found["genes"]),
        "search s": sum(spent),
    }


def apart(one: dict[str, Any], other: dict[str, Any], key: str) -> float:
    """The largest relative difference of losses."""
    return max(abs(a - b) / abs(a) for a, b in zip(one[key], other[key], strict=True))


def killed(args: argparse.Namespace, folder: str, processes: int) -> float:
    """Kill one process of a run after its first epoch; seconds until the whole run has ended."""
    leader = begin(args, folder, processes)
    journal = Path(folder) / "journal.jsonl"
    while not journal.exists() or '"epoch"' not in journal.read_text():
        time.sleep(0.2)
    children = subprocess.run(["pgrep", "-P", str(leader.pid), "-f", "spawn_main"], capture_output=True, text=True)
    os.kill(int(children.stdout.split()[0]), signal.SIGKILL)
    at = time.monotonic()
    assert leader.wait() != 0, "it says so"
    return time.monotonic() - at


def nodes(method: str, epochs: int, folder: str) -> dict[str, Any]:
    """Two torchruns, which meet at a port of this machine."""
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    words = [word for name, value in BRIEF.items() for word in (f"--{name.replace('_', '-')}", value)]
    space = Path(folder).with_suffix(".json")
    space.write_text(json.dumps({"format": "surgenas.space/1", "name": SPACE, "settings": SMALL}))
    words += ["--space", str(space)]
    search = ["search", "--data", "digits", "--device", "roofline-example", "--method", method, "--epochs", str(epochs),
              "--out", folder, *words]  # fmt: skip
    started = [
        subprocess.Popen(
            [sys.executable, "-m", "torch.distributed.run", "--nnodes", "2", "--node-rank", str(node),
             "--nproc-per-node", "1", "--master-addr", "127.0.0.1", "--master-port", str(port), "--no-python",
             sys.executable, "-c", "from surgenas.cli import main; main()", *search]
        )
        for node in range(2)
    ]  # fmt: skip
    assert [one.wait() for one in started] == [0, 0]
    return outcome(folder)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--counts", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--method", default="surgenas")
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--single", action="store_true")
    parser.add_argument("--nodes", action="store_true")
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("--go", nargs=2, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.go:
        go(args.go[0], int(args.go[1]), args.method, args.epochs, args.single)
        return
    told: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as name:
        if args.nodes:
            args.single, folder = True, f"{name}/processes"
            assert begin(args, folder, 2).wait() == 0
            told = {"2 processes": outcome(folder), "2 nodes": nodes(args.method, args.epochs, f"{name}/nodes")}
        else:
            for count in args.counts:
                folder = f"{name}/{count}"
                assert begin(args, folder, count).wait() == 0
                told[f"{count} processes"] = outcome(folder)
                print(count, told[f"{count} processes"], flush=True)
            folder = f"{name}/killed"
            seconds = killed(args, folder, args.counts[-1])
            assert begin(args, folder, args.counts[-1] + 1).wait() == 0
            told[f"{args.counts[-1]} processes, one killed, {args.counts[-1] + 1}"] = {
                **outcome(folder), "ended after s": seconds,
            }  # fmt: skip
    first, *others = told.values()
    for other in others:
        other |= {f"{key} apart": apart(first, other, key) for key in ("losses", "training losses")}
    settings = {key: getattr(args, key) for key in ("method", "epochs", "single", "nodes")}
    kind = "-nodes" if args.nodes else "-single" if args.single else ""
    finish(
        f"ranks{kind}", {**settings, "by processes": told, "same": len({one["found"] for one in told.values()}) == 1}
    )


if __name__ == "__main__":
    main()
