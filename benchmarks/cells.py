"""DARTS-PT against its oracles, and DARTS, DARTS-PT and LA-DARTS as whole runs, beside random cells.

    python benchmarks/cells.py oracle ACCURACY.csv.gz [--keep]
    python benchmarks/cells.py fastest LATENCY.csv.gz [--keep]
    python benchmarks/cells.py compare [--space nasbench201] [--channels 4] [--repeats 1] [--table ACCURACY.csv.gz]
                                       [--data FOLDER] [--seeds 3] [--only NAME ...] [--runs FOLDER] [--keep]

oracle: what the selection finds on NAS-Bench-201 in each of the 720 orders of edges, when the accuracy without an
operator is the mean validation accuracy after 12 epochs of all cells that lack it; no training. fastest: where a large
lambda of LA-DARTS ends on each device of the table, whose latencies are looked up, beside where the exact gradient of
the expected latency ends. compare: accuracy, measured latency and skips at half of the largest latency; with --table,
what the found cells would be at full width.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import tempfile
from collections import defaultdict
from itertools import permutations
from pathlib import Path
from typing import Any

import numpy as np
import torch
from common import finish, spread, whole_run
from torch import Tensor

from surgenas.cli.console import ConsoleProgress
from surgenas.core import moves
from surgenas.methods.base import Problem
from surgenas.methods.candidates import HeldOut
from surgenas.methods.la_darts import LADARTS
from surgenas.methods.perturbation import Decision, Event, decide
from surgenas.predictors.base import make_predictor
from surgenas.spaces import make_space
from surgenas.spaces.nasbench201 import NASBench201
from surgenas.tasks.data import hold_out, load_data

METHODS: dict[str, tuple[str, dict[str, Any]]] = {
    "DARTS, magnitude": ("darts", {}),
    "DARTS-PT": ("darts-pt", {"tuning": 1}),
    "DARTS-PT, fixed": ("darts-pt", {"tuning": 1, "fixed": True}),
    "LA-DARTS": ("la-darts", {}),
    "LA-DARTS, lambda 0": ("la-darts", {"loss": "fixed", "latency_weight": 0.0}),
    "SurgeNAS": ("surgenas", {}),
    "SurgeNAS, perturbation": ("surgenas", {"selection": "perturbation"}),
}
SPACE = NASBench201()
RATE, STEPS = 0.02, 1500  # of the search for the fastest cell; a faster one ends in more of the local minima


def read_table(path: Path) -> dict[str, np.ndarray]:
    """The columns of a table of NAS-Bench-201 by name; "path" has the operators (N, 6) of the cells."""
    with gzip.open(path, "rt") as file:
        rows = list(csv.DictReader(file))
    cells = [SPACE.parse(row["arch"]) for row in rows]
    found = {name: np.array([float(row[name]) for row in rows]) for name in rows[0] if name not in ("arch", "idx")}
    return {**found, "path": np.array([moves.indices(SPACE, cell) for cell in cells])}


def oracle(table: dict[str, np.ndarray], seen: str, told: str) -> dict[str, Any]:
    """The `told` accuracies of what the selection finds with `seen` in every order of the edges."""
    path, signal = table["path"], table[seen]
    known: dict[bytes, float] = {}

    def judge(weights: list[Tensor]) -> list[float]:
        found = []
        for weight in weights:
            there = weight.numpy() > 0
            key = there.tobytes()
            if key not in known:
                known[key] = float(signal[there[np.arange(6), path].all(1)].mean())
            found.append(known[key])
        return found

    row_of = {tuple(cell): i for i, cell in enumerate(path.tolist())}
    equal, results = torch.from_numpy(np.ones((6, 5)) / 5), []
    for order in permutations(range(6)):
        decisions: list[Decision] = []
        for edge in order:
            decisions += decide(Event(((edge,),), thins=False), decisions, equal, SPACE.offered, judge)
        chosen = {decision.row: decision.operator for decision in decisions}
        results.append(row_of[tuple(chosen[edge] for edge in range(6))])
    accuracies = table[told][results]
    return {"mean": float(accuracies.mean()), "outcomes": len(set(results)), "best": float(accuracies.max())}


def fastest(table: dict[str, np.ndarray], column: str) -> dict[str, Any]:
    """Where the latency term alone leads, for both estimators and for the exact gradient of the expected latency.

    Operators drawn edge by edge have an expected latency that is linear in each edge's probabilities, so descent can
    end at any cell that no change of one operator makes faster; "faster by one change" counts those that do.
    """
    code, ms = np.eye(5)[table["path"]], table[column]
    ms_by_path = np.zeros((5,) * 6)
    ms_by_path[tuple(table["path"].T)] = ms
    data = load_data("digits", 8, max_corrupt=0, cache=Path(), progress=ConsoleProgress())
    _, aside = hold_out(data, 0.5, 10**6, 0)
    held_out = HeldOut(data.normalise(aside.images[:]), data.normalise(aside.images[:]), aside.labels)
    space = NASBench201(channels=4, repeats=1, resolution=8)
    some = np.random.default_rng(0).permutation(len(ms))[:1000]
    learned = make_predictor("mlp", space.costs(), 0).fit(code[some], ms[some])

    def told(path: list[int]) -> dict[str, Any]:
        there = ms_by_path[tuple(path)]
        lines = [ms_by_path[(*path[:edge], slice(None), *path[edge + 1 :])] for edge in range(6)]
        faster = sum(int((line < there).sum()) for line in lines)
        return {"over the fastest": float(there / ms.min()), "faster by one change": faster}

    class Looked(type(learned)):  # type: ignore[misc]
        def predict(self, asked: np.ndarray) -> np.ndarray:
            return ms_by_path[tuple(asked.argmax(2).T)]  # type: ignore[no-any-return]

    found: dict[str, Any] = {"exact gradient": told(descend(ms_by_path / np.median(ms)))}
    for name, predictor in (("score", Looked(space.costs())), ("straight-through", learned)):
        method = LADARTS(estimator=name, loss="fixed", latency_weight=1e3, alpha_lr=RATE, draws=32)  # type: ignore[arg-type]
        ends = []
        for seed in range(3):
            search = method.begin(Problem(space, float(np.median(ms)), seed, predictor=predictor, held_out=held_out))
            for index in range(STEPS):
                search.logits_LK.grad, _ = search.latency_term(index)
                search.alpha_optimizer.step()
            ends.append(told(moves.path_of(space, search.largest())))
        found[name] = {key: [end[key] for end in ends] for key in ends[0]}
    return found


def descend(cost_by_path: np.ndarray) -> list[int]:
    """The most probable path after descending the exact expected cost, from equal logits (Adam, as the search)."""
    logits = torch.zeros(cost_by_path.ndim, cost_by_path.shape[0], dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.Adam([logits], lr=RATE, betas=(0.5, 0.999))
    for _ in range(STEPS):
        expected = torch.from_numpy(cost_by_path)
        for probability in logits.softmax(1):
            expected = torch.tensordot(probability, expected, dims=1)
        optimizer.zero_grad()
        expected.backward()
        optimizer.step()
    return [int(operator) for operator in logits.argmax(1)]


def compare(args: argparse.Namespace) -> dict[str, Any]:
    """Medians over seeds, by method."""
    own = {"channels": args.channels}
    own |= {"repeats": args.repeats} if args.space == "nasbench201" else {"layers": args.repeats}
    table = read_table(args.table) if args.table else None
    rows: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for seed in range(args.seeds):
        for name, (method, settings) in METHODS.items():
            if args.only and name not in args.only:
                continue
            folder = f"{args.space}-{Path(args.data).name}-{name.replace(' ', '-')}-{seed}"
            summary = whole_run(
                args.runs / folder, data=args.data, space=args.space, space_settings=own, method=method,
                method_settings=settings,
                resolution=args.resolution, seed=seed, random_at_equal_latency=1, random=1, samples=args.samples,
                epochs=args.epochs, train_epochs=args.train_epochs,
            )  # fmt: skip
            assert summary.architecture is not None
            space = make_space(args.space, dict(summary.architecture.space.settings))
            cells: Any = space
            found = rows[name]
            found["accuracy"].append(summary.accuracy.test or 0.0)
            found["of the limit"].append(summary.latency.of_limit.share if summary.latency.of_limit else 0.0)
            edges = [operator for cell in cells.cells(summary.architecture).values() for *_, operator in cell]
            found["skips"].append(edges.count("skip_connect"))
            found["random at equal latency"] += [n.accuracy or 0.0 for n in summary.random_at_equal_latency]
            found["random"] += [n.accuracy or 0.0 for n in summary.random]
            found["minutes"].append(sum(summary.seconds.values()) / 60)
            if table is not None:
                place = (table["path"] == moves.indices(space, summary.architecture)).all(1).argmax()
                there = table[args.column][place]
                found["in the table"].append(float(there))
                found["share of cells that are better"].append(float((table[args.column] > there).mean()))
    return {name: {key: spread(values) for key, values in found.items()} for name, found in rows.items()}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("part", choices=("oracle", "fastest", "compare"))
    parser.add_argument("file", type=Path, nargs="?")
    parser.add_argument("--table", type=Path)
    parser.add_argument("--column", default="c10_test_200ep")
    parser.add_argument("--space", default="nasbench201")
    parser.add_argument("--channels", type=int, default=4)
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument("--data", default="digits")
    parser.add_argument("--resolution", type=int, default=0)
    parser.add_argument("--samples", type=int, default=0)
    parser.add_argument("--epochs", type=int, default=0)
    parser.add_argument("--train-epochs", type=int, default=0)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--only", nargs="+")
    parser.add_argument("--runs", type=Path)
    parser.add_argument("--keep", action="store_true")
    args = parser.parse_args()
    if args.part == "oracle":
        table = read_table(args.file)
        pairs = {name: (f"{name}_val_12ep", f"{name}_test_200ep") for name in ("c10", "c100")}
        finish("cells-oracle", {name: oracle(table, *columns) for name, columns in pairs.items()})
        return
    if args.part == "fastest":
        table = read_table(args.file)
        columns = [name for name in table if name.endswith("_ms")]
        finish("cells-fastest", {name: fastest(table, name) for name in columns})
        return
    with tempfile.TemporaryDirectory() as scratch:
        args.runs = args.runs or Path(scratch)
        names = (
            "space",
            "channels",
            "repeats",
            "data",
            "resolution",
            "samples",
            "epochs",
            "train_epochs",
            "seeds",
            "column",
        )
        settings = {name: getattr(args, name) for name in names}
        finish(f"cells-{args.space}-{Path(args.data).name}", {**settings, "by method": compare(args)})


if __name__ == "__main__":
    main()
