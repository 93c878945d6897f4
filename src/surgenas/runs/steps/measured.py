"""What the stages share about measuring: jobs from architectures, and measurements as journal events."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from surgenas.core import moves
from surgenas.core.architecture import Architecture
from surgenas.core.space import Floats
from surgenas.hardware.target import Job
from surgenas.hardware.timed.measurement import Measurement
from surgenas.hardware.timed.timing import Protocol
from surgenas.runs.run import Run
from surgenas.predictors.base import Predictor, make_predictor
from surgenas.spaces import space_of

CLAIM = Protocol(
    max_rounds=80, half_width=0.015, budget_s=15, patience_s=45, duplicates=2, fresh=True, steady=5, campaigns=3
)
"""For claims, and for choosing what is claimed: three campaigns, each in a fresh process and until the interval is
narrow, two networks measured twice, very small ones back to back besides."""
CONFIRM = replace(CLAIM, campaigns=5)
"""For what is built upon: so many that their own spread says how sure they are. Very small networks differ by 1 % from
process to process (docs/log.md)."""
QUICK = Protocol(rounds=10, max_rounds=40, half_width=0.04, budget_s=15, patience_s=20)
"""For learning and for choosing."""
PATIENT = Protocol(rounds=10, max_rounds=150, half_width=0.05, backoff_s=(0.2, 0.4, 0.8))
"""For what was too noisy the first time."""


def job_of(arch: Architecture) -> Job:
    """The measuring job of an architecture of any catalogued space."""
    space = space_of(arch)
    return Job(moves.canonical_key(space, arch), lambda: space.build(arch), space.input_shape)


def measure(
    run: Run, stage: str, archs: Sequence[Architecture], *, protocol: Protocol, turn: int = 0, reuse: bool = False
) -> list[Measurement]:
    """Measure and record; what this stage and turn measured before an interruption is not measured again."""
    known = {
        e["key"]: Measurement.from_dict(e["measurement"]) for e in run.journal.all("measured", stage=stage, turn=turn)
    }
    jobs = [job_of(arch) for arch in archs]
    todo = [job for job in jobs if job.key not in known]
    genes = {job.key: list(arch.genes) for job, arch in zip(jobs, archs, strict=True)}
    for start in range(0, len(todo), 32):
        part = todo[start : start + 32]
        found = run.device.measure(
            part,
            reference=reference_of(run),
            protocol=protocol,
            seed=run.config.seed + turn,
            reuse=reuse,
            progress=run.progress,
        )
        for job, m in zip(part, found, strict=True):
            if job.key not in known:
                known[job.key] = m
                run.journal.append(
                    "measured", stage=stage, turn=turn, key=job.key, genes=genes[job.key], measurement=m.to_dict()
                )
    return [known[job.key] for job in jobs]


def reference_of(run: Run) -> tuple[str, float] | None:
    """The reference network of this run and its latency, fixed once so that all its milliseconds are comparable."""
    event = run.journal.last("calibrated")
    return (event["reference"], event["reference_ms"]) if event else None


def candidates_measured(run: Run) -> list[dict[str, Any]]:
    """Events of `derive`'s finished turns: what a turn proposes must not hang on how much of it was measured before a
    kill."""
    finished = len(run.journal.all("missed")) + (run.result("derive") is not None)
    return [event for event in run.journal.all("measured", stage="derive") if event["turn"] < finished]


def samples(run: Run) -> tuple[list[Architecture], Floats]:
    """Every measured architecture of the run's space with the median of its latencies; grade D never counts."""
    by_key: dict[str, tuple[Architecture, list[float]]] = {}
    profiled = [event for stage in ("reach", "profile") for event in run.journal.all("measured", stage=stage)]
    for event in [*profiled, *candidates_measured(run)]:
        if event["measurement"]["grade"] <= "C":
            arch = run.architecture(event["genes"])
            by_key.setdefault(event["key"], (arch, []))[1].append(event["measurement"]["ms"])
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
