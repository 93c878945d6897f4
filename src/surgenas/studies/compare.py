"""Which of these finished runs is better, and is that more than noise?"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from scipy import stats

from surgenas.core.errors import UsageError
from surgenas.core.significance import LEVEL, Difference, difference
from surgenas.hardware.costs import read_cost
from surgenas.runs.run import Run
from surgenas.runs.steps.train import FOUND

SAME_LIMIT = 0.05


def side_by_side(runs: Sequence[Run]) -> dict[str, Any]:
    """`runs`: accuracy with the interval that its test images allow, latency, cost. `differences`: each against the
    most accurate; of runs by their test images, of groups that differ in their seed alone by the spread over seeds.

    Raises UsageError for runs that are not finished, or not on the same images.
    """
    if len(runs) < 2:
        raise UsageError("compare: expected two runs or more")
    if len({run.folder.resolve() for run in runs}) < len(runs):
        raise UsageError("compare: a run is given twice")
    rows = [_row(run) for run in runs]
    first = _images(runs[0])
    for run in runs[1:]:
        if _images(run) != first:
            raise UsageError(f"{run.folder} is not on the images of {runs[0].folder}; accuracies cannot be compared")
    groups = _groups(runs, rows)
    by_seed = len(groups) > 1 and all(len(group) > 1 for group in groups)
    differences = _of_groups(groups, 1 / first[-1]) if by_seed else _of_runs(rows)
    return {"runs": rows, "data": first[0], "test_images": first[-1], "differences": differences,
            "judged_by": "seeds" if by_seed else "test images"}  # fmt: skip


def _row(run: Run) -> dict[str, Any]:
    trained, verified = run.result(f"train {FOUND}"), run.result("verify")
    if trained is None or verified is None:
        raise UsageError(f"{run.folder} is not finished; `surgenas resume {run.folder}` goes on with it")
    claim = read_cost(verified["costs"][FOUND])
    accuracy, images = trained["accuracy"], _images(run)[-1]
    interval = stats.binomtest(round(accuracy * images), images).proportion_ci(LEVEL, method="wilson")
    return {
        "name": run.folder.name,
        "method": run.config.method,
        "space": str(run.config.space or run.space.name),
        "seed": run.config.seed,
        "accuracy": accuracy,
        "accuracy_interval": [interval.low, interval.high],
        "latency_ms": claim.ms,
        "latency_interval": claim.interval_ms,
        "grade": claim.grade,
        "device": claim.target,
        "limit_ms": (run.result("reach") or {})["limit_ms"],
        "seconds": sum(run.seconds().values()),
    }


def _images(run: Run) -> tuple[Any, ...]:
    known = run.journal.last("data") or {}
    return Path(str(known.get("name"))).name, *known.get("classes", ()), known.get("train"), known.get("test")


def _groups(runs: Sequence[Run], rows: Sequence[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    """Runs that differ in their seed alone; a limit that each measured for itself is not to the digit the same."""
    groups: list[tuple[dict[str, Any], list[dict[str, Any]]]] = []
    for run, row in zip(runs, rows, strict=True):
        settings = run.config.model_dump(exclude={"seed", "latency_ms"}) | {"data": Path(run.config.data).name}
        for known, group in groups:
            if known == settings and abs(row["limit_ms"] / group[0]["limit_ms"] - 1) <= SAME_LIMIT:
                group.append(row)
                break
        else:
            groups.append((settings, [row]))
    return [group for _, group in groups]


def _of_runs(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Two networks, each judged by so many images: Newcombe's interval, from Wilson's of each."""
    best = max(rows, key=lambda row: row["accuracy"])
    found = []
    for row in rows:
        if row is not best:
            value = row["accuracy"] - best["accuracy"]
            (low, high), (best_low, best_high) = row["accuracy_interval"], best["accuracy_interval"]
            down = ((row["accuracy"] - low) ** 2 + (best_high - best["accuracy"]) ** 2) ** 0.5
            up = ((high - row["accuracy"]) ** 2 + (best["accuracy"] - best_low) ** 2) ** 0.5
            found.append(_against(row["name"], best["name"], Difference(value, value - down, value + up)))
    return found


def _of_groups(groups: Sequence[Sequence[dict[str, Any]]], step: float) -> list[dict[str, Any]]:
    def accuracies(group: Sequence[dict[str, Any]]) -> list[float]:
        return [row["accuracy"] for row in group]

    best = max(groups, key=lambda group: sum(accuracies(group)) / len(group))
    return [
        _against(_name(group), _name(best), difference(accuracies(group), accuracies(best), step))
        for group in groups
        if group is not best
    ]


def _name(group: Sequence[dict[str, Any]]) -> str:
    return f"{group[0]['method']} ({len(group)} seeds)"


def _against(name: str, best: str, found: Difference) -> dict[str, Any]:
    return {"name": name, "against": best, **found.scale_by(100).to_dict()}
