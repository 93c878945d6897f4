"""Measures sampled architectures on the target, so that a predictor can learn latency there."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from surgenas.core import moves
from surgenas.core.architecture import Architecture
from surgenas.core.capabilities import Counted, require
from surgenas.core.cost import Cost, Effort
from surgenas.predictors.process import GraphProcess
from surgenas.runs.measured import LEAST, check_enough, measure, samples
from surgenas.runs.results import Profiled
from surgenas.runs.run import Run
from surgenas.runs.sampled import REPEATED, sample_networks

BATCH = 20
"""After this many networks the error on held-out networks is computed again."""
GAIN = 0.05
"""Measuring ends when another batch lowers that error by less than this share."""


def profile(run: Run) -> Profiled:
    """Measure sampled networks batch by batch, the most informative first, until the held-out error stops falling.

    Raises NoisyError if too few of them can be relied on; the next call measures the others anew.
    """
    archs, errors, attempt = sample_networks(run), list[float](), _attempts(run)
    for start in range(0, len(archs), BATCH):
        _measure(run, archs[start : start + BATCH], attempt)
        errors.append(held_out_error(run))
        measured = min(start + BATCH, len(archs))
        well = f"within {errors[-1]:.1%} (held out)" if np.isfinite(errors[-1]) else "not at all yet"
        run.progress.detail(f"latency predicted {well} after {measured} networks")
        if len(errors) > 2 and errors[-1] > (1 - GAIN) * min(errors[:-1]):
            break
    known = archs[:measured]
    if not is_enough(run, len(known)):
        run.journal.append("repeat", step="profile")
        check_enough(run, min(LEAST, len(known)))
    measure(run, "profile-again", known[:: max(1, len(known) // REPEATED)][:REPEATED], turn=1)
    return Profiled(len(known), tuple(error if np.isfinite(error) else None for error in errors))


def holds(run: Run) -> bool:
    """Whether the recorded profile has as many usable measurements as can be learned from: earlier versions recorded
    it in any case."""
    found = run.result(Profiled)
    return found is not None and is_enough(run, found.samples)


def is_enough(run: Run, measured: int) -> bool:
    """Whether enough of so many measured networks can be relied on."""
    return len(samples(run, corrected=False)[0]) >= min(LEAST, measured)


def _attempts(run: Run) -> int:
    """How often the step has ended with too few usable measurements."""
    return len(run.journal.all("repeat", step="profile")) + len(run.journal.all("done", step="profile"))


def _measure(run: Run, archs: list[Architecture], attempt: int) -> None:
    """Measure networks, and the noisy ones more patiently: the machine may have been busy for a moment. Every attempt
    repeats those that were too noisy in all before it, which the journal knows."""
    poor = _noisy(archs, measure(run, "profile", archs, reuse=True))
    for turn in range(1, attempt + 2):
        if poor and turn > attempt:
            run.progress.log(f"{len(poor)} of {len(archs)} measurements were too noisy; repeating them")
        poor = _noisy(poor, measure(run, "profile", poor, Effort.PATIENT, turn=turn))


def _noisy(archs: Sequence[Architecture], costs: Sequence[Cost]) -> list[Architecture]:
    return [arch for arch, cost in zip(archs, costs, strict=True) if not cost.is_usable]


def held_out_error(run: Run) -> float:
    """Error of predicting held-out networks: root mean square over the mean latency. Infinite with fewer than two
    measurements."""
    archs, latency_ms = samples(run)
    if len(archs) < 2:
        return float("inf")
    process = GraphProcess(require(run.space, Counted).costs(), seed=run.config.seed)
    process.fit(moves.encode(run.space, archs), latency_ms)
    return process.held_out_error_ms / float(latency_ms.mean())
