"""Single-Path NAS beside SurgeNAS, MobileNetV2 and random architectures of equal latency; its two modes; its ways to
a latency limit.

    python benchmarks/single_path.py compare [--data FOLDER --resolution 64] [--seeds 3] [--runs FOLDER] [--keep]
    python benchmarks/single_path.py modes [--data FOLDER --resolution 64] [--seeds 3] [--keep]
    python benchmarks/single_path.py lambda [--keep]

compare: whole runs at SurgeNAS's limit, with and without searchable Squeeze-and-Excitation. modes: how many thresholds
were switched off, did it collapse. lambda: latency against lambda, and the searches that each way needs to land within
3 %. The last two search only, with a predictor from 60 measured networks, and measure what they choose.
--every n: trains on every n-th image only.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from common import finish, needs_of, spread, thinned, whole_run

from surgenas import api
from surgenas.cli.console import ConsoleProgress
from surgenas.core import moves
from surgenas.methods.base import Problem
from surgenas.methods.single_path import SinglePathNAS, SinglePathSearch
from surgenas.runs.measured import fitted_predictor, measure
from surgenas.runs.run import Run
from surgenas.runs.steps.predict import predict
from surgenas.runs.steps.profile import profile
from surgenas.runs.steps.reach import reach
from surgenas.training.augment import steps_per_epoch, train_batches

EPOCHS = 21
SHARES = (0.35, 0.5, 0.7)
TOLERANCE = 0.03


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("part", choices=("compare", "modes", "lambda"))
    parser.add_argument("--data", default="digits")
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--resolution", type=int, default=0)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--random-at-equal-latency", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=0, help="of SurgeNAS, Single-Path's are longer; or of each mode")
    parser.add_argument("--train-epochs", type=int, default=0)
    parser.add_argument("--no-se", action="store_true", help="leave out searchable Squeeze-and-Excitation")
    parser.add_argument("--runs", type=Path, help="keep the runs here, and go on where they were cut off")
    parser.add_argument("--keep", action="store_true")
    args = parser.parse_args()
    name = f"single_path-{args.part}{'' if args.data == 'digits' else '-' + Path(args.data).name}"
    with tempfile.TemporaryDirectory() as scratch:
        folder = args.runs or Path(scratch)
        args.data = thinned(args.data, args.every, folder / "images")
        if args.part == "compare":
            found = compare(args, folder)
        else:
            run = measured_space(folder, args)
            found = modes(run, args) if args.part == "modes" else lambdas(run)
    finish(name, {"every": args.every, **found})


def compare(args: argparse.Namespace, folder: Path) -> dict[str, Any]:
    how = {"data": args.data, "resolution": args.resolution, "train_epochs": args.train_epochs}
    rows: list[dict[str, Any]] = []
    for seed in range(args.seeds):
        limit_ms = None
        runs = [("surgenas", "surgenas", "mobile", args.random_at_equal_latency),
                ("single-path", "single-path", "single_path", 0),
                ("single-path with SE", "single-path", "single_path_se", 0)]  # fmt: skip
        for name, method, space, count in runs[: 2 if args.no_se else 3]:
            epochs = round(args.epochs * needs_of(method).longer)
            out = folder / f"{seed}-{name.replace(' ', '-')}"
            found = whole_run(out, seed=seed, method=method, space=space, random_at_equal_latency=count,
                              latency_ms=limit_ms, epochs=epochs, **how).to_json()  # fmt: skip
            epochs = len(Run.open(out, ConsoleProgress()).journal.all("epoch"))
            limit_ms = found["limit_ms"]
            kept = ("limit_ms", "latency", "accuracy", "yardsticks", "random_at_equal_latency", "seconds",
                    "architecture")  # fmt: skip
            rows.append({"seed": seed, "name": name, "epochs": epochs, **{key: found[key] for key in kept}})
    table: dict[str, Any] = {}
    for name in dict.fromkeys(row["name"] for row in rows):
        mine = [row for row in rows if row["name"] == name]
        table[name] = {
            "accuracy": spread([row["accuracy"]["test"] for row in mine]),
            "share_of_limit": spread([row["latency"]["ms"] / row["limit_ms"] for row in mine]),
            "search_seconds": spread([row["seconds"]["search"] for row in mine]),
            "epochs": spread([row["epochs"] for row in mine]),
        }
    table["mobilenetv2"] = {"accuracy": spread([row["yardsticks"][0]["accuracy"] for row in rows])}
    random = [network["accuracy"] for row in rows for network in row["random_at_equal_latency"]]
    table["random at equal latency"] = {"accuracy": spread(random)}
    for name, figures in table.items():
        print(name, {what: values["median"] for what, values in figures.items()})
    return {"table": table, "runs": rows}


def measured_space(folder: Path, args: argparse.Namespace) -> Run:
    run = api.create(data=args.data, resolution=args.resolution, method="single-path", samples=60,
                     out=folder / args.part, progress=ConsoleProgress())  # fmt: skip
    run.record("reach", reach(run))
    run.record("profile", profile(run))
    run.record("predict", predict(run))
    return run


def searched(
    run: Run, share: float, seed: int = 0, epochs: int = EPOCHS, **settings: Any
) -> tuple[SinglePathSearch, dict[str, Any]]:
    """The search after its last epoch; what it chose, predicted and measured, over the limit."""
    limit_ms = share * run.reached.high_ms
    batch, predictor = run.config.training.batch, fitted_predictor(run)
    steps = steps_per_epoch(run.data, batch)
    method = SinglePathNAS(epochs=epochs, **settings)
    search = method.begin(Problem(run.space, limit_ms, seed, predictor=predictor, steps_per_epoch=steps))
    start = time.monotonic()
    for epoch in range(search.epochs):
        if search.finished:
            break
        search.run_epoch(epoch, train_batches(run.data, batch, seed, epoch))
    arch = moves.from_indices(run.space, search.path())
    predicted_ms = float(predictor.predict(moves.encode(run.space, [arch]))[0])
    (m,) = measure(run, "benchmark", [arch])
    return search, {"limit_ms": limit_ms, "predicted": predicted_ms / limit_ms, "measured": m.ms / limit_ms,
                    "architecture": str(arch), "skips": arch.genes.count("skip"),
                    "seconds": time.monotonic() - start}  # fmt: skip


def modes(run: Run, args: argparse.Namespace) -> dict[str, Any]:
    """off: decisions that are 0 in the end, of those that can be. Faithful searches with the README's lambda."""
    rows = []
    for seed in range(args.seeds):
        for name, settings in (
            ("normalised", {}), ("normalised, no indicator dropout", {"indicator_dropout": "none"}),
            ("faithful", {"faithful": True, "loss": "log", "indicator_dropout": "authors"}),
            ("faithful, lambda x 50", {"faithful": True, "loss": "log", "lam": 1.0, "indicator_dropout": "authors"}),
        ):  # fmt: skip
            search, found = searched(run, 0.5, seed, args.epochs or EPOCHS, **settings)
            moved = (search.thresholds.detach() - (0 if search.config.faithful else 0.5)).abs()
            rows.append({"mode": name, "seed": seed, **found, "off": float((search.decisions() == 0).float().mean()),
                         "largest_move": float(moved.max())})  # fmt: skip
            print(rows[-1])
    return {"searches": rows}


def lambdas(run: Run) -> dict[str, Any]:
    sweep = []
    for x in np.linspace(-6, -2, 9):
        _, found = searched(run, 0.5, loss="log", lam=float(10**x))
        sweep.append({"log10_lambda": float(x), **found})
        print(sweep[-1])
    ways = []
    for share in SHARES:
        wanted: tuple[tuple[str, dict[str, Any]], ...] = (
            ("multiplier", {}), ("bisection", {"loss": "log", "search_lambda": "bisection"}),
            ("bayes", {"loss": "log", "search_lambda": "bayes"}),
        )  # fmt: skip
        for name, settings in wanted:
            search, found = searched(run, share, **settings)
            landed = abs(found["predicted"] - 1) <= TOLERANCE
            ways.append({"way": name, "share": share, "searches": max(1, len(search.tries)), "landed": landed, **found})
            print(ways[-1])
    return {"sweep": sweep, "ways": ways}


if __name__ == "__main__":
    main()
