"""On the digits: identity mapping and the skips chosen; samplers and updates per operator; estimators on a planted
bad operator.

    python benchmarks/ablations.py [--seeds N] [--epochs N] [--keep]
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import torch
from common import finish, spread

from surgenas.core import moves
from surgenas.core.capabilities import Counted, require
from surgenas.core.progress import Progress
from surgenas.core.space import Space
from surgenas.methods.base import Problem
from surgenas.methods.surgenas import SurgeNAS, SurgeNASSearch
from surgenas.nn.supernet import Gates
from surgenas.spaces.mobile import Mobile
from surgenas.tasks.classification import accuracy
from surgenas.tasks.data import Dataset, eval_batches, load_data
from surgenas.testing import Planted, ZeroPredictor
from surgenas.training.augment import steps_per_epoch, train_batches
from surgenas.training.fabric import make_fabric
from surgenas.training.loop import Recipe, fit

BATCH, ALONE = 64, 10


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--keep", action="store_true")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as cache:
        data = load_data("digits", 16, max_corrupt=0, cache=Path(cache), progress=Progress())
    small, planted = Mobile(layout="small", resolution=16, classes=10), Planted()

    def many(space: Space, **settings: Any) -> list[dict[str, Any]]:
        rows = [search(space, data, seed, args.epochs, **settings) for seed in range(args.seeds)]
        print(space.name, settings, rows, file=sys.stderr)
        return rows

    figures: dict[str, Any] = {"seeds": args.seeds, "epochs": args.epochs}
    eta = {value: many(small, eta=value) for value in (0.0, 1.0)}
    figures["eta"] = {
        f"{value:g}": {key: spread([r[key] for r in rows]) for key in ("skips", "supernet_accuracy", "accuracy")}
        for value, rows in eta.items()
    }
    samplers = {
        "ods": eta[1.0],
        "fair": many(small, sampler="fair", estimator="path-credit"),
        "gdas": many(small, sampler="gdas", estimator="straight-through"),
    }
    figures["samplers"] = {
        name: {
            "update_variance": spread([r["update_variance"] for r in rows]),
            "paths_a_step": rows[0]["paths_a_step"],
            "supernet_accuracy": spread([r["supernet_accuracy"] for r in rows]),
            "accuracy": spread([r["accuracy"] for r in rows]),
        }
        for name, rows in samplers.items()
    }
    figures["planted"] = {
        f"{estimator}, eta {value:g}": spread([r["worst_bad"] for r in many(planted, estimator=estimator, eta=value)])
        for estimator in ("path-credit", "straight-through", "both")
        for value in (0.0, 1.0)
    }
    figures["note"] = (
        f"accuracy: of the most probable path, on the test part, trained alone for {ALONE} epochs; supernet_accuracy: "
        "the same with the supernet's weights, BN statistics re-estimated on training images; planted: largest "
        "probability left on the bad operator, chance .25"
    )
    finish("ablations", figures)


def search(space: Space, data: Dataset, seed: int, epochs: int, **settings: Any) -> dict[str, Any]:
    """One search that sees accuracy only."""
    blind = ZeroPredictor(require(space, Counted).costs())
    problem = Problem(space, 1.0, seed, predictor=blind, steps_per_epoch=steps_per_epoch(data, BATCH))
    begun = SurgeNAS(epochs=epochs, loss="penalty", latency_weight=0.0, **settings).begin(problem)
    used: Counter[tuple[int, int]] = Counter()
    for layer, block in enumerate(begun.supernet.layers):
        for k, op in enumerate(block.ops):
            op.register_forward_hook(lambda *_, at=(layer, k): used.update([at]))
    for epoch in range(epochs):
        summary: Any = begun.run_epoch(epoch, train_batches(data, BATCH, seed, epoch))
    counts = [used[layer, k] for layer in range(len(space.choices)) for k in range(len(space.choices[0].options))]
    p_LK = begun.probabilities()
    return {
        "skips": summary.skips,
        "update_variance": statistics.pvariance(counts),
        "paths_a_step": len(begun._draw(1.0, 0, False)),
        "supernet_accuracy": supernet_accuracy(begun, data, summary.path),
        "accuracy": accuracy_alone(space, data, seed, summary.path) if space.name == "mobile" else None,
        "worst_bad": float(p_LK[:, 1].max()),
    }


def accuracy_alone(space: Space, data: Dataset, seed: int, path: tuple[int, ...]) -> float:
    """Test accuracy of a path trained from scratch."""
    arch = moves.from_indices(space, path)
    state = fit(make_fabric("cpu"), lambda: space.build(arch), data, Recipe(epochs=ALONE, batch=BATCH), seed=seed)
    network = space.build(arch)
    network.load_state_dict(state)
    return accuracy(network, data, data.test)


def supernet_accuracy(search: SurgeNASSearch, data: Dataset, path: tuple[int, ...]) -> float:
    """Test accuracy of a path, its BN statistics taken from training images."""
    gates = Gates.one_hot(path, len(search.space.choices[0].options))
    net = search.supernet
    for module in net.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.reset_running_stats()
            module.momentum = None
    net.train()
    with torch.no_grad():
        for images, _ in eval_batches(data, data.train, 256):
            net(images, gates)
        net.eval()
        hits = [(net(x, gates).argmax(1) == y).float() for x, y in eval_batches(data, data.test, 256)]
    return float(torch.cat(hits).mean())


if __name__ == "__main__":
    main()
