"""Which searches beat random on public tables? NAS-Bench-201 (two data sets, with and without latency limits) and
NAS-Bench-Macro.

    python benchmarks/lab.py --nasbench201 FOLDER [--macro FILE.json] --runs FOLDER [--seeds 20] [--budget 300] [--keep]
    python benchmarks/lab.py ... --only "c100 valid"     these alone, so that several processes share the work
    python benchmarks/lab.py ... --methods weaknas-ei    these methods (and random) instead of the usual ones
    python benchmarks/lab.py --speed [--keep]

FOLDER holds accuracy.csv.gz and latency.csv.gz, FILE is nas-bench-macro_cifar10.json. `valid`: the 12-epoch validation
column steers; `direct`: the 200-epoch column steers and is reported, as is usual in the literature. Limits: what
a tenth, a third and two thirds of the networks keep, each on three devices, with a third of the queries. --runs: goes
on where it was cut off.
"""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from common import finish
from sklearn.neural_network import MLPRegressor

from surgenas import api
from surgenas.cli.console import ConsoleProgress
from surgenas.core import moves
from surgenas.core.trial import Trial
from surgenas.engine.tables import read_table
from surgenas.methods import make_method
from surgenas.methods.blackbox import list_networks
from surgenas.report.lab_text import bench_table
from surgenas.spaces import CATALOG as SPACES
from surgenas.spaces import make_space

LEARNED = ("weaknas", "weaknas-forest", "weaknas-boosting")  # weaknas-ei takes five times as long: --methods
ALL = ("regularized", "evolution", "local", *LEARNED, "optuna-tpe", "nevergrad")
TWO = ("nsga2", "optuna-nsga2")
QUERIES = 300
DEVICES = ("1080ti_1_ms", "pixel3_ms", "gold_6240_ms")
SHARES = (1 / 10, 1 / 3, 2 / 3)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--nasbench201", type=Path)
    parser.add_argument("--macro", type=Path)
    parser.add_argument("--runs", type=Path)
    parser.add_argument("--speed", action="store_true")
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--budget", type=int, default=300)
    parser.add_argument("--only", default="")
    parser.add_argument("--methods", nargs="+", default=[])
    parser.add_argument("--keep", action="store_true")
    args = parser.parse_args()
    if args.speed:
        finish("lab-speed", speed())
        return
    found: dict[str, Any] = {}

    def go(name: str, space: str, table: Path, validation: str, test: str, **how: Any) -> None:
        if not name.startswith(args.only):
            return
        how = {"budget": args.budget} | how | ({"methods": args.methods, "fidelities": {}} if args.methods else {})
        result = api.bench(space, table, validation, test, out=args.runs / name, seeds=args.seeds,
                           progress=ConsoleProgress(), **how)  # fmt: skip
        print(f"{name}\n{bench_table(result)}", file=sys.stderr)
        told = result.to_json()
        for row in told["methods"]:  # the curve at ten places
            row["regret"] = {key: values[9 :: max(1, len(values) // 10)] for key, values in row["regret"].items()}
        found[name] = {key: value for key, value in told.items() if key not in ("table", "report")}

    accuracy, latency = (args.nasbench201 / f"{kind}.csv.gz" for kind in ("accuracy", "latency"))
    table = read_table(make_space("nasbench201", {}), latency)
    limits = [(d, float(f"{np.quantile(table.of(d), share):.3g}")) for d in DEVICES for share in SHARES]
    for data in ("c10", "c100"):
        val, test = f"{data}_val_12ep", f"{data}_test_200ep"
        go(f"{data} direct", "nasbench201", accuracy, test, test, methods=("halving", *ALL), fidelities={val: 0.06})
        go(f"{data} valid", "nasbench201", accuracy, val, test, methods=ALL)
        for mode, steers, cheaper in (("direct", test, {val: 0.06}), ("valid", val, {})):
            for device, limit in limits:
                methods = (*ALL, *TWO, "halving") if cheaper else (*ALL, *TWO)
                go(f"{data} {mode} {device} {limit:g}", "nasbench201", accuracy, steers, test, methods=methods,
                   fidelities=cheaper, latency_table=latency, latency=device, limit_ms=limit,
                   budget=args.budget // 3)  # fmt: skip
    if args.macro:
        go("macro direct", "macro", args.macro, "mean_acc", "mean_acc", methods=ALL)
    if not args.only:
        finish("-".join(["lab", *args.methods]), {"seeds": args.seeds, "budget": args.budget, "benches": found})


def speed() -> dict[str, Any]:
    """Milliseconds of this process for a query; of a WeakNAS round all but its fit; seconds for a million samples."""
    found: dict[str, Any] = {}
    space, rng = make_space("nasbench201", {}), np.random.default_rng(0)
    list_networks(space)  # known before, as in a bench
    for name in ("random", "regularized", "local", "nsga2", "halving", "weaknas", "optuna-tpe"):
        fitting = 0.0
        plain = MLPRegressor.fit

        def timed(self: Any, x: Any, y: Any) -> Any:
            nonlocal fitting
            start = time.process_time()
            try:
                return plain(self, x, y)  # noqa: B023
            finally:
                fitting += time.process_time() - start

        MLPRegressor.fit = timed
        method: Any = make_method(name, {"trials": QUERIES})
        start, wall = time.process_time(), time.perf_counter()
        loop, rounds = method.start(space, rng), 0
        while len(loop.history) < QUERIES:
            rounds += 1
            for arch in loop.ask(method.batch):
                trial = Trial.of(space, arch, float(rng.random()))
                loop.tell(replace(trial, latency_ms=float(rng.random()), rung=0))
        spent, took = time.process_time() - start, time.perf_counter() - wall
        MLPRegressor.fit = plain
        found[name] = {"ms_a_query": 1e3 * spent / QUERIES, "seconds": took}
        if fitting:
            found[name]["ms_a_round_without_fit"] = 1e3 * (spent - fitting) / rounds
        print(name, found[name], file=sys.stderr)
    found["seconds_for_a_million_samples"] = {}
    for name in SPACES:
        start = time.process_time()
        moves.sample_many(make_space(name, {}), 1_000_000, rng)
        found["seconds_for_a_million_samples"][name] = time.process_time() - start
        print(name, found["seconds_for_a_million_samples"][name], file=sys.stderr)
    return found


if __name__ == "__main__":
    main()
