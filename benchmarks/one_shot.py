"""SPOS and HURRICANE: what judging costs, how supernets rank, what two stages are worth, whole runs side by side.

    python benchmarks/one_shot.py cost [--keep]
    python benchmarks/one_shot.py rank --table FILE.json --data CIFAR10 [--epochs 6] [--images 5000] [--keep]
    python benchmarks/one_shot.py stages [--seeds 3] [--keep]
    python benchmarks/one_shot.py compare [--data FOLDER --resolution 64 --every 3 --epochs 6] [--runs FOLDER] [--keep]

cost: judging a candidate over a plain forward pass of as many images, in turns; evolution without judging; HURRICANE's
training over SPOS's, epochs of both in turns. rank:
Kendall tau-b of supernet accuracy against NAS-Bench-Macro's table over 600 architectures, and what the supernet's best
would be there, for three ways to train it at equal passes; the judgement alone sees the table. stages: HURRICANE,
warm start, split, K and b, on digits. compare: SPOS on the generic and on the device's space, HURRICANE, SurgeNAS,
Single-Path, MobileNetV2 and random architectures of equal latency at one limit. --epochs: of SurgeNAS, the others' are
by their default longer. --every n: trains on every n-th image only.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import torch
from common import finish, needs_of, spread, thinned, whole_run
from macro import first_images
from scipy.stats import kendalltau
from step_cost import seconds

from surgenas.cli.console import ConsoleProgress
from surgenas.core import moves
from surgenas.core.architecture import Architecture
from surgenas.core.errors import LimitError
from surgenas.core.space import Floats
from surgenas.methods.base import Method, Problem
from surgenas.methods.candidates import HeldOut, Judge, accuracies
from surgenas.methods.evolution import Evolution, evolve
from surgenas.methods.hurricane import Hurricane
from surgenas.methods.spos import SPOS
from surgenas.methods.surgenas import SurgeNAS
from surgenas.runs.names import FOUND
from surgenas.runs.results import Selected
from surgenas.runs.run import Run
from surgenas.runs.summary import Summary
from surgenas.spaces.macro import Macro
from surgenas.spaces.operators import Operators, Shuffle
from surgenas.tasks.data import hold_out, load_data
from surgenas.testing import ZeroPredictor
from surgenas.training.augment import steps_per_epoch, train_batches

BATCH, JUDGED, SPOS_STEPS = 64, 600, 120
POOL = "mb_k5e3,mb_k3e3,mb_k7e3,sep_k7"
"""What one device kept."""


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("part", choices=("cost", "rank", "stages", "compare"))
    parser.add_argument("--table", type=Path)
    parser.add_argument("--data", default="digits")
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--resolution", type=int, default=0)
    parser.add_argument("--images", type=int, default=5000)
    parser.add_argument("--epochs", type=int, default=0)
    parser.add_argument("--train-epochs", type=int, default=0)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--random-at-equal-latency", type=int, default=2)
    parser.add_argument("--runs", type=Path, help="keep the runs here, and go on where they were cut off")
    parser.add_argument("--keep", action="store_true")
    args = parser.parse_args()
    name = f"one_shot-{args.part}{'' if args.data == 'digits' else '-' + Path(args.data).name}"
    with tempfile.TemporaryDirectory() as scratch:
        args.runs = args.runs or Path(scratch)
        args.data = thinned(args.data, args.every, args.runs / "images")
        found = {"cost": cost, "rank": rank, "stages": stages, "compare": compare}[args.part](args)
    finish(name, {"every": args.every, **found})


def cost(args: argparse.Namespace) -> dict[str, Any]:
    """Of one candidate after the other, nothing shared but the stem; and of a generation, which shares prefixes."""
    found: dict[str, Any] = {}
    rng = np.random.default_rng(0)
    for size in (32, 64):
        space = Shuffle(layout="small", resolution=size, classes=10)
        supernet: Any = space.supernet().to(memory_format=torch.channels_last)
        shape, labels = space.input_shape, torch.randint(10, (500,))
        held_out = HeldOut(_images(256, shape), _images(500, shape), labels)
        together = torch.cat([held_out.calibration, held_out.images])
        paths = [moves.indices(space, moves.sample(space, rng)) for _ in range(20)]
        judge, ratios = Judge(supernet, held_out), []
        for path in paths:
            plain = partial(_forward, supernet, together, path)
            judge.trail = {(): judge.trail[()]}  # what the stem computes
            before = seconds(plain)
            judged = seconds(partial(judge.accuracy, path))
            ratios.append(2 * judged / (before + seconds(plain)))
        parents = [moves.sample(space, rng) for _ in range(5)]
        generation = [moves.mutate_each(space, parents[i % 5], 0.1, rng) for i in range(50)]
        shared = seconds(partial(accuracies, supernet, [moves.indices(space, a) for a in generation], held_out))
        alone = sum(seconds(partial(_forward, supernet, together, moves.indices(space, a))) for a in generation)
        found[f"{size} px"] = {"candidate_over_forward": spread(ratios[1:]), "generation_over_forwards": shared / alone}
        print(size, found[f"{size} px"]["candidate_over_forward"]["median"], shared / alone, file=sys.stderr)
    macs = space.costs().macs
    middle = float(np.median([(moves.encode(space, [moves.sample(space, rng)])[0] * macs).sum() for _ in range(300)]))
    for name, (low, high) in {"limit": (0.0, middle), "window of 1.5 %": (0.975 * middle, 0.99 * middle)}.items():
        start = time.perf_counter()
        history = evolve(
            space, lambda archs: [0.0] * len(archs), Evolution(generations=10),
            partial(_between, space, macs, low, high), rng,
        )  # fmt: skip
        found[f"evolution_ms_a_candidate, {name}"] = 1e3 * (time.perf_counter() - start) / len(history)
    return found | {"hurricane_over_spos_training": spread([training(seed) for seed in range(args.seeds)])}


def training(seed: int) -> float:
    """HURRICANE's supernet training over SPOS's, an epoch of each in turns as far as both have some; between the stages
    any architecture, its evolution left out as SPOS's is."""
    space = Operators(layout="small", resolution=64, classes=10, pool=POOL)
    problem = Problem(space, 1.0, seed, predictor=ZeroPredictor(space.costs()))
    one = SPOS(epochs=SPOS_STEPS).begin(problem)
    two_steps = round(SPOS_STEPS * Hurricane.longer / SPOS.longer)
    two = Hurricane(epochs=two_steps).begin(problem)
    batch = [(_images(BATCH, space.input_shape), torch.randint(10, (BATCH,)))]
    a1 = moves.sample(space, np.random.default_rng(seed)).genes
    spent, done = {one: 0.0, two: 0.0}, {one: 0, two: 0}
    for step in range(SPOS_STEPS):
        for search, until in ((one, step + 1), (two, round((step + 1) * two_steps / SPOS_STEPS))):
            while done[search] < until:
                if search is two and done[two] == two.first_epochs:
                    two.load_state_dict(two.state_dict() | {"a1": list(a1)})
                start = time.perf_counter()
                search.run_epoch(done[search], batch)
                spent[search] += time.perf_counter() - start
                done[search] += 1
    return spent[two] / spent[one]


