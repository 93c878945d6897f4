"""How long will the rest of a run take? From what was planned, and from how long pricing and trainings have taken."""

from __future__ import annotations

from collections.abc import Mapping

from surgenas.runs.names import is_as_long
from surgenas.runs.pace import pricing_left
from surgenas.runs.results import Planned, Rivals, Scheduled, TotalCost
from surgenas.runs.run import Run
from surgenas.runs.steps.train import networks


def seconds_left(run: Run) -> float | None:
    """Seconds until the run is finished; None before it is planned."""
    planned = run.result(Planned)
    if planned is None:
        return None
    spent = run.seconds()
    left = pricing_left(run, planned)
    for step, whole_s in {"profile": planned.profile_s, "search": planned.search_s}.items():
        left += 0.0 if run.is_done(step) else max(0.0, whole_s - spent.get(step, 0.0))
    return left + _training_left(run, planned, spent)


def _training_left(run: Run, planned: Planned, spent: Mapping[str, float]) -> float:
    """Seconds of trainings. Those that are done say how long the others will take."""
    if not run.result(Rivals):  # nobody knows yet how many there are
        return planned.train_s
    names = networks(run)
    scheduled, cost = run.result(Scheduled), run.result(TotalCost)
    usual = (scheduled or planned).train_epochs
    as_long_s = sum(map(is_as_long, names)) * planned.search_s
    thought_s = scheduled.epoch_s if scheduled else (planned.train_s - as_long_s) / (usual * len(names))
    longer = cost.epochs if cost else usual + round(planned.search_s / thought_s)
    epochs = {name: longer if is_as_long(name) else usual for name in names}
    done = [name for name in epochs if run.is_done(f"train {name}")]
    seconds = sum(spent.get(f"train {name}", 0.0) for name in done)
    per_epoch = seconds / sum(epochs[name] for name in done) if done else thought_s
    return per_epoch * sum(count for name, count in epochs.items() if name not in done)
