"""PARSEC against FP-NAS: samples, seconds and accuracy, on a table that knows the answers and as whole runs.

    python benchmarks/fp_nas.py table TABLE.json [--seeds 10] [--keep]
    python benchmarks/fp_nas.py compare [--data digits] [--space mobile] [--resolution 16] [--epochs N]
                                        [--train-epochs N] [--samples N] [--seeds 3] [--runs FOLDER] [--keep]
    python benchmarks/fp_nas.py step [--pairs 7] [--keep]

table: nas-bench-macro_cifar10.json. A network's cross-entropy is taken to be its error in percent over `--scale`. What
is counted until the most probable network is one of the ten best of 6561: draws, and different networks; of methods
that query networks one by one, how many until they have seen one of the ten. compare: `surgenas search` at half of the
largest latency, all with equally many epochs. step: seconds of a step that draws 16, over one that draws as many as the
entropy asks, in turns; and what a backward pass on the second half would add.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections import defaultdict
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import torch
from common import finish, spread, whole_run
from torch import nn

from surgenas.core.progress import Progress
from surgenas.core.seeds import generator
from surgenas.core.trial import Trial
from surgenas.methods import make_method
from surgenas.methods.base import Problem
from surgenas.methods.belief import Belief, Draws
from surgenas.methods.candidates import HeldOut
from surgenas.methods.halves import second_half
from surgenas.nn.ranks import Ranks
from surgenas.runs.run import Run
from surgenas.spaces import make_space
from surgenas.spaces.macro import Macro
from surgenas.tasks.data import hold_out, load_data
from surgenas.testing import ZeroPredictor
from surgenas.training.augment import steps_per_epoch, train_batches

SPACE = Macro()
BEST = 10
MOST = 3000
"""Networks that may be queried, or drawn, before a search counts as one that did not arrive."""
DRAWN = {"PARSEC, 16": Draws(16, 0.25, 4), "FP-NAS": Draws(0, 0.25, 4), "FP-NAS, 1 a nat": Draws(0, 1.0, 4)}
QUERYING = ("random", "regularized", "weaknas")
RUNS: dict[str, tuple[str, dict[str, Any]]] = {
    "PARSEC, 16": ("parsec", {}),
    "PARSEC, 16, as published": ("parsec", {"baseline": False}),
    "FP-NAS": ("fp-nas", {}),
    "FP-NAS, joint from the start": ("fp-nas", {"coarse": 0.0}),
}


def read_accuracy(path: Path) -> np.ndarray:
    """The accuracies in percent of the table, (3,) * 8."""
    table = json.loads(path.read_text())
    found = [table["".join(map(str, code))]["mean_acc"] for code in product(range(3), repeat=8)]
    return np.array(found).reshape((3,) * 8)


def learn(accuracy: np.ndarray, draws: Draws, seed: int, scale: float, lr: float) -> dict[str, float]:
    """What it takes until the mode of the distribution is one of the best, and the accuracy of the mode then."""
    rows = tuple((row,) for row in range(8))
    belief = Belief(
        (3,) * 8, rows, coarse=False, lr=lr, temperature=1.0, multiplier=None, latency_weight=0.0, baseline=True
    )
    best = np.sort(accuracy.ravel())[-BEST]
    known: set[tuple[int, ...]] = set()
    drawn = 0
    random = torch.Generator().manual_seed(seed)
    while drawn < MOST:
        count = draws.count(belief.distribution.entropy())
        paths = belief.distribution.draw(count, random)
        drawn += count
        known |= {tuple(path) for path in paths.tolist()}
        losses = torch.tensor([(100 - accuracy[tuple(path)]) / scale for path in paths.tolist()])
        belief.learn(paths, losses.float(), torch.ones(len(paths)))
        if accuracy[belief.distribution.mode()] >= best:
            break
    return {"drawn": drawn, "different": len(known), "accuracy": float(accuracy[belief.distribution.mode()])}


def query(accuracy: np.ndarray, name: str, seed: int) -> dict[str, float]:
    """How many networks a method asks for until it has seen one of the best."""
    best = np.sort(accuracy.ravel())[-BEST]
    method: Any = make_method(name, {"trials": MOST})
    search = method.start(SPACE, generator(seed, "fp-nas", name))
    seen = 0
    while seen < MOST and (asked := search.ask(method.batch)):
        for arch in asked:
            found = float(
                accuracy[tuple(map(int, (SPACE.choices[i].options.index(g) for i, g in enumerate(arch.genes))))]
            )
            seen += 1
            if found >= best:
                return {"queries": seen}
            search.tell(Trial.of(SPACE, arch, found))
    return {"queries": seen}


def table(args: argparse.Namespace) -> dict[str, Any]:
    accuracy = read_accuracy(args.file)
    rows: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for seed in range(args.seeds):
        for name, draws in DRAWN.items():
            for key, value in learn(accuracy, draws, seed, args.scale, args.lr).items():
                rows[name][key].append(value)
        for name in QUERYING:
            for key, value in query(accuracy, name, seed).items():
                rows[name][key].append(value)
    return {name: {key: spread(values) for key, values in found.items()} for name, found in rows.items()}


def compare(args: argparse.Namespace) -> dict[str, Any]:
    rows: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for seed, (name, (method, settings)) in product(range(args.seeds), RUNS.items()):
        if args.only and name not in args.only:
            continue
        folder = args.runs / f"{args.space}-{Path(args.data).name}-{name.replace(' ', '-')}-{seed}"
        summary = whole_run(
            folder, data=args.data, space=args.space, method=method, method_settings=settings, seed=seed,
            resolution=args.resolution, random_at_equal_latency=1, random=0, samples=args.samples, epochs=args.epochs,
            train_epochs=args.train_epochs, device=args.device,
        )  # fmt: skip
        epochs = [event["summary"] for event in Run.open(folder, Progress()).journal.all("epoch")]
        found = rows[name]
        found["accuracy"].append(summary.accuracy.test or 0.0)
        found["networks a step"].append(float(np.mean([epoch["drawn"] for epoch in epochs])))
        found["different ones"].append(float(np.mean([epoch["distinct"] for epoch in epochs])))
        found["entropy at the end"].append(epochs[-1]["entropy"])
        found["seconds of search"].append(summary.seconds["search"])
        found["random at equal latency"] += [n.accuracy or 0.0 for n in summary.random_at_equal_latency]
    return {name: {key: spread(values) for key, values in found.items()} for name, found in rows.items()}


def step(args: argparse.Namespace) -> dict[str, Any]:
    """Ratios of seconds, in turns: drawing 16 over drawing by the entropy; and with a backward pass on the second half
    over without."""
    with tempfile.TemporaryDirectory() as cache:
        data = load_data(args.data, args.resolution, max_corrupt=0.0, cache=Path(cache), progress=Progress())
    data, aside = hold_out(data, 0.5, 10_000, 0)
    images = data.normalise(aside.images[:])
    space = make_space("mobile", {"layout": "small", "resolution": args.resolution, "classes": len(data.classes)})
    costs: Any = space
    problem = Problem(
        space, 1.0, 0, predictor=ZeroPredictor(costs.costs()), steps_per_epoch=steps_per_epoch(data, 64),
        held_out=HeldOut(images, images, aside.labels),
    )  # fmt: skip
    sixteen, fewer = (make_method(name, {}).begin(problem) for name in ("parsec", "fp-nas"))
    batch = next(iter(train_batches(data, 64, 0, 0)))
    found: dict[str, list[float]] = defaultdict(list)
    for pair in range(args.pairs + 1):
        took = []
        for search in (sixteen, fewer):
            start = time.perf_counter()
            search.step(*batch, pair)
            took.append(time.perf_counter() - start)
        paths = sixteen.belief.distribution.draw(16, torch.Generator().manual_seed(pair))
        start = time.perf_counter()
        sixteen._judge(paths, pair, 64)
        judged = time.perf_counter() - start
        start = time.perf_counter()
        held, labels, _ = second_half(sixteen.held_out, 0, pair, Ranks(images=64))
        for path in paths.tolist():
            nn.functional.cross_entropy(sixteen.supernet.at(held, path), labels).backward()
        gradient = time.perf_counter() - start
        if pair:  # the first is to get warm
            found["16 networks / by the entropy"].append(took[0] / took[1])
            found["second half with a backward pass / without"].append(gradient / judged)
            found["step with one / without"].append((took[0] - judged + gradient) / took[0])
    return {name: spread(values) for name, values in found.items()}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("part", choices=("table", "compare", "step"))
    parser.add_argument("file", type=Path, nargs="?")
    parser.add_argument("--data", default="digits")
    parser.add_argument("--space", default="mobile")
    parser.add_argument("--device", default="onnxruntime-cpu")
    for name, default in (
        ("seeds", 3),
        ("resolution", 16),
        ("epochs", 0),
        ("train-epochs", 0),
        ("samples", 0),
        ("pairs", 7),
    ):
        parser.add_argument(f"--{name}", type=int, default=default)
    for name, value in (("scale", 2.5), ("lr", 0.1)):
        parser.add_argument(f"--{name}", type=float, default=value)
    parser.add_argument("--only", nargs="+")
    parser.add_argument("--runs", type=Path)
    parser.add_argument("--keep", action="store_true")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        args.runs = args.runs or Path(scratch)
        parts = {"table": table, "compare": compare, "step": step}
        names = (
            "data",
            "space",
            "seeds",
            "device",
            "resolution",
            "epochs",
            "train_epochs",
            "samples",
            "scale",
            "lr",
            "pairs",
        )
        asked = {name: getattr(args, name) for name in names}
        name = f"fp_nas-{args.part}" + (f"-{args.space}-{Path(args.data).name}" if args.part == "compare" else "")
        finish(name, {**asked, "found": parts[args.part](args)})


if __name__ == "__main__":
    main()