def _images(count: int, shape: tuple[int, ...]) -> torch.Tensor:
    return torch.randn(count, *shape).contiguous(memory_format=torch.channels_last)


def _between(space: Shuffle, macs: Floats, low: float, high: float, archs: Sequence[Architecture]) -> np.ndarray:
    """Which architectures have so many MACs?"""
    values = (moves.encode(space, archs) * macs).sum((1, 2))
    return (low <= values) & (values <= high)


@torch.inference_mode()
def _forward(supernet: torch.nn.Module, images: torch.Tensor, path: tuple[int, ...]) -> None:
    supernet.eval().at(images, path)  # type: ignore[operator]


def rank(args: argparse.Namespace) -> dict[str, Any]:
    table = json.loads(args.table.read_text())
    codes = list(product(range(3), repeat=8))
    accuracy = np.array([table["".join(map(str, code))]["mean_acc"] for code in codes])
    with tempfile.TemporaryDirectory() as cache:
        data = load_data(args.data, 32, max_corrupt=0, cache=Path(cache), progress=ConsoleProgress())
    data, aside = hold_out(first_images(data, args.images), 0.2, 500, 0)
    held_out = HeldOut(data.normalise(data.train.spaced(256).images[:]), data.normalise(aside.images[:]), aside.labels)
    judged = np.random.default_rng(0).choice(len(codes), JUDGED, replace=False)
    steps, passes, epochs = steps_per_epoch(data, BATCH), 3, args.epochs or 6
    rows: dict[str, list[dict[str, float]]] = {}
    for seed in range(args.seeds):
        for name in ("uniform single path", "FairNAS orderings", "ODS"):
            space = Macro()
            once = epochs if name != "uniform single path" else passes * epochs
            methods: dict[str, Method] = {
                "uniform single path": SPOS(epochs=once),
                "FairNAS orderings": SPOS(epochs=once, sampler="fair"),
                "ODS": SurgeNAS(epochs=once, loss="penalty", latency_weight=0.0),
            }
            blind = ZeroPredictor(space.costs())
            problem = Problem(space, 1.0, seed, predictor=blind, steps_per_epoch=steps, held_out=held_out)
            search: Any = methods[name].begin(problem)
            start = time.monotonic()
            for epoch in range(once):
                search.run_epoch(epoch, train_batches(data, BATCH, seed, epoch))
            trained = time.monotonic() - start
            scores = np.array(accuracies(search.supernet, [codes[i] for i in judged], held_out))
            best = accuracy[judged[scores.argmax()]]
            row = {
                "kendall": float(kendalltau(scores, accuracy[judged]).statistic), "accuracy": float(best),
                "better_share": float((accuracy > best).mean()), "supernet_median": float(np.median(scores)),
                "training_seconds": trained,
            }  # fmt: skip
            print(seed, name, row, file=sys.stderr)
            rows.setdefault(name, []).append(row)
    return {
        "images": len(data.train), "passes": passes * epochs * steps, "judged": JUDGED,
        "trained_by": {name: {k: spread([r[k] for r in found]) for k in found[0]} for name, found in rows.items()},
        "random architecture": {"median": float(np.median(accuracy)), "best": float(accuracy.max())},
    }  # fmt: skip


