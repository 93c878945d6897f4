"""Measures sampled architectures on the target, so that a predictor can learn latency there."""

from __future__ import annotations

import numpy as np

from surgenas.core import moves
from surgenas.core.architecture import Architecture
from surgenas.core.capabilities import Additive, require
from surgenas.core.cost import Effort
from surgenas.predictors.process import GraphProcess
from surgenas.runs.measured import measure, samples
from surgenas.runs.results import Profiled
from surgenas.runs.run import Run
from surgenas.runs.sampled import sample_networks

BATCH = 20
"""After this many networks the error on held-out networks is computed again."""
GAIN = 0.05
"""Measuring ends when another batch lowers that error by less than this share."""
REPEATED = 12
"""How many networks are measured in a second campaign, from which the noise ceiling is computed."""


def profile(run: Run) -> Profiled:
    """Measure sampled networks batch by batch, the most informative first, until the held-out error stops falling."""
    archs, errors = sample_networks(run), list[float]()
    for start in range(0, len(archs), BATCH):
        _measure(run, archs[start : start + BATCH])
        errors.append(held_out_error(run))
        measured = min(start + BATCH, len(archs))
        well = f"within {errors[-1]:.1%} (held out)" if np.isfinite(errors[-1]) else "not at all yet"
        run.progress.log(f"latency predicted {well} after {measured} networks")
        if len(errors) > 2 and errors[-1] > (1 - GAIN) * min(errors[:-1]):
            break
    known = archs[:measured]
    measure(run, "profile-again", known[:: max(1, len(known) // REPEATED)][:REPEATED], turn=1)
    return Profiled(len(known), tuple(error if np.isfinite(error) else None for error in errors))


def _measure(run: Run, archs: list[Architecture]) -> None:
    found = measure(run, "profile", archs, reuse=True)
    poor = [arch for arch, cost in zip(archs, found, strict=True) if not cost.is_usable]
    if poor:  # the machine may have been busy for a moment
        run.progress.log(f"{len(poor)} of {len(archs)} measurements were too noisy; repeating them")
        measure(run, "profile", poor, Effort.PATIENT, turn=1)


def held_out_error(run: Run) -> float:
    """Error of predicting held-out networks: root mean square over the mean latency. Infinite with fewer than two
    measurements."""
    archs, latency_ms = samples(run)
    if len(archs) < 2:
        return float("inf")
    process = GraphProcess(require(run.space, Additive).costs(), seed=run.config.seed)
    process.fit(moves.encode(run.space, archs), latency_ms)
    return process.held_out_error_ms / float(latency_ms.mean())
