"""What the stages share about measuring: jobs from architectures, and measurements as journal events."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from surgenas.core import moves
from surgenas.core.architecture import Architecture
from surgenas.core.space import Floats
from surgenas.core.cost import Cost
from surgenas.hardware.costs import read_cost
from surgenas.hardware.target import Effort, Scale, TimedTarget, all_costs
from surgenas.runs.run import Run
from surgenas.predictors.base import Predictor, make_predictor
from surgenas.engine.jobs import job_of

def measure(
    run: Run, stage: str, archs: Sequence[Architecture], effort: Effort = Effort.LEARN, *, turn: int = 0,
    reuse: bool = False,
) -> list[Cost]:  # fmt: skip
    """Ask the target and record; what this stage and turn know from before an interruption is not asked again."""
    known = {e["key"]: read_cost(e["cost"]) for e in run.journal.all("measured", stage=stage, turn=turn)}
    jobs = [job_of(arch) for arch in archs]
    todo = [job for job in jobs if job.key not in known]
    genes = {job.key: list(arch.genes) for job, arch in zip(jobs, archs, strict=True)}
    target, scale = run.target, scale_of(run)
    if scale and isinstance(target, TimedTarget):
        target = target.on_scale(scale)
    for start in range(0, len(todo), 32):
        part = todo[start : start + 32]
        found = all_costs(
            target.price(part, effort, seed=run.config.seed + turn, reuse=reuse, progress=run.progress)
        )
        for job, cost in zip(part, found, strict=True):
            if job.key not in known:
                known[job.key] = cost
                run.journal.append(
                    "measured", stage=stage, turn=turn, key=job.key, genes=genes[job.key], cost=cost.to_dict()
                )
    return [known[job.key] for job in jobs]


def scale_of(run: Run) -> Scale | None:
    """The reference network of this run and its latency, fixed once so that all its milliseconds are comparable."""
    event = run.journal.last("calibrated")
    return (event["reference"], event["reference_ms"]) if event else None


def candidates_measured(run: Run) -> list[dict[str, Any]]:
    """Events of `derive`'s finished turns: what a turn proposes must not hang on how much of it was measured before a
    kill."""
    finished = len(run.journal.all("missed")) + (run.result("derive") is not None)
    return [event for event in run.journal.all("measured", stage="derive") if event["turn"] < finished]


def samples(run: Run) -> tuple[list[Architecture], Floats]:
    """Every measured architecture of the run's space with the median of its latencies; what is too noisy never counts."""
    by_key: dict[str, tuple[Architecture, list[float]]] = {}
    profiled = [event for stage in ("reach", "profile") for event in run.journal.all("measured", stage=stage)]
    for event in [*profiled, *candidates_measured(run)]:
        cost = read_cost(event["cost"])
        if cost.is_usable:
            by_key.setdefault(event["key"], (run.architecture(event["genes"]), []))[1].append(cost.ms)
    archs = [arch for arch, _ in by_key.values()]
    return archs, np.array([np.median(ms) for _, ms in by_key.values()])


def fitted_predictor(run: Run) -> Predictor:
    """The chosen predictor on everything measured before this turn: a function of the journal, so nothing else is
    kept."""
    choice = run.result("predict")
    assert choice is not None, "predict comes before"
    archs, latency_ms = samples(run)
    code = moves.encode(run.space, archs)
    return make_predictor(choice["chosen"], run.space.costs(), run.config.seed).fit(code, latency_ms)
