"""How long will this take, and how much memory? Timed on a few real steps, before the long work begins."""

from __future__ import annotations

import timeit
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import psutil
import torch
from torch import Tensor, nn

from surgenas.core import moves
from surgenas.core.architecture import Architecture
from surgenas.core.seeds import generator
from surgenas.runs.run import Run
from surgenas.runs.steps.profile import DEFAULT_SAMPLES, DIGITS_SAMPLES
from surgenas.runs.steps.search import (
    accelerator,
    held_out,
    method_class,
    method_config,
    search_data,
    search_epochs,
)
from surgenas.runs.steps.train import recipe
from surgenas.training.augment import steps_per_epoch, train_batches

SECONDS_PER_SAMPLE = 0.9
"""Exporting, checking and measuring one network; seen on two cores of a server CPU."""
FORWARD = 0.08
"""Share of a training step's time that judging as many images takes, prefixes that candidates share being computed
once."""
OVERHEAD_S = 90.0
"""Calibration, deriving, verifying, export and report."""


@dataclass(frozen=True)
class Plan:
    """Estimated seconds by stage; memory: bytes resident while the largest path waits for its backward pass."""

    epochs: int
    train_epochs: int
    profile_s: float
    search_s: float
    train_s: float
    other_s: float
    memory_bytes: int

    @property
    def total_s(self) -> float:
        return self.profile_s + self.search_s + self.train_s + self.other_s


def make_plan(run: Run) -> Plan:
    """Time some paths forward and backward; with a time limit, choose as many epochs as fit."""
    space, config = run.space, run.config
    rng = generator(config.seed, "plan")
    device = accelerator(run)
    supernet: Any = space.supernet().to(device).to(memory_format=torch.channels_last)
    passes = method_class(run).passes(space)
    images, labels = (t.to(device) for t in next(train_batches(run.data, config.batch, config.seed, 0)))

    def forward(arch: Architecture) -> Tensor:
        return nn.functional.cross_entropy(supernet.at(images, moves.indices(space, arch)), labels)

    def one_path() -> None:
        forward(moves.sample(space, rng)).backward()
        if device.type == "cuda":
            torch.cuda.synchronize()

    path_s = _median_seconds(one_path)
    steps, search_steps = (steps_per_epoch(data, config.batch) for data in (run.data, search_data(run)))
    held = held_out(run)
    images_judged = len(held.images) + len(held.calibration) if held else 0
    judging_s = method_class(run).candidates(method_config(run)) * images_judged / config.batch * path_s * FORWARD
    search_epoch, train_epoch = search_steps * path_s * passes, steps * path_s * 1.1
    networks = 2 + config.random + config.uniform
    samples = config.samples or (DIGITS_SAMPLES if config.data == "digits" else DEFAULT_SAMPLES)
    profile_s = SECONDS_PER_SAMPLE * (samples + 12)
    epochs, train_epochs = search_epochs(run), recipe(run).epochs
    if config.time_limit_s:
        left = 0.85 * config.time_limit_s - sum(run.seconds().values()) - profile_s - OVERHEAD_S - judging_s
        wanted = search_epoch * epochs + train_epoch * networks * train_epochs
        shrink = min(1.0, max(left, 0.0) / wanted)
        epochs, train_epochs = (min(n, max(2, int(n * shrink))) for n in (epochs, train_epochs))
    return Plan(
        epochs,
        train_epochs,
        profile_s,
        search_epoch * epochs + judging_s,
        train_epoch * networks * train_epochs,
        OVERHEAD_S,
        _resident_while(lambda: forward(moves.decode(space, space.costs().macs))),
    )


def plan(run: Run) -> Plan:
    """The plan of this run, recorded once so that a resumed run keeps it."""
    known = run.journal.last("planned")
    if known:
        return Plan(**{key: known[key] for key in Plan.__dataclass_fields__})
    made = make_plan(run)
    run.journal.append("planned", **asdict(made))
    return made


def _median_seconds(work: Callable[[], None], times: int = 6) -> float:
    work()
    return float(np.median(timeit.repeat(work, number=1, repeat=times)))


def _resident_while(forward: Callable[[], Tensor]) -> int:
    held = forward()  # with its graph, all that a step holds
    resident = int(psutil.Process().memory_info().rss)
    del held
    return resident
