"""How fast is a run here: a step of training, and what is priced?"""

from __future__ import annotations

import timeit
from collections.abc import Callable, Mapping
from itertools import chain, count

import numpy as np
import torch
from torch import Tensor, nn

from surgenas.runs.results import Planned, Profiled
from surgenas.runs.run import Run
from surgenas.runs.sampled import REPEATED, wanted_samples
from surgenas.training.augment import train_batches

UPDATE = 1.1
"""A whole step of training takes so many times its forward and backward pass."""
TIMES = 6
"""So many steps are timed, of which the median counts."""
OVERHEAD_S = 20.0
"""Seconds for calibration, for choosing a predictor (6 to 19, as seen), for export and report, however many networks
are priced."""
OTHER: Mapping[str, float] = {"predict": 0.06, "derive": 0.51, "rivals": 0.21, "export": 0.02, "verify": 0.2}
"""The shares that these steps take of the time that is planned for all but profile, search and trainings: means of two
timed runs (benchmarks/results/2026-11-29-outlook.json, the last two)."""


def pass_s(run: Run, device: torch.device, forward: Callable[[Tensor], Tensor]) -> float:
    """Seconds in which a mini-batch is made and passed forward and backward, after a first one that is not timed."""
    batches = chain.from_iterable(train_batches(run.data, run.config.training.batch, 0, epoch) for epoch in count())

    def once() -> None:
        images, labels = (t.to(device) for t in next(batches))
        nn.functional.cross_entropy(forward(images), labels).backward()
        if device.type == "cuda":
            torch.cuda.synchronize()

    once()
    return float(np.median(timeit.repeat(once, number=1, repeat=TIMES)))


def pricing_left(run: Run, planned: Planned) -> float:
    """Seconds of what is left beside profile, search and trainings. Most of it is pricing, which takes its time as the
    profile did."""
    spent = run.seconds()
    shares = sum(share for step, share in OTHER.items() if not run.is_done(step))
    priced_s = max(0.0, planned.other_s - OVERHEAD_S)
    return shares * (planned.other_s - priced_s + _pace(run, planned, spent) * priced_s)


def _pace(run: Run, planned: Planned, spent: Mapping[str, float]) -> float:
    """The seconds that a network of the profile took, over those that were planned for one."""
    profiled = run.result(Profiled)
    if not profiled or not planned.profile_s or "profile" not in spent:
        return 1.0
    return spent["profile"] / planned.profile_s * (wanted_samples(run) + REPEATED) / (profiled.samples + REPEATED)