Rows = dict[str, list[dict[str, Any]]]
"""Lines of the table, by what was run."""
GENERIC = {"space": "shuffle", "space_settings": {"width": 2.0}}
"""Its blocks are so cheap that it reaches the limit of the others' only twice as wide."""
VARIANTS: dict[str, dict[str, Any]] = {
    "early layers first": {"reversed": True}, "cold second stage": {"warm": False},
    "early 2": {"early": 2}, "early 7": {"early": 7}, "keep 2": {"keep": 2}, "keep 6": {"keep": 6},
    "b 0.5": {"b": 0.5}, "b 2": {"b": 2.0},
}  # fmt: skip


def stages(args: argparse.Namespace) -> dict[str, Any]:
    """SPOS at full and at equal budget beside them, on the device's space."""
    rows: Rows = {}
    for seed in range(args.seeds):
        found = _run(args, seed, "default", "hurricane")
        rows.setdefault("default", []).append(found.row)
        others: dict[str, tuple[str, dict[str, Any]]] = {
            name: ("hurricane", {"method_settings": settings}) for name, settings in VARIANTS.items()
        }
        for name, epochs in (("SPOS", args.epochs), ("SPOS, HURRICANE's budget", found.epochs)):
            others[name] = ("spos", {"epochs": epochs, **found.space})
        for name, (method, how) in others.items():
            try:
                run = _run(args, seed, name, method, latency_ms=found.limit_ms, **how)
                rows.setdefault(name, []).append(run.row)
            except LimitError as error:  # what is left of the pool may be too slow
                print(seed, name, error, file=sys.stderr)
    return _spreads(rows)


def compare(args: argparse.Namespace) -> dict[str, Any]:
    rows: Rows = {}
    for seed in range(args.seeds):
        found = _run(args, seed, "HURRICANE", "hurricane", random_at_equal_latency=args.random_at_equal_latency)
        rows.setdefault("HURRICANE", []).append(found.row)
        summary = found.summary
        for name, beside in (
            ("MobileNetV2", summary.yardsticks),
            ("random at equal latency, device's operators", summary.random_at_equal_latency),
        ):
            rows.setdefault(name, []).extend(
                {"accuracy": network.accuracy, "share_of_limit": network.latency_ms / found.limit_ms}
                for network in beside
                if network.latency_ms
            )
        for name, method, space in (
            ("SPOS, generic", "spos", GENERIC), ("SPOS, device's operators", "spos", found.space),
            ("Single-Path", "single-path", {"space": "single_path"}), ("SurgeNAS", "surgenas", {"space": "mobile"}),
            ("SurgeNAS, device's operators", "surgenas", found.space),
        ):  # fmt: skip
            try:
                run = _run(args, seed, name, method, latency_ms=found.limit_ms, **space)
                rows.setdefault(name, []).append(run.row)
            except LimitError as error:
                print(name, error, file=sys.stderr)
    return _spreads(rows)


def _spreads(rows: Rows) -> dict[str, Any]:
    return {name: {key: spread([row[key] for row in found]) for key in found[0]} for name, found in rows.items()}


@dataclass(frozen=True)
class Ran:
    """A whole run, its line of the table, and the space of the operators that it selected, as settings of a run."""

    summary: Summary
    limit_ms: float
    row: dict[str, Any]
    space: dict[str, Any]

    @property
    def epochs(self) -> int:
        return int(self.row["epochs"])


def _run(args: argparse.Namespace, seed: int, name: str, method: str, **how: Any) -> Ran:
    settings = {
        "epochs": round(args.epochs * needs_of(method).longer),
        "train_epochs": args.train_epochs,
        **how,
    }
    settings |= {"data": args.data, "resolution": args.resolution, "seed": seed, "method": method}
    out = args.runs / f"{seed} {name}"
    summary = whole_run(out, **settings)
    run = Run.open(out, ConsoleProgress())
    selected, limit_ms = run.result(Selected), run.reached.limit_ms
    row = {"accuracy": summary.accuracy.test, "share_of_limit": run.verified.costs[FOUND].ms / limit_ms,
           "search_seconds": summary.seconds["search"], "epochs": len(run.journal.all("epoch"))}  # fmt: skip
    print(seed, name, row, file=sys.stderr)
    pool = selected.pool if selected else ""
    return Ran(summary, limit_ms, row, {"space": "operators", "space_settings": {"pool": pool}})


if __name__ == "__main__":
    main()
