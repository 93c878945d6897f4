"""Does a training that begins with the weights of the search end better than one from nothing, and at which length?

    python benchmarks/inherit.py [--data digits] [--every N] [--resolution R] [--seeds N] [--keep]

For each seed SurgeNAS searches, with simulated latencies, and the found network is trained for several lengths and two
learning rates, from fresh weights and from those that the search has trained; all else is equal. Accuracies are of the
test part. --every: of a folder of images to learn from, only each N-th.
"""

from __future__ import annotations

import argparse
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

from common import finish, spread, thinned

from surgenas import api
from surgenas.cli.console import ConsoleProgress
from surgenas.core.seeds import derive
from surgenas.core.work import Train, Weights
from surgenas.methods.base import HoldsWeights
from surgenas.nn.weights import save_weights
from surgenas.runs.flow import LONG, perform, prepare
from surgenas.runs.run import Run
from surgenas.runs.searching import Searching

LENGTHS = (1, 2, 4, 8, 16)
RATES = (1.0, 0.3)
"""Of the recipe's learning rate."""


def searched(folder: Path, **words: Any) -> tuple[Run, Weights]:
    """A run whose network is found, and the weights that the search has for it."""
    run = api.create(out=folder, device="surgenas.testing:toy_device", progress=ConsoleProgress(), **words)
    prepare(run)
    for step in LONG[:-1]:
        perform(run, step)
    search = Searching(run).go_on()
    assert isinstance(search, HoldsWeights)
    return run, save_weights(folder / "start.safetensors", search.weights_of(run.derived.architecture))


def accuracies(run: Run, start: Weights) -> dict[str, float]:
    engine, found = Searching(run).engine, {}
    for epochs in LENGTHS:
        for rate in RATES:
            recipe = replace(engine.recipe, epochs=epochs, lr=rate * engine.recipe.lr)
            for name, begun in (("fresh", None), ("inherit", start)):
                work = Train("alone", run.derived.architecture, derive(run.config.seed, "train"), begun)
                found[f"{epochs} epochs, rate x {rate}, {name}"] = replace(engine, recipe=recipe).train(work).accuracy
    return found


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", default="digits")
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--resolution", type=int, default=0)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--keep", action="store_true")
    args = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as name:
        data = thinned(args.data, args.every, Path(name) / "thinned") if args.every > 1 else args.data
        for seed in range(args.seeds):
            run, start = searched(Path(name) / str(seed), data=data, resolution=args.resolution, seed=seed)
            rows.append(accuracies(run, start))
    settings = {"data": Path(args.data).name, "every": args.every, "resolution": args.resolution, "seeds": args.seeds}
    finish(
        f"inherit-{settings['data']}",
        {**settings, "accuracy": {key: spread([r[key] for r in rows]) for key in rows[0]}},
    )


if __name__ == "__main__":
    main()
