"""How good are latency predictors on other people's devices? Public tables, all columns, medians over seeds.

    python benchmarks/predictors.py --space nasbench201 --table latency.csv.gz [--train 900] [--seeds 5] [--keep]
    python benchmarks/predictors.py --space nasbench201 --table latency.csv.gz --transfer --train 10 --train 20 [--keep]
    python benchmarks/predictors.py --speed [--keep]

--transfer: each column in turn is the new device, all others are known. --speed: fits, predictions and gradients a
second, and the ranking of 10^6 architectures of the mobile space. --curves: by number of samples, without asking which
predictor would be chosen. --column: one of the table's, may be said several times; all if it is not. --name: of the
file that is kept.
"""

from __future__ import annotations

import argparse
import time
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from common import finish

from surgenas import api
from surgenas.cli.console import ConsoleProgress
from surgenas.core.seeds import generator
from surgenas.core.space import Floats
from surgenas.engine.tables import Table, read_table
from surgenas.predictors.base import Predictor, make_predictor
from surgenas.predictors.evaluate import score
from surgenas.spaces import make_space
from surgenas.spaces.mobile import Mobile
from surgenas.studies.contest import PREDICTORS, ContestRow

RANKED, CHUNK = 1_000_000, 20_000
CURVE = ("kendall", "spearman", "mape", "off", "mean_ms", "rmse_ms", "within_5", "within_10", "fit_seconds")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--space", default="nasbench201")
    parser.add_argument("--table", type=Path)
    parser.add_argument("--train", type=int, action="append")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--predictor", action="append")
    parser.add_argument("--column", action="append")
    parser.add_argument("--pick", default="")
    parser.add_argument("--name")
    parser.add_argument("--curves", action="store_true")
    parser.add_argument("--transfer", action="store_true")
    parser.add_argument("--speed", action="store_true")
    parser.add_argument("--keep", action="store_true")
    args = parser.parse_args()
    if args.speed:
        finish("predictors-speed", speed())
        return
    how = {"train": tuple(args.train or (900,)), "seeds": args.seeds, "pick": args.pick}
    how["predictors"] = tuple(args.predictor or PREDICTORS)
    table = read_table(make_space(args.space, {}), args.table, args.column or ())
    columns = table.columns
    if args.curves:
        rows_of = partial(curve, table, counts=how["train"], seeds=args.seeds)
        made = [row for column in columns for name in how["predictors"] for row in rows_of(column, name)]
        finish(
            args.name or f"predictors-{args.space}-curves", {"space": args.space, "seeds": args.seeds, "results": made}
        )
        return
    rows: list[ContestRow] = []
    for column in columns:
        known = {"pretrain": args.table} if args.transfer else {}
        found = api.predict_table(args.space, args.table, [column], progress=ConsoleProgress(), **how, **known)
        rows += found.results
    means = mean_spearman(rows)
    for (name, count), value in sorted(means.items(), key=lambda item: (item[0][1], -item[1])):
        print(f"{count} samples, {name}: mean Spearman {value:.4f}")
    kind = "transfer" if args.transfer else "alone"
    result = {"space": args.space, "seeds": args.seeds, "pick": found.pick, "results": [row.to_json() for row in rows],
              "mean_spearman": [{"predictor": p, "train": n, "value": v} for (p, n), v in means.items()]}  # fmt: skip
    finish(args.name or f"predictors-{args.space}-{kind}", result)


def curve(table: Table, column: str, name: str, *, counts: tuple[int, ...], seeds: int) -> list[dict[str, Any]]:
    """One predictor by number of samples, judged on all others: medians over draws, nothing chosen, the fit timed."""
    costs, ms, rows = table.space.costs(), table.of(column), list[dict[str, Any]]()  # type: ignore[attr-defined]
    for count in counts:
        scores = []
        for seed in range(seeds):
            order = generator(seed, "train").permutation(len(table))
            train, others = order[:count], order[count:]
            predictor = make_predictor(name, costs, seed)
            seconds = timed(partial(predictor.fit, table.code[train], ms[train]))
            scores.append(score(name, predictor.predict(table.code[others]), ms[others], seconds))
        middle = {key: float(np.median([getattr(s, key) for s in scores])) for key in CURVE}
        rows.append({"column": column, "predictor": name, "train": count, **middle})
        print(rows[-1], flush=True)
    return rows


def mean_spearman(rows: list[ContestRow]) -> dict[tuple[str, int], float]:
    """Over columns, of the medians over seeds."""
    groups: dict[tuple[str, int], list[float]] = {}
    for row in rows:
        groups.setdefault((row.predictor, row.train), []).append(row.spearman.median)
    return {key: float(np.mean(values)) for key, values in groups.items()}


def speed() -> dict[str, Any]:
    """Two threads; latency is made up, since only time is of interest."""
    torch.set_num_threads(2)
    space = Mobile(layout="proxyless")
    costs, rng = space.costs(), np.random.default_rng(0)
    L, K = costs.macs.shape

    def codes(count: int) -> Floats:
        drawn: Any = np.eye(K, dtype=np.float32)[rng.integers(K, size=(count, L))]
        return drawn

    train = codes(900)
    ms = (train * costs.macs).sum((1, 2)) / 1e8 * (1 + 0.02 * rng.standard_normal(900))
    found: dict[str, Any] = {}
    for name in PREDICTORS:
        predictor = make_predictor(name, costs, 0)
        found[name] = {"fit_seconds": timed(partial(predictor.fit, train, ms))}
        batch = codes(CHUNK)
        found[name]["predictions_per_second"] = CHUNK / min(timed(partial(predictor.predict, batch)) for _ in range(3))
        if predictor.differentiable:
            found[name]["gradient_query_ms"] = 1e3 * min(timed(partial(query, predictor, batch[:1])) for _ in range(20))
        print(name, found[name])
    process = make_predictor("process", costs, 0).fit(train[:100], ms[:100])
    start = time.perf_counter()
    ranked = np.concatenate([process.predict(codes(CHUNK)) for _ in range(RANKED // CHUNK)]).argsort()
    found["rank_1e6_seconds"] = time.perf_counter() - start
    assert len(ranked) == RANKED
    return found


def query(predictor: Predictor, code: Floats) -> None:
    """What a search step asks: one latency and its gradient."""
    predictor.predict_relaxed(torch.from_numpy(code).requires_grad_()).sum().backward()


def timed(work: Any) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
