"""What explains the accuracy of small networks with links, and does FLASH find better ones than chance?

    python benchmarks/flash.py explain [--data digits] [--resolution 16] [--networks 25] [--epochs 4] [--seeds 3]
    python benchmarks/flash.py compare [--data digits] [--resolution 16] [--space concat] [--epochs N] [--samples N]
                                       [--train-epochs N] [--seeds 3] [--runs FOLDER]   (and --keep)

explain: so many random networks of `concat` are trained briefly and learned from, as many others are predicted; error
in points and rank of every model on these. compare: `surgenas search --method flash` at half of the largest latency,
beside two random networks of equal measured latency and equal training.
"""

from __future__ import annotations

import argparse
import tempfile
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
from common import finish, spread, whole_run

from surgenas.accuracy import USUAL
from surgenas.accuracy.base import make_accuracy_predictor, usable
from surgenas.core import moves
from surgenas.core.progress import Progress
from surgenas.core.seeds import generator
from surgenas.engine.here import Here
from surgenas.predictors.evaluate import rank_correlations
from surgenas.spaces import make_space
from surgenas.tasks.data import Images, hold_out, load_data
from surgenas.training.loop import Recipe

BESIDE = 2


def explain(args: argparse.Namespace) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as cache:
        data = load_data(args.data, args.resolution, max_corrupt=0.0, cache=Path(cache), progress=Progress())
    kept, aside = hold_out(data, 0.3, 2000, 0)
    space = make_space(args.space, {"resolution": args.resolution, "classes": len(data.classes)})
    recipe = Recipe(epochs=args.epochs, batch=32)
    rows: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for seed in range(args.seeds):
        engine = Here(Images(data, kept, aside), recipe, (recipe,), space, seed)
        archs = list(dict.fromkeys(moves.sample_many(space, 2 * args.networks + 9, generator(seed, "flash"))))
        archs = archs[: 2 * args.networks]
        scores = np.array([engine.judge(arch, 0) for arch in archs])
        known, others = slice(args.networks), slice(args.networks, None)
        for name in usable(USUAL, space):
            model = make_accuracy_predictor(name, space, seed).fit(archs[known], scores[known])
            predicted = model.predict(archs[others])
            kendall, spearman = rank_correlations(predicted, scores[others])
            rows[name]["error in points"].append(100 * float(np.sqrt(np.mean((predicted - scores[others]) ** 2))))
            rows[name]["Spearman"].append(spearman)
            rows[name]["Kendall"].append(kendall)
            rows[name]["refused"].append(float(bool(model.refusal)))
        mean = float(np.sqrt(np.mean((scores[known].mean() - scores[others]) ** 2)))
        rows["mean of the samples"]["error in points"].append(100 * mean)
    return {name: {key: spread(values) for key, values in found.items()} for name, found in rows.items()}


def compare(args: argparse.Namespace) -> dict[str, Any]:
    rows: dict[str, list[float]] = defaultdict(list)
    for seed in range(args.seeds):
        summary = whole_run(
            args.runs / f"{args.space}-{Path(args.data).name}-{seed}", data=args.data, space=args.space, method="flash",
            seed=seed, resolution=args.resolution, random_at_equal_latency=BESIDE, random=0, samples=args.samples,
            epochs=args.epochs, train_epochs=args.train_epochs, device=args.device,
        )  # fmt: skip
        rows["found"].append(summary.accuracy.test or 0.0)
        beside = [n.accuracy or 0.0 for n in summary.random_at_equal_latency]
        rows["random at equal latency"] += beside
        rows["found over the mean of these, points"].append(100 * (rows["found"][-1] - float(np.mean(beside))))
        rows["of the limit"].append(summary.latency.of_limit.share if summary.latency.of_limit else 0.0)
        rows["minutes of search"].append(summary.seconds["search"] / 60)
    return {name: spread(values) for name, values in rows.items()}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("part", choices=("explain", "compare"))
    parser.add_argument("--data", default="digits")
    parser.add_argument("--space", default="concat")
    parser.add_argument("--device", default="onnxruntime-cpu")
    for name, default in (("resolution", 16), ("networks", 25), ("epochs", 4), ("train-epochs", 0), ("samples", 0)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--runs", type=Path)
    parser.add_argument("--keep", action="store_true")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        args.runs = args.runs or Path(scratch)
        names = ("space", "data", "device", "resolution", "networks", "epochs", "train_epochs", "samples", "seeds")
        asked = {name: getattr(args, name) for name in names}
        found = {"explain": explain, "compare": compare}[args.part](args)
        finish(f"flash-{args.part}-{args.space}-{Path(args.data).name}", {**asked, "found": found})


if __name__ == "__main__":
    main()
