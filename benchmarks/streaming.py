"""Images that stay files: does memory grow with their number, and how fast do batches come beside timm's loader?

    python benchmarks/streaming.py [--counts 1000 10000 100000] [--side 224] [--workers 2] [--pairs 3] [--keep]

JPEGs of side x side pixels are made: 200 different pictures, again and again, each file with bytes of its own at its
end. For each count a fresh process reads them all, and takes an epoch's first batches; then it does so again, with
what is known of the files. Images a second are those of the largest count, over as many batches of 64 as `--batches`
says, each build in turn: our training batches, what decoding alone would give, and timm's training loader with as many
workers.
"""

from __future__ import annotations

import argparse
import io
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
from common import finish, spread
from PIL import Image

from surgenas.core.progress import Progress
from surgenas.tasks.data import Dataset, load_data
from surgenas.training.allocator import keep_freed_memory
from surgenas.training.augment import train_batches

PICTURES, CLASSES, BATCH = 200, 10, 64


def make(folder: Path, count: int, side: int) -> None:
    """So many JPEGs in ten folders of classes."""
    rng, contents = np.random.default_rng(0), []
    for _ in range(PICTURES):
        coarse = Image.fromarray(rng.integers(0, 256, (12, 12, 3)).astype(np.uint8)).resize((side, side), Image.BICUBIC)
        grain = rng.integers(-12, 13, (side, side, 3))
        sink = io.BytesIO()
        Image.fromarray((np.asarray(coarse) + grain).clip(0, 255).astype(np.uint8)).save(sink, "JPEG", quality=85)
        contents.append(sink.getvalue())
    for name in range(CLASSES):
        (folder / f"class{name}").mkdir(parents=True)
    for i in range(count):
        (folder / f"class{i % CLASSES}" / f"{i:06}.jpg").write_bytes(contents[i % PICTURES] + i.to_bytes(4, "big"))


def opened(folder: str, side: int, workers: int, cache: str) -> Dataset:
    return load_data(
        folder, side, max_corrupt=0.0, cache=Path(cache), progress=Progress(), flips="horizontal", memory=1.0,
        workers=workers,
    )  # fmt: skip


def alone(folder: str, side: int, workers: int, cache: str) -> None:
    """In a process of its own: seconds until the first batch, and the most memory, after some batches."""
    begun = time.perf_counter()
    data = opened(folder, side, workers, cache)
    read = time.perf_counter() - begun
    batches = train_batches(data, BATCH, 0, 0)
    next(batches)
    first = time.perf_counter() - begun
    for _ in islice(batches, 8):
        pass
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(json.dumps({"files known after s": read, "first batch after s": first, "peak GiB": peak}))


def rate(batches: Iterable[Any], count: int) -> float:
    """Images a second, from the fourth batch on: before that workers start."""
    iterator = iter(batches)
    for _ in islice(iterator, 3):
        pass
    begun = time.perf_counter()
    seen = sum(1 for _ in islice(iterator, count))
    return seen * BATCH / (time.perf_counter() - begun)


def timm_batches(folder: str, side: int, workers: int) -> Iterable[Any]:
    from timm.data import create_loader
    from timm.data.dataset import ImageDataset

    return create_loader(
        ImageDataset(folder), (3, side, side), BATCH, is_training=True, no_aug=False, num_workers=workers,
        use_prefetcher=False, persistent_workers=False, device=torch.device("cpu"),
    )  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--counts", type=int, nargs="+", default=[1000, 10_000, 100_000])
    for name, default in (("side", 224), ("workers", 2), ("pairs", 3), ("batches", 40)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("--alone", nargs=2, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.alone:
        alone(args.alone[0], args.side, args.workers, args.alone[1])
        return
    keep_freed_memory()  # as every training does
    growth: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as name:
        for count in args.counts:
            folder, cache = f"{name}/{count}", f"{name}/cache-{count}"
            make(Path(folder), count, args.side)
            asked = [sys.executable, __file__, "--alone", folder, cache, "--side", str(args.side),
                     "--workers", str(args.workers)]  # fmt: skip
            told = [json.loads(subprocess.run(asked, check=True, capture_output=True).stdout) for _ in range(2)]
            growth[str(count)] = {"first time": told[0], "again": told[1]}
            print(count, growth[str(count)], flush=True)
        data, rates = opened(folder, args.side, args.workers, cache), dict[str, list[float]]()
        picks = torch.randperm(len(data.train)).split(BATCH)
        for _ in range(args.pairs):
            for kind, batches in (
                ("training batches", train_batches(data, BATCH, 0, 0)),
                ("decoded", data.train.images.batches(picks)),
                ("timm's", timm_batches(folder, args.side, args.workers)),
            ):
                rates.setdefault(kind, []).append(rate(batches, args.batches))
                print(kind, rates[kind][-1], flush=True)
    over = {
        kind: spread([ours / theirs for ours, theirs in zip(rates[kind], rates["timm's"], strict=True)])
        for kind in ("training batches", "decoded")
    }
    settings = {key: getattr(args, key) for key in ("side", "workers", "batches")}
    seconds = {kind: spread(values) for kind, values in rates.items()}
    finish("streaming", {**settings, "by count": growth, "images a second": seconds, "over timm's": over})


if __name__ == "__main__":
    main()
