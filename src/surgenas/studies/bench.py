"""How many queries does a search need? Every method on a table whose optimum is known, many seeds each."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from surgenas.core.errors import UsageError
from surgenas.core.files import make_folder
from surgenas.core.progress import Progress
from surgenas.core.record import Record
from surgenas.core.significance import Verdict, difference
from surgenas.core.space import Floats, Space
from surgenas.core.trial import Trial
from surgenas.engine.base import drive
from surgenas.engine.tables import read_columns, read_table
from surgenas.engine.tabular import Tabular, World, check_enumerable, look_up_all
from surgenas.methods import make_method
from surgenas.methods.base import Method, Problem
from surgenas.runs.journal import LOCK, Journal, exclusive

MOST_SEEDS, MOST_QUERIES = 1000, 100_000
FORMAT, JOURNAL, RANDOM = "surgenas.bench/1", "bench.jsonl", "random"
ROUNDING = 1e-9


@dataclass(frozen=True, kw_only=True)
class Bench:
    """A comparison of searches on a table. validation: the column that searches are told; test: the one that is
    reported. fidelities: cheaper columns, with their costs as shares of a query. limit_ms: hard. budget: queries of a
    search."""

    table: Path
    validation: str
    test: str
    fidelities: Mapping[str, float] = field(default_factory=dict)
    latency_table: Path | None = None
    latency: str = ""
    limit_ms: float | None = None
    methods: tuple[str, ...] = ("regularized", "local", "weaknas")
    budget: int = 300
    seeds: int = 20

    def __post_init__(self) -> None:
        for name, value, most in (("budget", self.budget, MOST_QUERIES), ("seeds", self.seeds, MOST_SEEDS)):
            if not 1 <= value <= most:
                raise UsageError(f"--{name} {value}: expected 1 to {most}")
        if (self.latency_table is None) != (not self.latency):
            raise UsageError("--latency-table and --latency go together: a file, and its column")
        if self.limit_ms is not None and self.latency_table is None:
            raise UsageError("--limit needs latencies: give --latency-table FILE --latency COLUMN")
        if not self.methods or len(set(self.methods)) != len(self.methods):
            raise UsageError(f"methods {', '.join(self.methods) or '(none)'}: expected one or more, each once")
        for name, cost in self.fidelities.items():
            if not 0 < cost < 1:
                raise UsageError(f"--fidelity {name}={cost:g}: expected a share of a query, above 0 and below 1")


@dataclass(frozen=True)
class Quartiles(Record):
    """Quartiles over seeds; None where the search had not got that far."""

    low: float | None
    median: float | None
    high: float | None


@dataclass(frozen=True)
class RegretCurve(Record):
    """Quartiles over seeds after each query."""

    low: tuple[float | None, ...]
    median: tuple[float | None, ...]
    high: tuple[float | None, ...]


@dataclass(frozen=True)
class MethodRow(Record):
    """A method over all seeds. reached: share of seeds that found the optimum. better_than_random: by the regret at the
    end. hypervolume: of value and latency, 1 for a perfect search; None without latencies. queries: median of trials.
    """

    method: str
    regret: RegretCurve
    final_regret: Quartiles
    queries_to_optimum: Quartiles
    reached: float
    better_than_random: Verdict | None
    hypervolume: float | None
    seconds_per_1000_queries: float
    queries: float


@dataclass(frozen=True)
class BenchResult(Record):
    """What `run_bench` found. regret_of_best_validation: of the network that is best in the steering column."""

    space: str
    table: str
    validation: str
    test: str
    steered_by_test: bool
    latency: str | None
    limit_ms: float | None
    budget: int
    seeds: int
    networks: int
    optimum: float
    regret_of_best_validation: float
    methods: tuple[MethodRow, ...]
    report: str = ""


def run_bench(space: Space, bench: Bench, folder: Path, progress: Progress) -> BenchResult:
    """Search with every method and random search, once for each seed. What the folder holds of the same bench is not
    searched again; seeds and methods may be added.

    Raises UsageError for settings that do not go together, DataError for a bad table, LimitError for a limit that no
    network meets.
    """
    methods = {name: _method(space, name, bench) for name in dict.fromkeys((RANDOM, *bench.methods))}
    if bench.fidelities and not any(method.needs(space).rungs > 1 for method in methods.values()):
        raise UsageError(f"--fidelity: none of {', '.join(methods)} uses cheaper fidelities; halving does")
    world = _world(space, bench)
    make_folder(folder)
    assert world.index  # computed now, so that no method's time includes it
    with exclusive(folder):
        journal = _opened(folder, space, bench, world)
        places = [(seed, name) for seed in range(bench.seeds) for name in methods]
        with progress.task("search", len(places)) as task:
            for seed, name in places:
                if not journal.last("searched", method=name, seed=seed):
                    found = search(world, name, methods[name], bench, seed)
                    journal.append("searched", method=name, seed=seed, **found)
                task.advance(name)
    rows = {name: [journal.last("searched", method=name, seed=s) or {} for s in range(bench.seeds)] for name in methods}
    return _facts(space, bench, world, rows)


def search(world: World, name: str, method: Method, bench: Bench, seed: int) -> dict[str, Any]:
    """Search once, for a line of the journal. regret: after each query, of the network that the search would choose."""
    start = time.perf_counter()
    costs = (*sorted(bench.fidelities.values()), 1.0)
    problem = Problem(
        world.space, bench.limit_ms or math.inf, seed, feasible=world.feasible, priced=world.latency_ms is not None,
        rungs=costs,
    )  # fmt: skip
    regrets: list[float] = [math.inf] * bench.budget
    best: Trial | None = None
    trials: list[Trial] = []
    spent = 0.0
    for _, event in drive(method.begin(problem), Tabular(world)):
        assert isinstance(event, Trial), "candidates are judged by themselves"
        trials.append(event)
        spent += costs[event.rung]
        best = event if best is None or (event.rung, event.score) > (best.rung, best.score) else best
        regret = world.optimum - float(world.reported[world.index[best.arch.genes]])
        since = math.ceil(spent - ROUNDING) - 1
        regrets[since:] = [regret] * (bench.budget - since)
    if best is None:
        raise UsageError(f"{name} asked for nothing, though {world.allowed.sum()} networks are allowed")
    seconds = time.perf_counter() - start
    at_full = [trial for trial in trials if trial.rung == len(world.scores) - 1]
    return {
        "regret": regrets,
        "queries": len(trials),
        "seconds_per_1000": 1000 * seconds / max(1, len(trials)),
        "hypervolume": _hypervolume(world, at_full),
        "best": str(best.arch),
    }


def _method(space: Space, name: str, bench: Bench) -> Method:
    """The method with the bench's budget; raises UsageError if it needs what the bench does not have."""
    made = make_method(name, {})
    needs = made.needs(space)
    if needs.shares or needs.goes_on or not needs.searches:
        why = "goes on from weights, which a table has not" if needs.searches else "judges nothing"
        raise UsageError(f"{name} {why}; `surgenas methods` says whose candidates are trained alone")
    if needs.priced and bench.latency_table is None:
        raise UsageError(f"{name} searches for score and latency: give --latency-table FILE --latency COLUMN")
    if needs.rungs > 1 and not bench.fidelities:
        raise UsageError(f"{name} needs cheaper fidelities: give --fidelity COLUMN=COST, for example val_12ep=0.06")
    rungs = {"rungs": len(bench.fidelities) + 1} if needs.rungs > 1 else {}
    return make_method(name, {"trials": bench.budget, **rungs})


