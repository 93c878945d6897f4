"""What every benchmark result carries (date, hardware, versions, commit), and whole runs that can be cut off."""

from __future__ import annotations

import io
import json
import os
import platform
import subprocess
import sys
import tarfile
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import onnxruntime as ort
import psutil

import surgenas
from surgenas.cli.console import ConsoleProgress
from surgenas.core.cores import usable_cores
from surgenas.hardware.context import processor_name
from surgenas.methods import make_method
from surgenas.methods.base import Needs
from surgenas.runs.summary import Summary
from surgenas.spaces import make_space

_BEFORE = psutil.cpu_times()
RESULTS = Path(__file__).parent / "results"
ROOT = Path(__file__).parents[1]


def finish(name: str, figures: dict[str, Any]) -> None:
    """Print the figures as JSON, and keep them under results/ if `--keep` was given."""
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    record = {
        "benchmark": name,
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "commit": commit.stdout.strip() or None,
        "hardware": {"processor": processor_name(), "cores": usable_cores(), "machine": platform.machine()},
        "stolen": stolen(),
        "versions": {"torch": version("torch"), "timm": version("timm"), "onnxruntime": ort.__version__},
        **figures,
    }
    text = json.dumps(record, indent=1, default=float)  # of numpy
    print(text)
    if "--keep" in sys.argv:
        RESULTS.mkdir(exist_ok=True)
        (RESULTS / f"{record['date'][:10]}-{name}.json").write_text(text + "\n")


def stolen() -> float | None:
    """Of the time that this machine's cores wanted since the start, the share that went to other guests of its host."""
    now = psutil.cpu_times()
    if not hasattr(now, "steal"):
        return None
    lost = now.steal - _BEFORE.steal
    wanted = lost + sum(getattr(now, kind) - getattr(_BEFORE, kind) for kind in ("user", "nice", "system"))
    return round(lost / wanted, 3) if wanted else 0.0


def lay_out(commit: str, folder: Path) -> Path:
    """The sources of a commit, without touching this tree."""
    archive = subprocess.run(["git", "archive", commit, "src"], cwd=ROOT, capture_output=True, check=True).stdout
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        tar.extractall(folder, filter="data")
    return folder


class Asked:
    """A process that runs this script with these words, and answers each line with a number.

    source: where it takes surgenas from.
    """

    def __init__(self, script: str, source: Path, *words: str) -> None:
        env = {**os.environ, "PYTHONPATH": str(source)}
        asked = [sys.executable, script, *words]
        self.process = subprocess.Popen(asked, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=env)

    def ask(self, what: str) -> float:
        assert self.process.stdin
        assert self.process.stdout
        print(what, file=self.process.stdin, flush=True)
        return float(self.process.stdout.readline())


def whole_run(out: Path, **settings: Any) -> Summary:
    """The summary of a search; of one that was begun in this folder earlier, after going on with it."""
    if out.exists():
        return surgenas.resume(out, progress=ConsoleProgress()).summary
    return surgenas.search(out=out, progress=ConsoleProgress(), **settings).summary


def needs_of(method: str) -> Needs:
    """What a method needs in the space that it searches by default."""
    made = make_method(method, {})
    return made.needs(make_space(made.default_space, {}))


def thinned(data: str, every: int, into: Path) -> str:
    """A folder of links to every n-th training image of each class and to all others: less work, judged as finely."""
    if every <= 1:
        return data
    for part in Path(data).iterdir():
        for kind in part.iterdir():
            linked = into / part.name / kind.name
            linked.mkdir(parents=True, exist_ok=True)
            for image in sorted(kind.iterdir())[:: every if part.name == "train" else 1]:
                if not (linked / image.name).exists():
                    (linked / image.name).symlink_to(image.resolve())
    return str(into)


def spread(values: list[float]) -> dict[str, Any]:
    """Median and range, with the values themselves."""
    ordered = sorted(values)
    middle = ordered[len(ordered) // 2] if len(ordered) % 2 else sum(ordered[len(ordered) // 2 - 1 :][:2]) / 2
    return {"median": middle, "least": ordered[0], "most": ordered[-1], "values": values}
