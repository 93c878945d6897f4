"""How long do steps take, beside an earlier build? Search steps of SurgeNAS, and steps of a final training.

    python benchmarks/step_time.py --against COMMIT [--sides 32 64] [--rounds 9] [--keep]

Either build computes in a process of its own, and they take turns; the ratio of a round is that of two neighbours. A
search step is one of `surgenas` on layout `small` with its default sampler, all operators once, batch 64; a training
step is a part of `fit`, of the network of operators k5e6. Bytes are what autograd holds for one
path, of k5e6 too, with its shortcuts.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from common import Asked, finish, lay_out, spread

BATCH, STEPS = 64, 3


def searching(side: int) -> tuple[Callable[[int], None], Callable[[], float]]:
    """So many steps of a search, and the bytes that one holds."""
    from surgenas.methods import make_method
    from surgenas.methods.base import Problem
    from surgenas.spaces import make_space
    from surgenas.testing import ZeroPredictor, held_bytes

    space = make_space("mobile", {"layout": "small", "resolution": side, "classes": 10})
    problem = Problem(space, 1.0, 0, predictor=ZeroPredictor(space.costs()), steps_per_epoch=50)  # type: ignore[attr-defined]
    search: Any = make_method("surgenas", {"epochs": 2, "warmup": 0.5}).begin(problem)
    search.supernet.train()
    images = torch.randn(BATCH, 3, side, side).contiguous(memory_format=torch.channels_last)
    labels = torch.randint(10, (BATCH,))

    def steps(count: int) -> None:
        for i in range(count):
            search.step(images, labels, 50 + i)

    path = [choice.options.index("k5e6") for choice in space.choices]
    return steps, lambda: float(held_bytes(lambda: search.supernet.at(images, path, 1.0), search.supernet))


def training(side: int) -> Callable[[int], None]:
    """So many steps of a final training."""
    from surgenas.spaces import make_space
    from surgenas.tasks.data import Dataset, Part
    from surgenas.tasks.image_list import HeldImages
    from surgenas.training.loop import Recipe, fit

    try:
        from surgenas.training.fabric import make_fabric

        fabric = make_fabric("cpu")
    except ImportError:  # an earlier build
        from surgenas.training import loop

        fabric = loop.make_fabric("cpu", 1)  # type: ignore[attr-defined]

    space = make_space("mobile", {"layout": "small", "resolution": side, "classes": 10})
    arch = space.architecture(tuple(choice.options[choice.options.index("k5e6")] for choice in space.choices))

    def steps(count: int) -> None:
        images = torch.randint(0, 256, (BATCH * count, 3, side, side), dtype=torch.uint8)
        part = Part(HeldImages(images), torch.randint(10, (len(images),)))
        data = Dataset("made", tuple("abcdefghij"), part, part, (0.5,) * 3, (0.25,) * 3, flips=True)
        fit(fabric, lambda: space.build(arch), data, Recipe(epochs=1, batch=BATCH), seed=0)

    return steps


def serve(side: int) -> None:
    """In a process of a build: seconds of what is asked for, a line each."""
    steps, held = searching(side)
    kinds = {"search": steps, "training": training(side)}
    for kind in kinds.values():
        kind(2)
    for line in sys.stdin:
        if line.strip() == "held":
            print(held(), flush=True)
            continue
        begun = time.perf_counter()
        kinds[line.strip()](STEPS)
        print(time.perf_counter() - begun, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--against", default="HEAD")
    parser.add_argument("--sides", type=int, nargs="+", default=[32, 64])
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("--serve", type=int, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.serve:
        serve(args.serve)
        return
    found: dict[str, Any] = {"against": args.against, "threads": torch.get_num_threads()}
    with tempfile.TemporaryDirectory() as name:
        before = lay_out(args.against, Path(name)) / "src"
        now = Path(__file__).parents[1] / "src"
        for side in args.sides:
            builds = {
                kind: Asked(__file__, source, "--serve", str(side))
                for kind, source in (("now", now), ("before", before))
            }
            for kind in ("search", "training"):
                seconds: dict[str, list[float]] = {"now": [], "before": []}
                for _ in range(args.rounds):
                    for build, worker in builds.items():
                        seconds[build].append(worker.ask(kind) / STEPS)
                ratios = [a / b for a, b in zip(seconds["now"], seconds["before"], strict=True)]
                found[f"{kind}, {side} px"] = {"ratio": spread(ratios), **{k: spread(v) for k, v in seconds.items()}}
                print(side, kind, sorted(ratios), flush=True)
            found[f"bytes held, {side} px"] = {build: worker.ask("held") for build, worker in builds.items()}
            for worker in builds.values():
                worker.process.kill()
    finish("step_time", found)


if __name__ == "__main__":
    main()
