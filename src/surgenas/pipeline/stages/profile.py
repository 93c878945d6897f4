"""Measure sampled architectures on the device, so that a predictor can learn what latency is made of there."""

from __future__ import annotations

from surgenas.core import moves
from surgenas.core.architecture import Architecture
from surgenas.core.seeds import generator
from surgenas.pipeline.run import Run
from surgenas.pipeline.stages.measured import PATIENT, QUICK, measure

DEFAULT_SAMPLES = 100
DIGITS_SAMPLES = 40
REPEATED = 12
"""Networks measured in a second campaign, from which the noise ceiling is computed."""


def profile(run: Run) -> None:
    """Half of the samples uniform, half with a taste of their own, so that both the middle and the ends are known."""
    if run.result("profile") is not None:
        return
    with run.stage("profile") as result:
        archs = sampled(run)
        found = measure(run, "profile", archs, protocol=QUICK, reuse=True)
        poor = [arch for arch, m in zip(archs, found, strict=True) if m.grade == "D"]
        if poor:  # a burst of load on the machine: once more, more patiently
            run.progress.log(f"{len(poor)} of {len(archs)} measurements were too noisy; repeating them")
            measure(run, "profile", poor, protocol=PATIENT, turn=1)
        measure(run, "profile-again", archs[:REPEATED], protocol=QUICK, turn=1)
        result["samples"] = len(archs)


def sampled(run: Run) -> list[Architecture]:
    """Distinct networks, the same ones for the same seed."""
    wanted = run.config.samples or (DIGITS_SAMPLES if run.config.data == "digits" else DEFAULT_SAMPLES)
    rng = generator(run.config.seed, "profile")
    found: dict[str, Architecture] = {}
    for i in range(20 * wanted):
        arch = (moves.sample, moves.sample_skewed)[i % 2](run.space, rng)
        found.setdefault(moves.canonical_key(run.space, arch), arch)
        if len(found) == wanted:
            break
    return list(found.values())