def _world(space: Space, bench: Bench) -> World:
    check_enumerable(space)
    steering = [*sorted(bench.fidelities, key=lambda name: bench.fidelities[name]), bench.validation]
    table = read_columns(space, bench.table, list(dict.fromkeys([*steering, bench.test])))
    columns = {name: look_up_all(space, table, name) for name in table.columns}
    latency = None
    if bench.latency_table is not None:
        latency = look_up_all(space, read_table(space, bench.latency_table, [bench.latency]), bench.latency)
    scores = np.stack([columns[name] for name in steering])
    return World(space, scores, columns[bench.test], latency, bench.limit_ms)


def _opened(folder: Path, space: Space, bench: Bench, world: World) -> Journal:
    """The journal of the bench; raises UsageError if the folder holds another bench, or anything else."""
    journal = Journal(folder / JOURNAL)
    settings = {
        "format": FORMAT, "space": str(space.spec), "validation": bench.validation, "test": bench.test,
        "fidelities": dict(bench.fidelities), "latency": bench.latency, "limit_ms": bench.limit_ms,
        "budget": bench.budget, "world": world.fingerprint,
    }  # fmt: skip
    known = journal.last("bench")
    if known is None:
        if foreign := sorted(path.name for path in folder.iterdir() if path.name not in (LOCK, JOURNAL)):
            raise UsageError(f"{folder} holds something else ({foreign[0]}); choose another --out")
        journal.append("bench", **settings)
    elif {key: known.get(key) for key in settings} != settings:
        other = next(key for key in settings if known.get(key) != settings[key])
        value = known.get(other) or "none"
        raise UsageError(f"{folder} holds a bench with another {other} ({value}); choose another --out")
    return journal


