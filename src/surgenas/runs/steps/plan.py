"""How long will this take, and how much memory? Timed on a few real steps, before the long work begins."""

from __future__ import annotations

import timeit
from collections.abc import Callable
from typing import Any

import numpy as np
import psutil
import torch
from torch import Tensor, nn

from surgenas.core import moves
from surgenas.core.architecture import Architecture
from surgenas.core.capabilities import Counted, SharesWeights, require
from surgenas.core.seeds import generator
from surgenas.hardware.target import TimedTarget
from surgenas.nn.supernet import Gates
from surgenas.runs.results import Planned
from surgenas.runs.run import Run
from surgenas.runs.sampled import REPEATED, wanted_samples
from surgenas.runs.searching import Searching
from surgenas.runs.total_cost import judging_passes
from surgenas.runs.training import recipe
from surgenas.training.augment import steps_per_epoch, train_batches

SECONDS_PER_SAMPLE = 0.9
"""Seconds to export, check and measure one network, as seen on two cores of a server CPU."""
SEARCH = 0.25
"""The share of a short time that a search gets: with a quarter it ends better than with half (docs/lab.md)."""
CLAIM = 13
"""What counts as a claim takes so many times as long where networks are timed."""
DERIVE, NEAREST, ALIKE = (16, 3), 5, (3, 3)
"""Networks that are measured, and claims: to find one inside the limit, one as fast as the found one among sizes, and
a random one as fast as that; as seen, with rounds that find nothing."""
OVERHEAD_S = 10.0
"""Seconds for calibration, export and report."""


def plan(run: Run) -> Planned:
    """Estimate time and memory from some timed training steps; with a time limit, choose as many epochs as fit."""
    searching, c = Searching(run), run.config
    needs, batch = searching.needs, c.training.batch
    path_s, memory = _time_paths(run, searching)
    steps, search_steps = steps_per_epoch(run.data, batch), searching.steps_per_epoch
    judging_s = judging_passes(searching) / batch * path_s
    search_epoch = search_steps * path_s * (needs.passes or 1.1 * needs.trained)
    beside_s = judging_s + needs.after * search_epoch + needs.short * path_s
    train_epoch = steps * path_s * 1.1
    as_long = c.beside.random_at_equal_cost
    networks = 2 + c.beside.random + c.beside.random_at_equal_latency + as_long
    if c.training.weights:
        networks += -1 if c.beside.alone else 2
    priced = needs.trained if not needs.shares else 0
    sample_s = _sample_s(run)
    other_s = OVERHEAD_S + sample_s * _measured(run)
    profile_s = sample_s * (wanted_samples(run) + REPEATED + priced)
    epochs, train_epochs = searching.epochs, recipe(run).epochs
    if c.time_limit_s:
        left = 0.85 * c.time_limit_s - sum(run.seconds().values()) - profile_s - other_s - beside_s * (1 + as_long)
        searching_s, training_s = search_epoch * epochs * (1 + as_long), train_epoch * networks * train_epochs
        shares = allot(max(left, 0.0), searching_s, training_s)
        least = max(2, needs.apart ** (needs.rungs - 1))  # so that fidelities differ
        epochs = min(epochs, max(least, int(epochs * shares[0])))
        train_epochs = min(train_epochs, max(least if needs.goes_on else 2, int(train_epochs * shares[1])))
        epochs = min(epochs, train_epochs) if needs.goes_on else epochs
    search_s = search_epoch * epochs + beside_s
    train_s = train_epoch * networks * train_epochs + as_long * search_s
    return Planned(epochs, train_epochs, profile_s, search_s, train_s, other_s, memory)


def _sample_s(run: Run) -> float:
    """Seconds to price a network. What an estimator takes for one is seen by then: reach has asked for two."""
    return SECONDS_PER_SAMPLE if isinstance(run.target, TimedTarget) else run.seconds().get("reach", 0.0) / 2


def _measured(run: Run) -> float:
    """How many networks are priced after the search, in samples."""
    beside, claim = run.config.beside, CLAIM if isinstance(run.target, TimedTarget) else 1
    random = beside.random_at_equal_latency + beside.random_at_equal_cost
    sizes = 0 if beside.alone else 2 if run.config.training.weights else 1
    claims = DERIVE[1] + ALIKE[1] * random + 1 + sizes + random + beside.random
    return DERIVE[0] + NEAREST * sizes + ALIKE[0] * random + claim * claims


def allot(left_s: float, search_s: float, train_s: float) -> tuple[float, float]:
    """The shares (0 to 1) of what a search and what trainings would take that there is time for.

    Where time is short, a search gets no more than SEARCH of it, and trainings the rest; neither leaves any unused.
    """
    search = min(search_s, max(SEARCH * left_s, left_s - train_s))
    return search / search_s, min(1.0, (left_s - search) / train_s)


def _time_paths(run: Run, searching: Searching) -> tuple[float, int]:
    """The seconds of one path's training step, and the memory in bytes while the largest path, or all operators
    together, wait for their backward pass."""
    space, c = run.space, run.config
    rng, device = generator(c.seed, "plan"), searching.accelerator
    images, labels = (t.to(device) for t in next(train_batches(run.data, c.training.batch, c.seed, 0)))
    together = searching.needs.together
    make = _all_forward if together else _path_forward if searching.needs.shares else _network_forward
    forward = make(space, device)

    def one_path() -> None:
        nn.functional.cross_entropy(forward(moves.sample(space, rng), images), labels).backward()
        if device.type == "cuda":
            torch.cuda.synchronize()

    largest = moves.decode(space, require(space, Counted).costs().macs)
    path_s = _median_seconds(one_path) / (int(space.offered.sum(1).max()) if together else 1)
    return path_s, _resident_while(lambda: nn.functional.cross_entropy(forward(largest, images), labels))


def _path_forward(space: Any, device: torch.device) -> Callable[[Architecture, Tensor], Tensor]:
    supernet: Any = require(space, SharesWeights).supernet().to(device).to(memory_format=torch.channels_last)
    return lambda arch, images: supernet.at(images, moves.path_of(space, arch))


def _all_forward(space: Any, device: torch.device) -> Callable[[Architecture, Tensor], Tensor]:
    supernet: Any = require(space, SharesWeights).supernet().to(device).to(memory_format=torch.channels_last)
    offered_LK = torch.from_numpy(space.offered).float().to(device)
    gates = Gates(offered_LK / offered_LK.sum(1, keepdim=True), None)
    return lambda arch, images: supernet(images, gates)


def _network_forward(space: Any, device: torch.device) -> Callable[[Architecture, Tensor], Tensor]:
    def forward(arch: Architecture, images: Tensor) -> Tensor:
        logits: Tensor = space.build(arch).to(device).to(memory_format=torch.channels_last)(images)
        return logits

    return forward


def _median_seconds(work: Callable[[], None], times: int = 6) -> float:
    work()
    return float(np.median(timeit.repeat(work, number=1, repeat=times)))


def _resident_while(forward: Callable[[], Tensor]) -> int:
    held = forward()  # keeps the graph, and with it all activations of a step
    resident = int(psutil.Process().memory_info().rss)
    del held
    return resident
