"""Which searches beat random on public tables? NAS-Bench-201 (two data sets, with and without latency limits) and
NAS-Bench-Macro.

    python benchmarks/lab.py --nasbench201 FOLDER [--macro FILE.json] --runs FOLDER [--seeds 20] [--budget 300] [--keep]

FOLDER holds accuracy.csv.gz and latency.csv.gz, FILE is nas-bench-macro_cifar10.json. `valid`: the 12-epoch validation
column steers; `direct`: the 200-epoch column steers and is reported, as is usual in the literature. Limits: what a
tenth, a third and two thirds of the networks keep, on three devices. --runs: goes on where it was cut off.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

import numpy as np
from common import finish

from surgenas import lab
from surgenas.console import ConsoleProgress
from surgenas.pipeline.tables import read_table
from surgenas.report.lab_text import bench_table
from surgenas.spaces import make_space

ALL = ("regularized", "evolution", "local", "halving", "weaknas", "weaknas-boosting", "optuna-tpe", "nevergrad")
INSIDE = ("regularized", "local", "nsga2", "weaknas", "optuna-tpe", "optuna-nsga2")
LIMITS = (("1080ti_1_ms", 1 / 10), ("pixel3_ms", 1 / 3), ("gold_6240_ms", 2 / 3))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--nasbench201", type=Path, required=True)
    parser.add_argument("--macro", type=Path)
    parser.add_argument("--runs", type=Path, required=True)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--budget", type=int, default=300)
    parser.add_argument("--keep", action="store_true")
    args = parser.parse_args()
    found: dict[str, Any] = {}

    def go(name: str, space: str, table: Path, validation: str, test: str, **how: Any) -> None:
        facts = lab.bench(space, table, validation, test, out=args.runs / name, seeds=args.seeds, budget=args.budget,
                          progress=ConsoleProgress(), **how)  # fmt: skip
        print(f"{name}\n{bench_table(facts)}", file=sys.stderr)
        for row in facts["methods"]:  # the curve at ten places
            row["regret"] = {key: values[9 :: max(1, args.budget // 10)] for key, values in row["regret"].items()}
        found[name] = {key: value for key, value in facts.items() if key not in ("table", "report")}

    accuracy, latency = (args.nasbench201 / f"{kind}.csv.gz" for kind in ("accuracy", "latency"))
    for data in ("c10", "c100"):
        val, test = f"{data}_val_12ep", f"{data}_test_200ep"
        go(f"{data} direct", "nasbench201", accuracy, test, test, methods=ALL, fidelities={val: 0.06})
    if args.macro:
        methods = [name for name in ALL if name != "halving"]
        go("macro direct", "macro", args.macro, "mean_acc", "mean_acc", methods=methods)
    table = read_table(make_space("nasbench201", {}), latency)
    for data in ("c10", "c100"):
        val, test = f"{data}_val_12ep", f"{data}_test_200ep"
        go(f"{data} valid", "nasbench201", accuracy, val, test, methods=[name for name in ALL if name != "halving"])
        for device, share in LIMITS:
            limit = float(f"{np.quantile(table.of(device), share):.3g}")
            go(f"{data} valid {device} {limit:g}", "nasbench201", accuracy, val, test, methods=INSIDE,
               latency_table=latency, latency=device, limit_ms=limit)  # fmt: skip
    finish("lab", {"seeds": args.seeds, "budget": args.budget, "benches": found})


if __name__ == "__main__":
    main()
