"""Are searched architectures better than random ones? Whole runs, each with random architectures of the same space that
are trained alike (Yang, Esperanca & Carlucci, "NAS evaluation is frustratingly hard", ICLR 2020)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from surgenas.core.catalog import look_up
from surgenas.core.errors import LimitError, UsageError
from surgenas.core.progress import Progress
from surgenas.core.record import Record
from surgenas.core.significance import Verdict, relative_improvement
from surgenas.methods import CATALOG, make_method
from surgenas.methods.base import Needs
from surgenas.runs.config import RunConfig, make_config
from surgenas.runs.flow import execute
from surgenas.runs.names import AS_LONG, EQUAL, FOUND, RANDOM
from surgenas.runs.results import Reached, TotalCost
from surgenas.runs.run import Run
from surgenas.spaces import make_space

MOST_SEEDS = 100
BESIDE = ("random", "random_at_equal_latency", "random_at_equal_cost")
"""Settings of a run that say how many random architectures are trained beside the found one."""
SEARCHING = ("operators", "reach", "profile", "predict", "search", "derive")
"""The steps whose time counts as the search's; measuring and predicting are among them."""


@dataclass(frozen=True, kw_only=True)
class Protocol:
    """Which runs are made: every method on every data set, with every seed.

    random: how many random architectures of equal latency are trained beside each found network, as many of any
    latency, and those of equal latency again at equal total cost. settings: of every run, by the words of runs.config.
    Epochs are meant for SurgeNAS; other methods get as many times more as by default.
    """

    data: tuple[str, ...]
    methods: tuple[str, ...]
    seeds: int = 3
    random: int = 1
    settings: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        own = {"data", "method", "seed", *BESIDE} & self.settings.keys()
        if own:
            raise UsageError(f"settings: {', '.join(sorted(own))} belongs to the protocol, not to a run")
        if not 1 <= self.seeds <= MOST_SEEDS:
            raise UsageError(f"--seeds {self.seeds}: expected 1 to {MOST_SEEDS}; each is a whole search")
        if self.random < 1:
            raise UsageError(
                f"--random {self.random}: expected 1 or more; without them there is nothing to compare with"
            )
        for kind, names in (("data set", self.data), ("method", self.methods)):
            if not names or len(set(names)) != len(names):
                raise UsageError(f"{kind}s {', '.join(names) or '(none)'}: expected one or more, each once")
        labels = [label(data) for data in self.data]
        if len(set(labels)) != len(labels):
            raise UsageError(f"data sets {', '.join(self.data)}: two of them have one name; rename a folder")
        for name in self.methods:
            look_up("method", name, CATALOG)


@dataclass(frozen=True)
class Group(Record):
    """Accuracies in % on the test part, which no decision has used."""

    mean: float | None
    n: int
    values: tuple[float, ...]


@dataclass(frozen=True)
class ImprovementRow(Record):
    """A method on a data set. ri: relative improvement over random architectures of any latency, in %;
    ri_at_equal_latency: over those of equal latency; ri_at_equal_cost: over these again, trained for as many image
    passes as search and training took. search_seconds: median time of a search, measuring and predicting included.
    search_in_trainings: the same divided by the time of training the found network. cost_in_trainings: the image passes
    of search, judging and training over those of the training."""

    data: str
    method: str
    space: str
    limit_ms: float
    found: Group
    random_at_equal_latency: Group
    random: Group
    ri: Verdict
    ri_at_equal_latency: Verdict | None
    search_seconds: float
    search_in_trainings: float
    random_at_equal_cost: Group
    ri_at_equal_cost: Verdict | None
    cost_in_trainings: float


@dataclass(frozen=True)
class Improvement(Record):
    """The result of a protocol. runs: finished run folders. missed: folders of runs that found nothing inside their
    limit, and why."""

    rows: tuple[ImprovementRow, ...]
    seeds: int
    runs: tuple[str, ...]
    missed: Mapping[str, str]


class Place(NamedTuple):
    """A run that is to be made. title: which it is, for people."""

    folder: Path
    config: RunConfig
    title: str


Do = Callable[[Sequence[Place]], Iterator[LimitError | None]]
"""Does runs; of each it returns, in their order, the error if it missed its limit."""


def one_by_one(progress: Progress, execute: Callable[[Run], None] = execute) -> Do:
    """What does runs one after the other, here."""

    def do(places: Sequence[Place]) -> Iterator[LimitError | None]:
        for folder, config, title in places:
            progress.log(title)
            try:
                execute(Run.open_or_create(folder, config, progress))
                yield None
            except LimitError as error:
                yield error

    return do


