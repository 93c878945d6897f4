"""Which layers go into int8: the integer programme beside greedy, chance and all of them, at three caps.

    python benchmarks/quantize.py RUN [--device onnxruntime-cpu openvino-cpu] [--seeds 3] [--keep]

RUN: the folder of a finished run. Caps lie a quarter, half and three quarters of the way from the network in fp32 to it
in int8, by the sum over layers. greedy: the layer of the least loss for each millisecond saved goes first. Random mixes
add layers
that are faster in int8 until they are within the cap. All mixes of a device are measured side by side.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from common import finish

from surgenas.cli.console import ConsoleProgress
from surgenas.core.allocation import allocate
from surgenas.core.cost import Effort
from surgenas.hardware.devices import make_target
from surgenas.hardware.timed.device import RuntimeDevice
from surgenas.runs.run import Run
from surgenas.studies.quantize import LayerBits, Mixer

SHARES = (0.25, 0.5, 0.75)


def by_programme(rows: Sequence[LayerBits], cap: float) -> frozenset[str]:
    bits = allocate(
        [np.array([0.0, row.loss]) for row in rows], [np.array([[row.fp32_ms], [row.int8_ms]]) for row in rows],
        np.array([cap]),
    )  # fmt: skip
    return frozenset(row.node for row, bit in zip(rows, bits, strict=True) if bit)


def in_order(rows: Sequence[LayerBits], cap: float) -> frozenset[str]:
    """The first of these rows whose layers in int8 bring the sum within the cap."""
    left, chosen = sum(row.fp32_ms for row in rows) - cap, set()
    for row in rows:
        if left > 0 and row.int8_ms < row.fp32_ms:
            left -= row.fp32_ms - row.int8_ms
            chosen.add(row.node)
    return frozenset(chosen)


def greedy(rows: Sequence[LayerBits], cap: float) -> frozenset[str]:
    return in_order(sorted(rows, key=lambda row: row.loss / max(row.fp32_ms - row.int8_ms, 1e-9)), cap)


def on_device(run: Run, name: str, seeds: int) -> dict[str, Any]:
    target = make_target(name)
    assert isinstance(target, RuntimeDevice)
    mixer = Mixer(run, replace(target, precision="int8"), 0, ConsoleProgress())
    rows, none = mixer.rows, frozenset[str]()
    fp32, least = mixer.predict(none), sum(min(row.fp32_ms, row.int8_ms) for row in rows)
    mixes = {("fp32", 1.0): none, ("int8", 1.0): mixer.every}
    for share in SHARES:
        cap = fp32 - share * (fp32 - least)
        mixes[("programme", share)] = by_programme(rows, cap)
        mixes[("greedy", share)] = greedy(rows, cap)
        for seed in range(seeds):
            order = np.random.default_rng(seed).permutation(len(rows))
            mixes[(f"random {seed}", share)] = in_order([rows[i] for i in order], cap)
    different = list(dict.fromkeys(mixes.values()))
    costs = dict(zip(different, mixer.measure(different, Effort.CLAIM), strict=True))
    right = {mix: mixer.accuracy(mix) for mix in different}
    loss = {row.node: row.loss for row in rows}
    return {
        f"{how}, {share:.0%} of what int8 saves" if share < 1 else how: {
            "layers in int8": len(mix), "ms": costs[mix].ms, "grade": costs[mix].grade,
            "sum over layers": mixer.predict(mix), "expected loss": sum(map(loss.__getitem__, mix)),
            "test accuracy": right[mix],
        }
        for (how, share), mix in mixes.items()
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("run", type=Path)
    parser.add_argument("--device", nargs="+", default=["onnxruntime-cpu", "openvino-cpu"])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--keep", action="store_true")
    args = parser.parse_args()
    run = Run.open(args.run, ConsoleProgress())
    found = run.derived.architecture
    about = {"space": str(found.space), "found": str(found)}
    finish("quantize", {**about, "by device": {name: on_device(run, name, args.seeds) for name in args.device}})


if __name__ == "__main__":
    main()
