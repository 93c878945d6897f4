"""How do time and memory of a search grow with the number of images, and of layers? Drawn.

    python benchmarks/growth.py [--counts 1000 10000 100000] [--depths 0.6 1.25 2] [--side 32] [--keep]

One epoch of SurgeNAS on the CPU, each in a fresh process: JPEGs (as streaming.py makes them) that stay files, and for
layers `small` at these depths (7, 14 and 22 layers), on the fewest images. Memory is the process's peak. With `--keep`
the drawing lies beside the figures.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from common import RESULTS, finish
from step_cost import BATCH, predictor_of
from streaming import make, opened

from surgenas.core.work import Epochs
from surgenas.methods.base import Problem
from surgenas.methods.surgenas import SurgeNAS
from surgenas.spaces.mobile import Mobile
from surgenas.training.allocator import keep_freed_memory
from surgenas.training.augment import steps_per_epoch, train_batches


def alone(folder: str, cache: str, side: int, layout: str, depth: float) -> dict[str, Any]:
    """One epoch in this process."""
    keep_freed_memory()
    data = opened(folder, side, 2, cache)
    space = Mobile(layout=layout, depth=depth, resolution=side, classes=len(data.classes))
    problem = Problem(space, 1.0, 0, predictor=predictor_of(space), steps_per_epoch=steps_per_epoch(data, BATCH))
    search = SurgeNAS(epochs=1000).begin(problem)
    begun = time.perf_counter()
    search.tell(Epochs(0), train_batches(data, BATCH, 0, 0))
    seconds = time.perf_counter() - begun
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    return {"images": len(data.train), "layers": len(space.choices), "s": seconds, "GiB": peak}


def draw(by_images: list[dict[str, Any]], by_layers: list[dict[str, Any]], file: Path) -> None:
    """Two figures side by side, time and memory each."""
    import matplotlib as mpl

    mpl.use("svg")
    from matplotlib import pyplot as plt

    figure, pair = plt.subplots(1, 2, figsize=(9, 3.2), layout="constrained")
    for axes, rows, over in zip(pair, (by_images, by_layers), ("images", "layers"), strict=True):
        x = [row[over] for row in rows]
        (time_line,) = axes.plot(x, [row["s"] for row in rows], "o-", color="#0072b2")
        axes.set(xlabel=over, ylabel="seconds of an epoch")
        memory = axes.twinx()
        (memory_line,) = memory.plot(x, [row["GiB"] for row in rows], "s--", color="#d55e00")
        memory.set(ylabel="peak memory, GiB", ylim=(0, 1.3 * max(row["GiB"] for row in rows)))
        if over == "images":
            axes.set(xscale="log", yscale="log")
        else:
            axes.set(ylim=(0, None))
        axes.legend([time_line, memory_line], ["time", "memory"], loc="lower right")
    figure.savefig(file, metadata=dict.fromkeys(("Creator", "Date", "Format", "Type")))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--counts", type=int, nargs="+", default=[1000, 10_000, 100_000])
    parser.add_argument("--depths", type=float, nargs="+", default=[0.6, 1.25, 2.0])
    parser.add_argument("--side", type=int, default=32)
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("--alone", nargs=4, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.alone:
        folder, cache, layout, depth = args.alone
        print(json.dumps(alone(folder, cache, args.side, layout, float(depth))))
        return

    def measured(folder: Path, layout: str, depth: float) -> dict[str, Any]:
        words = ["--side", str(args.side), "--alone", str(folder), f"{folder}-cache", layout, str(depth)]
        done = subprocess.run([sys.executable, __file__, *words], capture_output=True, text=True, check=True)
        found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        print(found, file=sys.stderr, flush=True)
        return found

    with tempfile.TemporaryDirectory() as name:
        by_images = []
        for count in sorted(args.counts):
            folder = Path(name) / str(count)
            make(folder, count, 224)
            by_images.append(measured(folder, "small", 1.0))
        few = Path(name) / str(min(args.counts))
        by_layers = [measured(few, "small", depth) for depth in args.depths]
    finish("growth", {"side": args.side, "batch": BATCH, "by images": by_images, "by layers": by_layers})
    if args.keep:
        draw(by_images, by_layers, RESULTS / f"{datetime.now(UTC):%Y-%m-%d}-growth.svg")


if __name__ == "__main__":
    main()
