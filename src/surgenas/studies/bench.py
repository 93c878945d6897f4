"""How many queries does a search need? Every method on a table whose optimum is known, many seeds each."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from surgenas.core.catalog import look_up
from surgenas.core.errors import UsageError
from surgenas.core.progress import Progress
from surgenas.core.seeds import generator
from surgenas.core.significance import difference
from surgenas.core.space import Floats, Space
from surgenas.core.trial import Trial
from surgenas.engine.tables import read_columns, read_table
from surgenas.engine.tabular import World, check_enumerable, look_up_all
from surgenas.methods import BLACK_BOX
from surgenas.methods.blackbox import Loop, Method, whole
from surgenas.runs.journal import LOCK, Journal, exclusive

RANDOM = "random"
MOST_SEEDS, MOST_QUERIES = 1000, 100_000
FORMAT, JOURNAL = "surgenas.bench/1", "bench.jsonl"
ROUNDING = 1e-9


@dataclass(frozen=True, kw_only=True)
class Bench:
    """validation: the column that steers; test: the one that is reported. fidelities: cheaper columns that halving
    begins with, and what share of a query each costs. limit_ms: hard, by latency's column. budget: queries.
    """

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


def run_bench(space: Space, bench: Bench, folder: Path, progress: Progress) -> dict[str, Any]:
    """`methods`: of each the regret by queries and at the end, how often and when the optimum was reached. What the
    folder holds of the same bench is not searched again; more seeds and methods may be added.

    Raises UsageError for settings that do not go together, DataError for a bad table, LimitError for a limit that
    nothing meets.
    """
    started = {name: _method(name, bench) for name in dict.fromkeys((RANDOM, *bench.methods))}
    if bench.fidelities and not any(method.climbs for method in started.values()):
        raise UsageError(f"--fidelity: none of {', '.join(started)} uses cheaper fidelities; halving does")
    world = _world(space, bench)
    folder.mkdir(parents=True, exist_ok=True)
    assert world.index  # made now: it is no method's time
    with exclusive(folder):
        journal = _opened(folder, space, bench, world)
        places = [(seed, name) for seed in range(bench.seeds) for name in started]
        with progress.task("search", len(places)) as task:
            for seed, name in places:
                if not journal.last("searched", method=name, seed=seed):
                    found = search(world, name, started[name], bench, seed)
                    journal.append("searched", method=name, seed=seed, **found)
                task.advance(name)
    rows = {name: [journal.last("searched", method=name, seed=s) or {} for s in range(bench.seeds)] for name in started}
    return _facts(space, bench, world, rows)


def search(world: World, name: str, method: Method, bench: Bench, seed: int) -> dict[str, Any]:
    """One search. regret: after each query, of what the search itself would choose then."""
    start = time.perf_counter()
    loop = method.start(world.space, generator(seed, "bench", name), world.feasible)
    regrets: list[float] = [math.inf] * bench.budget
    best: Trial | None = None
    for spent, trial in _trials(world, loop, method, bench):
        best = trial if best is None or (trial.rung, trial.score) > (best.rung, best.score) else best
        regret = world.optimum - float(world.reported[world.index[best.arch.genes]])
        since = math.ceil(spent - ROUNDING) - 1
        regrets[since:] = [regret] * (bench.budget - since)
    if best is None:
        raise UsageError(f"{name} asked for nothing, though {world.allowed.sum()} networks are allowed")
    seconds = time.perf_counter() - start
    at_full = [trial for trial in loop.history if trial.rung == len(world.scores) - 1]
    return {
        "regret": regrets,
        "queries": len(loop.history),
        "seconds_per_1000": 1000 * seconds / max(1, len(loop.history)),
        "hypervolume": _hypervolume(world, at_full),
        "best": str(best.arch),
    }


def _trials(world: World, loop: Loop, method: Method, bench: Bench) -> Iterator[tuple[float, Trial]]:
    """Everything that is judged, with the queries spent so far, until they are used up or nothing is left to ask."""
    costs = (*sorted(bench.fidelities.values()), 1.0)
    spent, rungs = 0.0, dict[int, int]()
    while archs := loop.ask(max(1, min(method.batch, math.floor(bench.budget - spent)))):
        for arch in archs:
            place = world.index[arch.genes]
            rung = rungs.get(place, -1) + 1 if method.climbs else len(costs) - 1
            spent += costs[rung]
            if spent > bench.budget + ROUNDING:
                return
            rungs[place] = rung
            latency_ms = math.nan if world.latency_ms is None else float(world.latency_ms[place])
            trial = Trial(arch, whole(world.space).keys[place], float(world.scores[rung, place]), latency_ms, rung)
            loop.tell(trial)
            yield spent, trial


def _method(name: str, bench: Bench) -> Method:
    """Raises UsageError for one that needs what the bench has not."""
    kind = _class_of(name)
    if kind.two_objectives and bench.latency_table is None:
        raise UsageError(f"{name} searches for score and latency: give --latency-table FILE --latency COLUMN")
    if kind.climbs and not bench.fidelities:
        raise UsageError(f"{name} needs cheaper fidelities: give --fidelity COLUMN=COST, for example val_12ep=0.06")
    try:
        made: Method = kind(rungs=len(bench.fidelities) + 1) if kind.climbs else kind()
    except TypeError as error:
        raise UsageError(f"{name} cannot be made without settings ({error}); name a class that has them") from error
    return made


def _class_of(name: str) -> Any:
    kind = look_up("method", name, BLACK_BOX)
    if not isinstance(kind, type) or any(not hasattr(kind, known) for known in ("start", "climbs", "two_objectives")):
        raise UsageError(
            f"{name} is no search that can be asked; expected a class with what methods.blackbox.Method has"
        )
    return kind


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
    """Raises UsageError if the folder holds another bench, or anything else."""
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
    """Of the reported value and latency of the networks that the search finds best for their latency, over that of the
    best there are; from the worst value and the highest latency inside the limit. None without latencies, or where
    nothing is between best and worst."""
    if world.latency_ms is None:
        return None
    latency, value = world.latency_ms[world.allowed], world.reported[world.allowed]
    corner = (float(latency.max()), float(value.min()))
    front = _front(np.array([t.latency_ms for t in trials]), np.array([t.score for t in trials]))
    places = [world.index[trials[i].arch.genes] for i in front]
    everything = _area(latency, value, corner)
    return _area(world.latency_ms[places], world.reported[places], corner) / everything if everything else None


def _front(latency: Floats, score: Floats) -> list[int]:
    """Not dominated, by rising latency."""
    found: list[int] = []
    for i in np.lexsort((-score, latency)):
        if not found or score[i] > score[found[-1]]:
            found.append(int(i))
    return found


def _area(latency: Floats, value: Floats, corner: tuple[float, float]) -> float:
    front = _front(latency, value)
    widths = np.diff([*latency[front], corner[0]])
    return float((widths * (np.maximum(value[front] - corner[1], 0.0))).sum())


def _facts(space: Space, bench: Bench, world: World, rows: Mapping[str, list[dict[str, Any]]]) -> dict[str, Any]:
    final = {name: [row["regret"][-1] for row in found] for name, found in rows.items()}
    steer = np.where(world.allowed, world.scores[-1], -np.inf)
    return {
        "space": str(space.spec),
        "table": str(bench.table),
        "validation": bench.validation,
        "test": bench.test,
        "steered_by_test": bench.validation == bench.test,
        "latency": bench.latency or None,
        "limit_ms": bench.limit_ms,
        "budget": bench.budget,
        "seeds": bench.seeds,
        "networks": int(world.allowed.sum()),
        "optimum": world.optimum,
        "regret_of_best_validation": world.optimum - float(world.reported[steer.argmax()]),
        "methods": [_summary(name, found, final) for name, found in rows.items()],
    }


def _summary(name: str, rows: Sequence[dict[str, Any]], final: Mapping[str, list[float]]) -> dict[str, Any]:
    regret = np.array([row["regret"] for row in rows])  # (seeds, budget)
    reached = [next((q + 1 for q, r in enumerate(row) if r <= ROUNDING), None) for row in regret]
    than_random = difference(final[RANDOM], final[name])
    volumes = [row["hypervolume"] for row in rows if row["hypervolume"] is not None]
    middle = [math.inf if q is None else q for q in reached]
    return {
        "method": name,
        "regret": {key: [_known(v) for v in values] for key, values in _quartiles(regret).items()},
        "final_regret": {key: _known(values[-1]) for key, values in _quartiles(regret).items()},
        "queries_to_optimum": {
            key: _known(float(np.quantile(middle, q, method="lower")))
            for key, q in (("low", 0.25), ("median", 0.5), ("high", 0.75))
        },
        "reached": float(np.mean([q is not None for q in reached])),
        "better_than_random": None if name == RANDOM else than_random.to_dict(),
        "hypervolume": float(np.median(volumes)) if volumes else None,
        "seconds_per_1000_queries": float(np.median([row["seconds_per_1000"] for row in rows])),
        "queries": float(np.median([row["queries"] for row in rows])),
    }


def _quartiles(values: Floats) -> dict[str, Floats]:
    low, median, high = np.quantile(values, [0.25, 0.5, 0.75], axis=0)
    return {"low": low, "median": median, "high": high}


def _known(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
