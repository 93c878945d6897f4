"""Which of these finished runs is better, and is that more than noise?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from surgenas.core.errors import UsageError
from surgenas.core.record import Record
from surgenas.core.significance import Difference, difference, share_difference, share_interval
from surgenas.runs.names import FOUND
from surgenas.runs.results import TotalCost, Verified
from surgenas.runs.run import Run
from surgenas.runs.whole import found_by

SAME_LIMIT = 0.05
"""Limits that runs chose for themselves count as the same if they differ by at most this share."""


@dataclass(frozen=True)
class Side(Record):
    """A finished run. accuracy_interval: 95 % interval, given the number of test images. latency_interval: None if
    estimated. passes: images passed forward and backward to find and to train the network; None for runs of before that
    was counted."""

    name: str
    method: str
    space: str
    seed: int
    accuracy: float
    accuracy_interval: tuple[float, float]
    latency_ms: float
    latency_interval: tuple[float, float] | None
    grade: str | None
    device: str
    limit_ms: float
    seconds: float
    passes: int | None = None


@dataclass(frozen=True)
class Against(Record):
    """A run, or all runs of a method, compared with the most accurate one. value, low, high: difference and its 95 %
    interval, in percent points."""

    name: str
    against: str
    value: float
    low: float | None
    high: float | None
    said: str


@dataclass(frozen=True)
class SideBySide(Record):
    """Finished runs, and each compared with the most accurate.

    judged_by: "seeds" if the runs form groups that differ in their seed alone; the differences are then those of
    groups, judged by the spread over seeds. Otherwise "test images": runs are compared one by one.
    """

    runs: tuple[Side, ...]
    data: str
    test_images: int
    differences: tuple[Against, ...]
    judged_by: Literal["seeds", "test images"]


Group = Sequence[Side]


def side_by_side(runs: Sequence[Run]) -> SideBySide:
    """Compare finished runs. Raises UsageError if one is not finished, is given twice, or is not on the same images."""
    if len(runs) < 2:
        raise UsageError("compare: expected two runs or more")
    if len({run.folder.resolve() for run in runs}) < len(runs):
        raise UsageError("compare: a run is given twice")
    rows = tuple(_row(run) for run in runs)
    first = _images(runs[0])
    for run in runs[1:]:
        if _images(run) != first or _other_pixels(run, runs[0]):
            raise UsageError(f"{run.folder} is not on the images of {runs[0].folder}; accuracies cannot be compared")
    groups = _groups(runs, rows)
    by_seed = len(groups) > 1 and all(len(group) > 1 for group in groups)
    differences = _of_groups(groups, 1 / first[-1]) if by_seed else _of_runs(rows)
    return SideBySide(rows, str(first[0]), first[-1], tuple(differences), "seeds" if by_seed else "test images")


def _row(run: Run) -> Side:
    accuracy, verified = run.accuracy(FOUND), run.result(Verified)
    if accuracy is None or verified is None:
        raise UsageError(f"{run.folder} is not finished; `surgenas resume {run.folder}` goes on with it")
    cost = run.result(TotalCost)
    claim, images = verified.costs[FOUND], _images(run)[-1]
    return Side(
        run.folder.name, found_by(run) or "none", run.config.space.name or run.space.name, run.config.seed, accuracy,
        share_interval(accuracy, images), claim.ms, claim.interval_ms, claim.ms_grade, claim.target,
        run.reached.limit_ms, sum(run.seconds().values()), cost.passes if cost else None,
    )  # fmt: skip


def _images(run: Run) -> tuple[Any, ...]:
    known = run.journal.last("data") or {}
    return Path(str(known.get("name"))).name, *known.get("classes", ()), known.get("train"), known.get("test")


def _other_pixels(run: Run, other: Run) -> bool:
    """Do two runs at one resolution have different images? At others their pixels differ anyhow."""
    mine, theirs = (each.journal.last("data") or {} for each in (run, other))
    return run.resolution == other.resolution and mine.get("fingerprint") != theirs.get("fingerprint")


def _groups(runs: Sequence[Run], rows: Group) -> list[list[Side]]:
    """Runs grouped by their settings, whatever their seed; a limit that each run chose for itself
    may differ a little."""
    groups: list[tuple[dict[str, Any], list[Side]]] = []
    for run, row in zip(runs, rows, strict=True):
        settings = run.config.model_dump(exclude={"seed": True, "target": {"latency_ms"}})
        settings["data"]["source"] = Path(run.config.data.source).name
        for known, group in groups:
            if known == settings and abs(row.limit_ms / group[0].limit_ms - 1) <= SAME_LIMIT:
                group.append(row)
                break
        else:
            groups.append((settings, [row]))
    return [group for _, group in groups]


def _of_runs(rows: Group) -> list[Against]:
    """The difference of two networks, each judged on so many images."""
    best = max(rows, key=lambda row: row.accuracy)
    found = []
    for row in rows:
        if row is not best:
            pair = ((side.accuracy, side.accuracy_interval) for side in (row, best))
            found.append(_against(row.name, best.name, share_difference(*pair)))
    return found


def _of_groups(groups: Sequence[Group], step: float) -> list[Against]:
    def accuracies(group: Group) -> list[float]:
        return [row.accuracy for row in group]

    best = max(groups, key=lambda group: sum(accuracies(group)) / len(group))
    return [
        _against(_name(group), _name(best), difference(accuracies(group), accuracies(best), step))
        for group in groups
        if group is not best
    ]


def _name(group: Group) -> str:
    return f"{group[0].method} ({len(group)} seeds)"


def _against(name: str, best: str, found: Difference) -> Against:
    told = found.scale_by(100).tell()
    return Against(name, best, told.value, told.low, told.high, told.said)
