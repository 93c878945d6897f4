"""Is a record ever lost or doubled? Measurements through workers that fail at random, one in twenty.

    python benchmarks/transport.py [--measurements 500] [--failures 0.05] [--keep]

Each measurement starts a worker behind a pipe. A failing one dies before it greets, dies in the middle of its answer,
prints a banner, speaks another version, or hangs. Afterwards the store must hold every record exactly once.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from common import finish

from surgenas.core import moves
from surgenas.core.progress import Progress
from surgenas.hardware.devices import make_target
from surgenas.hardware.onnx_file import to_onnx
from surgenas.hardware.target import Job
from surgenas.hardware.timed.device import RuntimeDevice
from surgenas.hardware.timed.link import Link
from surgenas.hardware.timed.store import Store
from surgenas.hardware.timed.timing import Protocol
from surgenas.spaces.mobile import Mobile

SHORT = Protocol(rounds=3, max_rounds=3, warmup_s=0.0, block_ms=0.1, backoff_s=(), fresh=True)
UNRELIABLE = """
import os, random, sys, time
from surgenas.hardware import worker
from surgenas.hardware.timed import wire
how = random.choice("dies answer banner version hangs".split()) if random.random() < float(sys.argv[1]) else ""
if how: open(sys.argv[2], "a").write(how + "\\n")
if how == "dies": sys.exit("no power")
if how == "hangs": time.sleep(3600)
if how == "banner": print("Welcome!", flush=True)
if how == "version": sys.stdout.buffer.write(b"SNAS\\x63" + bytes(4)); sys.stdout.flush()
if how == "answer":
    whole = wire.write
    def write(stream, message):
        if message.kind == "answer": stream.write(b"SNAS"); stream.flush(); os._exit(1)
        whole(stream, message)
    worker.write = write
worker.main()
"""


class Listener(Progress):
    def __init__(self) -> None:
        self.retries = 0

    def log(self, message: str) -> None:
        self.retries += "trying again" in message


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--measurements", type=int, default=500)
    parser.add_argument("--failures", type=float, default=0.05)
    parser.add_argument("--keep", action="store_true")
    args = parser.parse_args()
    space = Mobile(layout="small", resolution=16, classes=10)
    model = to_onnx(space.build(moves.uniform_architecture(space, "skip")).eval(), space.input_shape)
    near = make_target("onnxruntime-cpu")
    assert isinstance(near, RuntimeDevice)
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "failures"
        log.touch()
        command = (sys.executable, "-c", UNRELIABLE, str(args.failures), str(log))
        link = Link(command, hello_s=15.0, slack_s=30.0, pauses_s=(0.1, 0.5, 1.0, 2.0))
        store, listener, start = Store(Path(folder) / "m.sqlite"), Listener(), time.monotonic()
        device = RuntimeDevice("unreliable", near.runtime, store, near.far, link=link)
        device = device.on_scale(("reference-s/2", 1.0))
        for i in range(args.measurements):
            job = Job(f"network-{i}", None, space.input_shape, model=lambda batch: model)
            device.measure([job], protocol=SHORT, progress=listener)
        kept = np.array([len(store.find(f"network-{i}", device.key)) for i in range(args.measurements)])
        failures = log.read_text().split()
    finish(
        "transport",
        {
            "measurements": args.measurements, "injected": {how: failures.count(how) for how in sorted(set(failures))},
            "retries": listener.retries, "lost": int((kept == 0).sum()), "doubled": int((kept > 1).sum()),
            "seconds": round(time.monotonic() - start),
        },
    )  # fmt: skip


if __name__ == "__main__":
    main()
