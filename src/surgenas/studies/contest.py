"""How good are latency predictors on a table? Each learns from N architectures and is judged on all others."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt

from surgenas.core.capabilities import Counted, require
from surgenas.core.errors import UsageError
from surgenas.core.progress import Progress
from surgenas.core.record import Record
from surgenas.core.seeds import generator
from surgenas.core.space import CostTable, Floats, Space
from surgenas.engine.tables import Table, read_table
from surgenas.predictors.active import choose, graph_features
from surgenas.predictors.base import Predictor, make_predictor
from surgenas.predictors.evaluate import cross_validate, score
from surgenas.predictors.transfer import KnownDevices, TransferPredictor

PREDICTORS = ("process", "gnn", "mlp", "boosting", "ridge", "lookup", "layers", "flops")
FEW = 9
"""With fewer samples than this, cross-validation would choose a predictor by chance."""
POOL = 2000
"""The architectures to measure are picked among this many, drawn at random."""
KNOWN = 900
"""The known devices (--pretrain) are learned from this many architectures, drawn at random."""
METRICS = ("kendall", "spearman", "mape", "within_5", "within_10", "rmse_ms", "mean_ms", "off",
           "fit_seconds", "predictions_per_second")  # fmt: skip

Positions = npt.NDArray[np.int64]
Makers = Mapping[str, Callable[[], Predictor]]


@dataclass(frozen=True)
class Contest:
    """A comparison of latency predictors on a table.

    columns: devices to predict; all that end in _ms if empty. train: numbers of samples. seeds: draws of those samples.
    pick: "random", or "active" for samples that leave the least uncertainty; empty for active with known devices, else
    random. pretrain, pretrain_columns: a table of known devices, and which of them; all if empty.
    """

    table: Path
    columns: tuple[str, ...]
    train: tuple[int, ...] = (100,)
    seeds: int = 1
    predictors: tuple[str, ...] = PREDICTORS
    pick: str = ""
    pretrain: Path | None = None
    pretrain_columns: tuple[str, ...] = ()


@dataclass(frozen=True)
class Spread(Record):
    """The median over seeds, and the smallest and the largest value."""

    median: float
    spread: tuple[float, float]


@dataclass(frozen=True)
class ContestRow(Record):
    """A predictor on a column, after learning from `train` samples. Metrics as in predictors.evaluate.Score."""

    column: str
    train: int
    predictor: str
    kendall: Spread
    spearman: Spread
    mape: Spread
    within_5: Spread
    within_10: Spread
    rmse_ms: Spread
    mean_ms: Spread
    off: Spread
    fit_seconds: Spread
    predictions_per_second: Spread


@dataclass(frozen=True)
class Choice(Record):
    """The predictor that cross-validation on the samples of the first seed would choose, and why."""

    column: str
    train: int
    predictor: str
    why: str
    held_out_rmse_ms: float | None = None


@dataclass(frozen=True)
class Standings(Record):
    """The result of a contest: a row for each column, number of samples and predictor; and what would be chosen."""

    space: str
    table: str
    seeds: int
    pick: str
    architectures: int
    results: tuple[ContestRow, ...]
    chosen: tuple[Choice, ...]


def run_contest(space: Space, contest: Contest, progress: Progress) -> Standings:
    """Judge every predictor on the architectures that it did not learn from.

    Raises UsageError for settings that do not fit the table, DataError as `read_table` does.
    """
    table = read_table(space, contest.table, contest.columns)
    _check(contest, table)
    costs, known = require(space, Counted).costs(), known_devices(space, contest, table, progress)
    pick = contest.pick or ("active" if known else "random")
    results, choices = list[ContestRow](), list[Choice]()
    total = len(table.columns) * len(contest.train) * contest.seeds
    with progress.task("predict", total) as task:
        for column in table.columns:
            for count in contest.train:
                rows: dict[str, list[dict[str, float]]] = {}
                for seed in range(contest.seeds):
                    makers = makers_of(contest, costs, known, seed)
                    train = _picked(table, costs, known, count, pick, seed)
                    if seed == 0:
                        choices.append(choice(makers, table, column, train))
                    for name, make in makers.items():
                        rows.setdefault(name, []).append(_judged(make(), table, column, train))
                    task.advance(f"{column}, {count} samples")
                for name, found in rows.items():
                    results.append(ContestRow(column, count, name, **_spreads(found)))
    return Standings(
        str(space.spec), str(contest.table), contest.seeds, pick, len(table), tuple(results), tuple(choices)
    )


def _check(contest: Contest, table: Table) -> None:
    for count in contest.train:
        if not 2 <= count <= len(table) - 2:
            raise UsageError(
                f"--train {count}: expected 2 to {len(table) - 2}; the table has {len(table)} architectures, and some "
                "must be left to judge by"
            )
    if contest.seeds < 1:
        raise UsageError(f"--seeds {contest.seeds}: expected 1 or more")
    if contest.pick not in ("", "random", "active"):
        raise UsageError(f"--pick {contest.pick!r}: expected random or active")


def known_devices(space: Space, contest: Contest, table: Table, progress: Progress) -> KnownDevices | None:
    """The devices of --pretrain, without those that are to be predicted; None if there are none."""
    if contest.pretrain is None:
        return None
    known = read_table(space, contest.pretrain, contest.pretrain_columns)
    shared = set(known.columns) & set(table.columns)
    if shared and contest.pretrain_columns:
        raise UsageError(f"--pretrain-columns: {', '.join(sorted(shared))} is to be predicted; leave it out")
    kept = [name for name in known.columns if name not in shared]
    if not kept:
        raise UsageError(f"{contest.pretrain}: no device is left to learn from; name --pretrain-columns")
    progress.log(f"known devices: {', '.join(kept)}")
    rows = generator(0, "known").permutation(len(known))[:KNOWN]
    latency_ms = np.stack([known.of(name)[rows] for name in kept], 1)
    return KnownDevices(require(space, Counted).costs(), known.code[rows], latency_ms)


def makers_of(contest: Contest, costs: CostTable, known: KnownDevices | None, seed: int) -> Makers:
    """What makes each of the predictors, by name; the one that learns from known devices comes first."""
    made: dict[str, Callable[[], Predictor]] = {}
    if known:
        made["transfer"] = partial(TransferPredictor, costs, known, seed=seed)
    return made | {name: partial(make_predictor, name, costs, seed) for name in contest.predictors}


def _picked(table: Table, costs: CostTable, known: KnownDevices | None, count: int, pick: str, seed: int) -> Positions:
    """Positions in the table of the architectures to learn from, picked without looking at latencies."""
    order = generator(seed, "train").permutation(len(table))
    if pick == "random":
        return order[:count]
    pool = order[: max(POOL, count)]
    features = known.design(table.code[pool]) if known else graph_features(costs, table.code[pool])
    return pool[choose(features, count)]


def choice(makers: Makers, table: Table, column: str, train: Positions) -> Choice:
    """Which predictor cross-validation on these rows of the table would choose; the first where there are too few."""
    if len(train) < FEW:
        return Choice(column, len(train), next(iter(makers)), f"{len(train)} samples are too few to compare")
    best, _ = cross_validate(makers, table.code[train], table.of(column)[train])[0]
    why = f"least RMSE of {len(makers)} in cross-validation on the {len(train)} samples"
    return Choice(column, len(train), best.name, why, best.rmse_ms)


def _judged(predictor: Predictor, table: Table, column: str, train: Positions) -> dict[str, float]:
    others = np.setdiff1d(np.arange(len(table)), train)
    latency_ms: Floats = table.of(column)
    start = time.perf_counter()
    predictor.fit(table.code[train], latency_ms[train])
    fitted = time.perf_counter()
    predicted = predictor.predict(table.code[others])
    rate = len(others) / (time.perf_counter() - fitted)
    found = score("", predicted, latency_ms[others], fitted - start).to_json()
    known = {key: float(value) for key, value in found.items() if key in METRICS}
    return {**known, "predictions_per_second": rate}


def _spreads(rows: Sequence[Mapping[str, float]]) -> dict[str, Spread]:
    values = {metric: [row[metric] for row in rows] for metric in METRICS}
    return {metric: Spread(float(np.median(v)), (min(v), max(v))) for metric, v in values.items()}