def _hypervolume(world: World, trials: Sequence[Trial]) -> float | None:
    """Hypervolume of the networks that the search finds best for their latency, by reported value, over that of all
    networks.
    The corner is the worst value and the highest latency inside the limit. None without latencies, or if the latter is
    0.
    """
    if world.latency_ms is None:
        return None
    latency, value = world.latency_ms[world.allowed], world.reported[world.allowed]
    corner = (float(latency.max()), float(value.min()))
    front = _front(np.array([t.latency_ms for t in trials]), np.array([t.score for t in trials]))
    places = [world.index[trials[i].arch.genes] for i in front]
    everything = _area(latency, value, corner)
    return _area(world.latency_ms[places], world.reported[places], corner) / everything if everything else None


def _front(latency: Floats, score: Floats) -> list[int]:
    """Positions of the networks that are not dominated, by rising latency."""
    found: list[int] = []
    for i in np.lexsort((-score, latency)):
        if not found or score[i] > score[found[-1]]:
            found.append(int(i))
    return found


def _area(latency: Floats, value: Floats, corner: tuple[float, float]) -> float:
    front = _front(latency, value)
    widths = np.diff([*latency[front], corner[0]])
    return float((widths * (np.maximum(value[front] - corner[1], 0.0))).sum())


def _facts(space: Space, bench: Bench, world: World, rows: Mapping[str, list[dict[str, Any]]]) -> BenchResult:
    final = {name: [row["regret"][-1] for row in found] for name, found in rows.items()}
    steer = np.where(world.allowed, world.scores[-1], -np.inf)
    return BenchResult(
        space=str(space.spec),
        table=str(bench.table),
        validation=bench.validation,
        test=bench.test,
        steered_by_test=bench.validation == bench.test,
        latency=bench.latency or None,
        limit_ms=bench.limit_ms,
        budget=bench.budget,
        seeds=bench.seeds,
        networks=int(world.allowed.sum()),
        optimum=world.optimum,
        regret_of_best_validation=world.optimum - float(world.reported[steer.argmax()]),
        methods=tuple(_summary(name, found, final) for name, found in rows.items()),
    )


def _summary(name: str, rows: Sequence[dict[str, Any]], final: Mapping[str, list[float]]) -> MethodRow:
    regret = np.array([row["regret"] for row in rows])  # (seeds, budget)
    reached = [next((q + 1 for q, r in enumerate(row) if r <= ROUNDING), None) for row in regret]
    than_random = difference(final[RANDOM], final[name])
    volumes = [row["hypervolume"] for row in rows if row["hypervolume"] is not None]
    queries = [math.inf if q is None else q for q in reached]
    low, median, high = np.quantile(regret, [0.25, 0.5, 0.75], axis=0)
    return MethodRow(
        method=name,
        regret=RegretCurve(*(tuple(_known(v) for v in values) for values in (low, median, high))),
        final_regret=Quartiles(_known(low[-1]), _known(median[-1]), _known(high[-1])),
        queries_to_optimum=Quartiles(
            *(_known(float(np.quantile(queries, q, method="lower"))) for q in (0.25, 0.5, 0.75))
        ),
        reached=float(np.mean([q is not None for q in reached])),
        better_than_random=None if name == RANDOM else than_random.tell(),
        hypervolume=float(np.median(volumes)) if volumes else None,
        seconds_per_1000_queries=float(np.median([row["seconds_per_1000"] for row in rows])),
        queries=float(np.median([row["queries"] for row in rows])),
    )


def _known(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
