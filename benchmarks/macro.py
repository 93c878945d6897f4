"""Which gradient estimator ranks architectures best? Searches in the space of NAS-Bench-Macro, judged by its table.

    python benchmarks/macro.py --table FILE.json --data FOLDER [--seeds N] [--epochs N] [--images N] [--keep]

FILE is nas-bench-macro_cifar10.json (6561 architectures, each trained alone three times), FOLDER CIFAR-10 with train/
and test/. Searches see `--images` training images; the table's accuracies are seen by the judgement alone.
Kendall tau: of the log-probability that a search gives all 6561 architectures, against their accuracy.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Literal, get_args

import numpy as np
import torch
from common import finish, spread
from scipy.stats import kendalltau

from surgenas.cli.console import ConsoleProgress
from surgenas.methods.base import Problem
from surgenas.methods.surgenas import SurgeNAS
from surgenas.nn.cost import count
from surgenas.spaces.macro import Macro
from surgenas.tasks.data import Dataset, load_data
from surgenas.testing import ZeroPredictor
from surgenas.training.augment import steps_per_epoch, train_batches

BATCH = 64
Estimator = Literal["path-credit", "straight-through", "both"]
ESTIMATORS: tuple[Estimator, ...] = get_args(Estimator)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--table", type=Path, required=True)
    parser.add_argument("--data", required=True)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--images", type=int, default=2000)
    parser.add_argument("--keep", action="store_true")
    args = parser.parse_args()
    if not args.table.is_file() or not Path(args.data).is_dir():
        print(f"no table at {args.table} or no images at {args.data}; skipped")
        return
    table = json.loads(args.table.read_text())
    codes = np.array(list(product(range(3), repeat=8)))
    keys = ["".join(map(str, code)) for code in codes]
    accuracy = np.array([table[key]["mean_acc"] for key in keys])
    check_costs(table)
    with tempfile.TemporaryDirectory() as cache:
        progress = ConsoleProgress()
        data = load_data(args.data, 32, max_corrupt=0, cache=Path(cache), progress=progress)
    data = first_images(data, args.images)
    rows: dict[str, list[dict[str, float]]] = {name: [] for name in ESTIMATORS}
    for seed in range(args.seeds):
        for estimator in ESTIMATORS:  # interleaved, so that a session cut short has seen all of them
            log_p_LK = search(data, seed, args.epochs, estimator)
            scores = log_p_LK[np.arange(8), codes].sum(1)
            found = accuracy[scores.argmax()]
            row = {
                "kendall": float(kendalltau(scores, accuracy).statistic),
                "accuracy": float(found),
                "better_share": float((accuracy > found).mean()),
            }
            print(seed, estimator, keys[scores.argmax()], row, file=sys.stderr)
            rows[estimator].append(row)
    finish(
        "macro",
        {
            "images": args.images, "epochs": args.epochs,
            "estimators": {e: {k: spread([r[k] for r in found]) for k in found[0]} for e, found in rows.items()},
            "random architecture": {"median": float(np.median(accuracy)), "best": float(accuracy.max())},
        },
    )  # fmt: skip


def search(data: Dataset, seed: int, epochs: int, estimator: Estimator) -> np.ndarray:
    """(L, K) log-probabilities after a search that sees accuracy only."""
    space = Macro()
    blind = ZeroPredictor(space.costs())
    problem = Problem(space, 1.0, seed, predictor=blind, steps_per_epoch=steps_per_epoch(data, BATCH))
    method = SurgeNAS(epochs=epochs, estimator=estimator, loss="penalty", latency_weight=0.0)
    begun = method.begin(problem)
    for epoch in range(epochs):
        begun.run_epoch(epoch, train_batches(data, BATCH, seed, epoch))
    return begun.probabilities().double().log().numpy()


def first_images(data: Dataset, count: int) -> Dataset:
    """As many training images, drawn once for all searches."""
    picked = torch.from_numpy(np.random.default_rng(0).permutation(len(data.train))[:count])
    return replace(data, train=data.train.pick(picked))


def check_costs(table: dict[str, dict[str, float]]) -> None:
    """MACs and parameters of all networks, built, are the table's."""
    space = Macro()
    for key, row in table.items():
        with torch.device("meta"):
            network = space.build(space.parse(key))
        assert count(network, space.input_shape) == (row["flops"], row["params"]), key


if __name__ == "__main__":
    main()
