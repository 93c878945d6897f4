"""How long will the rest of a run take? From what was planned, and from how long pricing and trainings have taken."""

from __future__ import annotations

from collections.abc import Mapping

from surgenas.runs.names import AS_LONG
from surgenas.runs.results import Planned, Profiled, Rivals, TotalCost
from surgenas.runs.run import Run
from surgenas.runs.sampled import REPEATED, wanted_samples
from surgenas.runs.steps.train import networks

OTHER: Mapping[str, float] = {"predict": 0.06, "derive": 0.51, "rivals": 0.21, "export": 0.02, "verify": 0.2}
"""The shares that these steps take of the time that is planned for all but profile, search and trainings: means of two
timed runs (benchmarks/results/2026-11-29-outlook.json, the last two)."""


def seconds_left(run: Run) -> float | None:
    """Seconds until the run is finished; None before it is planned. What follows the search is mostly pricing, which
    takes its time as the profile did."""
    planned = run.result(Planned)
    if planned is None:
        return None
    spent = run.seconds()
    shares = sum(share for step, share in OTHER.items() if not run.is_done(step))
    left = _pace(run, planned, spent) * planned.other_s * shares
    for step, whole_s in {"profile": planned.profile_s, "search": planned.search_s}.items():
        left += 0.0 if run.is_done(step) else max(0.0, whole_s - spent.get(step, 0.0))
    return left + _training_left(run, planned, spent)


def _pace(run: Run, planned: Planned, spent: Mapping[str, float]) -> float:
    """The seconds that a network of the profile took, over those that were planned for one."""
    profiled = run.result(Profiled)
    if not profiled or not planned.profile_s or "profile" not in spent:
        return 1.0
    return spent["profile"] / planned.profile_s * (wanted_samples(run) + REPEATED) / (profiled.samples + REPEATED)


def _training_left(run: Run, planned: Planned, spent: Mapping[str, float]) -> float:
    """Seconds of trainings. Those that are done say how long the others will take."""
    if not run.result(Rivals):  # nobody knows yet how many there are
        return planned.train_s
    cost = run.result(TotalCost)
    epochs = {
        name: cost.epochs if cost and name.startswith(AS_LONG) else planned.train_epochs for name in networks(run)
    }
    done = [name for name in epochs if run.is_done(f"train {name}")]
    seconds = sum(spent.get(f"train {name}", 0.0) for name in done)
    per_epoch = seconds / sum(epochs[name] for name in done) if done else planned.train_s / sum(epochs.values())
    return per_epoch * sum(count for name, count in epochs.items() if name not in done)
