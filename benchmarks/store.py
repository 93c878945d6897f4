"""Many writers on one store, some killed: is anything lost that was committed, and does anybody wait long?

    python benchmarks/store.py [--writers 32] [--seconds 20] [--url postgresql+psycopg://...] [--keep]

A third of the writers is killed at random moments. Each tells what was committed, and how long it took.
"""

from __future__ import annotations

import argparse
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from common import finish, spread

from surgenas.hardware.timed.measurement import Block, Measurement, Round
from surgenas.hardware.timed.store import Store

ROUNDS = [Round(*(Block((1.0,) * 10, (True,) * 10) for _ in range(3)))] * 20


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--writers", type=int, default=32)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--url")
    parser.add_argument("--write", nargs=2, metavar=("STORE", "NAME"), help="be a writer")
    parser.add_argument("--keep", action="store_true")
    args = parser.parse_args()
    if args.write:
        return write(*args.write)
    with tempfile.TemporaryDirectory() as folder:
        found = {"sqlite": crowd(str(Path(folder) / "m.sqlite"), args.writers, args.seconds)}
    if args.url:
        found["postgresql"] = crowd(args.url, args.writers, args.seconds)
    return finish("store", {"writers": args.writers, "stores": found})


def write(where: str, name: str) -> None:
    """Add records for ever; a line for each that is committed: its number and the seconds it took."""
    store, number = opened(where), 0
    while True:
        start = time.monotonic()
        store.add(Measurement(f"{name}-{number}", "x", 1, 1, 0.01, "A", 9, 1, 1, "r", 1, 0), ROUNDS)
        print(number, time.monotonic() - start, flush=True)
        number += 1


def crowd(where: str, count: int, seconds: float) -> dict[str, Any]:
    command = [sys.executable, __file__, "--write", where]
    run = str(time.time_ns())  # a shared database may hold an earlier crowd
    names = [f"{run}-{n}" for n in range(count)]
    with tempfile.TemporaryDirectory() as folder:
        logs = {name: Path(folder) / name for name in names}
        writers = [subprocess.Popen([*command, name], stdout=logs[name].open("w")) for name in names]
        start = time.monotonic()
        for writer in random.sample(writers, count // 3):
            time.sleep(max(0.0, random.uniform(0.5, 1.5) * seconds / (count // 3)))
            writer.kill()
        time.sleep(max(0.0, seconds - (time.monotonic() - start)))
        for writer in writers:
            writer.kill()
            writer.wait()
        told = {name: [line.split() for line in logs[name].read_text().splitlines()] for name in names}
    store, lost, doubled = opened(where), 0, 0
    for name, lines in told.items():
        kept = [len(store.find(f"{name}-{number}", "x")) for number, _ in lines]
        lost += kept.count(0)
        doubled += sum(n > 1 for n in kept)
    waits = sorted(float(wait) for lines in told.values() for _, wait in lines)
    return {
        "records": len(waits), "lost": lost, "doubled": doubled, "longest_commit_s": waits[-1],
        "p99_commit_s": waits[int(0.99 * len(waits))], "by_writer": spread([len(x) for x in told.values()]),
    }  # fmt: skip


def opened(where: str) -> Store:
    return Store(where if "://" in where else Path(where))


if __name__ == "__main__":
    main()