def run_protocol(protocol: Protocol, folder: Path, progress: Progress, do: Do) -> Improvement:
    """Make all runs of a protocol and compare their networks. What is finished is not done again; runs that missed
    their limit are tried again.

    do: does runs, as `one_by_one`. Raises UsageError if a run in the folder has other settings, LimitError if no run
    met its limit.
    """
    cells = [(data, method) for data in protocol.data for method in protocol.methods]
    runs: dict[tuple[str, str], list[Run]] = {cell: [] for cell in cells}
    limits: dict[tuple[str, str], float | None] = {}
    missed: dict[str, str] = {}
    # seed by seed, so that an interrupted protocol has runs of every method; the first seed sets the others' limits
    for seeds in filter(None, (range(1), range(1, protocol.seeds))):
        places = [_place(protocol, folder, *cell, seed, limits.get(cell)) for seed in seeds for cell in cells]
        for place, error in zip(places, do(places), strict=True):
            run = Run.open(place.folder, progress)  # opened anew, which frees the memory of its images
            cell = (place.config.data.source, place.config.method.name)
            # it does so even if it missed its own, so that a repeated call has the same settings
            limits.setdefault(cell, reached.limit_ms if (reached := run.result(Reached)) else None)
            if error:  # the other runs go on
                progress.log(f"{place.folder}: {error}")
                missed[str(place.folder)] = str(error)
            else:
                runs[cell].append(run)
    rows = [_row(data, method, found) for (data, method), found in runs.items() if found]
    if not rows:
        raise LimitError(next(iter(missed.values())))
    folders = [str(run.folder) for found in runs.values() for run in found]
    return Improvement(tuple(rows), protocol.seeds, tuple(folders), missed)


def label(data: str) -> str:
    """The name of a data set in folders and tables."""
    return Path(data).name.replace(":", "-") or data


def _place(protocol: Protocol, folder: Path, data: str, method: str, seed: int, limit_ms: float | None) -> Place:
    """A run of a protocol. All seeds of a method on a data set have the same limit: the given one, or that of the
    first."""
    cells = [(d, m) for d in protocol.data for m in protocol.methods]
    number, total = seed * len(cells) + cells.index((data, method)) + 1, protocol.seeds * len(cells)
    settings = {"latency_ms": limit_ms, **{k: v for k, v in protocol.settings.items() if v is not None}}
    needs = _needs(method)
    settings["epochs"] = round(settings.get("epochs", 0) * needs.longer) if needs.shares else 0
    beside = dict.fromkeys(BESIDE, protocol.random)
    return Place(
        folder / f"{label(data)}-{method}-{seed}",
        make_config(**settings, **beside, data=data, method=method, seed=seed),
        f"run {number} of {total}: {method} on {label(data)}, seed {seed}",
    )


def _needs(method: str) -> Needs:
    made = make_method(method, {})
    return made.needs(make_space(made.default_space, {}))


def _row(data: str, method: str, runs: Sequence[Run]) -> ImprovementRow:
    found, equal, anywhere, as_long = (_accuracies(runs, kind) for kind in (FOUND, EQUAL, RANDOM, AS_LONG))
    step = 100 / (runs[0].journal.last("data") or {})["test"]
    searches = [sum(s for name, s in run.seconds().items() if name in SEARCHING) for run in runs]
    trainings = [run.seconds()[f"train {FOUND}"] for run in runs]
    costs = [cost.in_trainings for run in runs if (cost := run.result(TotalCost))]
    return ImprovementRow(
        label(data), method, runs[0].space.name, runs[0].reached.limit_ms, _group(found), _group(equal),
        _group(anywhere),
        relative_improvement(found, anywhere, step).tell(),
        relative_improvement(found, equal, step).tell() if equal else None, float(np.median(searches)),
        float(np.median(np.divide(searches, trainings))), _group(as_long),
        relative_improvement(found, as_long, step).tell() if as_long else None, float(np.median(costs)),
    )  # fmt: skip


def _accuracies(runs: Sequence[Run], kind: str) -> list[float]:
    """Accuracies in % of all networks of a kind: "random 1" is of the kind "random", "random at equal latency 1" is
    not."""
    # of a step that was done again the last result counts
    done = [e for run in runs for e in {e["step"]: e for e in run.journal.all("done")}.values()]
    names = [
        (e, e["step"].removeprefix(f"train {kind}").strip()) for e in done if e["step"].startswith(f"train {kind}")
    ]
    return [100 * e["result"]["accuracy"] for e, rest in names if not rest or rest.isdigit()]


def _group(values: Sequence[float]) -> Group:
    return Group(float(np.mean(values)) if values else None, len(values), tuple(values))
