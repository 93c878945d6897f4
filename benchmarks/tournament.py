"""Which search is worth its time? Every method gets one total cost, search and training together; so does none.

    python benchmarks/tournament.py --data digits --methods random,spos,surgenas [--total 60] [--share 0.5] [--seeds 3]
        [--near 0.8] [--space compound] [--latency 0.3ms] [--device roofline-example] [--resolution 16]
        [--out tournament] [--keep] [--name digits]
    python benchmarks/tournament.py --show --out tournament

total: in epochs of the found network's training. share: of it that a search may take; what it leaves, the found
network is trained for. near: as of methods that train each candidate. Beside each, a random network of its latency is
trained for the total. Runs are folders of `--out`, so that it goes on where it was cut off; `--show` tells what is
finished. Differences are in points, with Welch's 95 % interval over seeds.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from common import finish, needs_of, whole_run

from surgenas.core.progress import Progress
from surgenas.core.significance import difference
from surgenas.core.units import parse_latency_ms
from surgenas.runs.config import make_config
from surgenas.runs.names import AS_LONG, EQUAL, FOUND
from surgenas.runs.results import Planned, TotalCost
from surgenas.runs.run import Run
from surgenas.runs.searching import Searching
from surgenas.runs.total_cost import total_cost

CANDIDATE = 1 / 24
"""Epochs of a candidate that is trained by itself, of the total."""
LAST_RUNG, RUN_ALONE = 2 / 3, 3 / 7
"""In a race of four, two stop after a third of the found network's training and one after two thirds (LAST_RUNG), so
that this training is RUN_ALONE of the total."""
FEW: dict[str, dict[str, Any]] = {
    "regularized": {"population": 6, "tournament": 3, "batch": 1},
    "spos": {"population": 20, "generations": 5, "mutations": 10, "crossovers": 10},
}
"""Settings of methods whose usual ones need more candidates than there are."""


def split(args: argparse.Namespace, method: str, folder: Path) -> dict[str, Any]:
    """The settings of a run of this method: as much search as its share allows, and training for the rest."""
    needs, settings = needs_of(method), dict(FEW.get(method, {}))
    spent = args.share * args.total
    epochs = max(1, round(CANDIDATE * args.total))
    if needs.shares:
        epochs = max(2, int(spent / needs.passes))
    else:
        epochs *= 4 ** (needs.rungs - 1)  # each fidelity has a quarter of the next one's
        settings |= {"trials": max(2, int(spent / epochs)), "near": args.near}
    said = {
        "data": args.data, "device": args.device, "resolution": args.resolution, "method": method, "epochs": epochs,
        "method_settings": settings, "samples": args.samples,
        "latency_ms": parse_latency_ms(args.latency) if args.latency else None,
        "accelerator": "cpu", "layout": args.layout, "space": args.space,
    }  # fmt: skip
    if needs.goes_on:
        train = round(args.total * RUN_ALONE)
        race = {"epochs": round(LAST_RUNG * train), "method_settings": {"networks": 4, "near": args.near or 0.8}}
        return {**said, **race, "train_epochs": train}
    train = args.total - round(counted(said, args.total, folder))
    return {**said, "train_epochs": max(1, train)}


def counted(said: dict[str, Any], total: int, folder: Path) -> float:
    """Epochs of training that a search with these settings is worth, before it begins."""
    run = Run.open_or_create(folder, make_config(**said, train_epochs=total), Progress())
    searching = Searching(run)
    if not run.result(Planned):
        run.record("plan", Planned(said["epochs"], total, 0.0, 0.0, 0.0, 0.0, 0))
    cost = total_cost(run)
    trained = said["method_settings"].get("trials", 0) * said["epochs"] * searching.steps_per_epoch
    search = cost.search or trained * run.config.training.batch
    return total * (search + cost.judging) / cost.training


def play(args: argparse.Namespace) -> None:
    for seed in range(args.seeds):
        for method in args.methods.split(","):
            out = args.out / f"{method}-{seed}"
            settings = split(args, method, args.out / "counted" / method)
            print(f"{method}, seed {seed}: {settings}", file=sys.stderr)
            beside = {"random_at_equal_latency": 1, "random_at_equal_cost": 1}
            whole_run(out, **settings, **beside, seed=seed)


def told(out: Path) -> Iterator[tuple[str, dict[str, float]]]:
    """Of each finished run its method, accuracies in %, and what it cost in trainings."""
    for folder in sorted(out.iterdir()):
        if folder.name == "counted" or not (folder / "report.html").exists():
            continue
        run = Run.open(folder, Progress())
        cost = run.result(TotalCost)
        known = {name: run.accuracy(name) for name in (FOUND, f"{EQUAL} 1", f"{AS_LONG} 1")}
        if cost and all(value is not None for value in known.values()):
            row = {name: 100 * float(value or 0.0) for name, value in known.items()}
            yield run.config.method.name, {**row, "epochs in all": cost.epochs, "of training": cost.train_epochs}


def show(out: Path) -> dict[str, Any]:
    """By method: means, and the difference to random at equal total cost and at equal training."""
    rows: dict[str, list[dict[str, float]]] = {}
    for method, row in told(out):
        rows.setdefault(method, []).append(row)
    found: dict[str, Any] = {}
    for method, some in rows.items():
        columns = {name: [row[name] for row in some] for name in some[0]}
        means = {name: float(np.mean(values)) for name, values in columns.items()}
        against = {
            name: difference(columns[FOUND], columns[f"{name} 1"], 0.0).tell().to_json() if len(some) > 1 else None
            for name in (EQUAL, AS_LONG)
        }
        found[method] = {"seeds": len(some), **means, "against": against}
    return dict(sorted(found.items(), key=lambda item: -item[1][FOUND]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--methods", default="random,regularized,halving,spos,surgenas")
    for name, default in (
        ("data", "digits"),
        ("device", "roofline-example"),
        ("layout", "small"),
        ("latency", ""),
        ("space", ""),
    ):
        parser.add_argument(f"--{name}", default=default)
    for name, number in (("total", 60), ("seeds", 3), ("resolution", 16), ("samples", 40)):
        parser.add_argument(f"--{name}", type=int, default=number)
    for name, share in (("share", 0.5), ("near", 0.0)):
        parser.add_argument(f"--{name}", type=float, default=share)
    parser.add_argument("--out", type=Path, default=Path("tournament"))
    parser.add_argument("--name", default="")
    for name in ("show", "keep"):
        parser.add_argument(f"--{name}", action="store_true")
    args = parser.parse_args()
    if not args.show:
        play(args)
    words = {
        "space": args.space or "of the method",
        "near": args.near,
        "total epochs": args.total,
        "share": args.share,
        "device": args.device,
        "px": args.resolution,
    }
    finish(f"tournament-{args.name or Path(args.data).name}", {**words, "methods": show(args.out)})


if __name__ == "__main__":
    main()
