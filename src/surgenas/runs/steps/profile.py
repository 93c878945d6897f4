"""Measure sampled architectures on the device, so that a predictor can learn what latency is made of there."""

from __future__ import annotations

import numpy as np

from surgenas.core import moves
from surgenas.core.architecture import Architecture
from surgenas.core.seeds import generator
from surgenas.runs.run import Run
from surgenas.hardware.target import Effort
from surgenas.runs.steps.measured import measure, samples
from surgenas.predictors.active import choose, graph_features
from surgenas.predictors.process import GraphProcess

DEFAULT_SAMPLES = 100
DIGITS_SAMPLES = 40
"""At most: measuring ends once it no longer helps."""
BATCH = 20
"""Networks between two looks at the held-out error."""
GAIN = 0.05
"""It must fall by this share with another batch, or measuring ends."""
POOL = 8
"""Architectures drawn for each that is measured."""
REPEATED = 12
"""Networks measured in a second campaign, from which the noise ceiling is computed."""


def profile(run: Run) -> None:
    """Batch by batch, the most telling architectures first, until the held-out error stops falling."""
    if run.result("profile") is not None:
        return
    with run.stage("profile") as result:
        archs, errors = sampled(run), []
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
        result |= {
            "samples": len(known),
            "held_out_errors": [error if np.isfinite(error) else None for error in errors],
        }


def _measure(run: Run, archs: list[Architecture]) -> None:
    found = measure(run, "profile", archs, reuse=True)
    poor = [arch for arch, m in zip(archs, found, strict=True) if not m.is_usable]
    if poor:  # a burst of load on the machine: once more, more patiently
        run.progress.log(f"{len(poor)} of {len(archs)} measurements were too noisy; repeating them")
        measure(run, "profile", poor, Effort.PATIENT, turn=1)


def held_out_error(run: Run) -> float:
    """Root mean square, relative to the mean latency; infinite while there are too few measurements."""
    archs, latency_ms = samples(run)
    if len(archs) < 2:
        return float("inf")
    process = GraphProcess(run.space.costs(), seed=run.config.seed).fit(moves.encode(run.space, archs), latency_ms)
    return process.held_out_error_ms / float(latency_ms.mean())


def sampled(run: Run) -> list[Architecture]:
    """Distinct networks, those that leave the least uncertain first; the same ones for the same seed. Drawn half
    uniformly, half with a taste of their own, so that both the middle and the ends are there to be picked."""
    wanted = run.config.samples or (DIGITS_SAMPLES if run.config.data == "digits" else DEFAULT_SAMPLES)
    rng = generator(run.config.seed, "profile")
    found: dict[str, Architecture] = {}
    for i in range(2 * POOL * wanted):
        arch = (moves.sample, moves.sample_skewed)[i % 2](run.space, rng)
        found.setdefault(moves.canonical_key(run.space, arch), arch)
        if len(found) == POOL * wanted:
            break
    pool = list(found.values())
    return [pool[i] for i in choose(graph_features(run.space.costs(), moves.encode(run.space, pool)), wanted)]
