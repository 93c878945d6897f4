"""How long will this take, and how much memory? Timed on a few real steps, before the long work begins."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import psutil
import torch
from torch import Tensor

from surgenas.core import moves
from surgenas.core.architecture import Architecture
from surgenas.core.capabilities import Counted, SharesWeights, require
from surgenas.core.seeds import generator
from surgenas.hardware.target import TimedTarget
from surgenas.nn.supernet import Gates
from surgenas.runs.allotment import USED, Wanted, allot
from surgenas.runs.config import RunConfig
from surgenas.runs.pace import OVERHEAD_S, UPDATE, pass_s
from surgenas.runs.results import Planned
from surgenas.runs.run import Run
from surgenas.runs.sampled import REPEATED, wanted_samples
from surgenas.runs.searching import Searching
from surgenas.runs.total_cost import USUAL, judging_passes
from surgenas.runs.training import LEAST_EPOCHS, START_SHARE, recipe
from surgenas.runs.whole import meets_limit_whole
from surgenas.training.augment import steps_per_epoch, train_batches

SECONDS_PER_SAMPLE = 0.9
"""Seconds to export, check and measure one network, as seen on two cores of a server CPU."""
CLAIM = 13
"""What counts as a claim takes so many times as long where networks are timed."""
WHOLE = 2.7
"""A step of the whole network takes so many times that of a random version, as seen of Lite0 (1.9 of MobileNetV3 small,
3.4 of ResNet-18; 96 px, two cores)."""
DERIVE, NEAREST, ALIKE = (16, 3), 5, (3, 3)
"""Networks that are measured, and claims: to find one inside the limit, one as fast as the found one among sizes, and
a random one as fast as that; as seen, with rounds that find nothing."""


def plan(run: Run) -> Planned:
    """Estimate time and memory from some timed training steps; with a time limit, choose epochs that fit into it."""
    searching, c = Searching(run), run.config
    needs, batch = searching.needs, c.training.batch
    path_s, memory = _time_paths(run, searching)
    search_epoch_s = searching.steps_per_epoch * path_s * (needs.passes or UPDATE * needs.trained)
    judging_s = judging_passes(searching) / batch * path_s
    beside_s = judging_s + needs.after * search_epoch_s + needs.short * path_s
    whole = meets_limit_whole(run)  # then it is trained, and nothing else is done
    as_long, networks = (0, 1) if whole else (_as_long(c), _trained(c))
    train_epoch_s = steps_per_epoch(run.data, batch) * path_s * UPDATE * networks
    ready = START_SHARE * WHOLE if c.training.weights else 0.0  # the whole network is trained first
    start_epoch_s = searching.steps_per_epoch * path_s * UPDATE * ready
    sample_s, priced = _sample_s(run), needs.trained if not needs.shares else 0
    profile_s = 0.0 if whole else sample_s * (wanted_samples(run) + REPEATED + priced)
    other_s = OVERHEAD_S + sample_s * (2 * _claim(run) if whole else _measured(run))
    epochs, train_epochs = 0 if whole else searching.epochs, recipe(run).epochs
    if c.time_limit_s:
        left_s = USED * c.time_limit_s - sum(run.seconds().values()) - profile_s - other_s
        least = max(2, needs.apart ** (needs.rungs - 1))  # so that fidelities differ
        least_train = least if needs.goes_on else LEAST_EPOCHS
        wanted = Wanted(
            epochs=epochs, epoch_s=search_epoch_s * (1 + as_long), beside_s=beside_s * (1 + as_long), least=least,
            train_epochs=train_epochs, train_epoch_s=train_epoch_s + start_epoch_s, least_train=least_train,
            optional=_is_optional(c),
        )  # fmt: skip
        epochs, train_epochs = allot(max(left_s, 0.0), wanted)
        epochs = min(epochs, train_epochs) if needs.goes_on else epochs
    search_s = search_epoch_s * epochs + beside_s if epochs else 0.0
    search_s += start_epoch_s * train_epochs
    train_s = train_epoch_s * train_epochs + as_long * search_s
    return Planned(epochs, train_epochs, profile_s, search_s, train_s, other_s, memory)


def _is_optional(c: RunConfig) -> bool:
    """Whether nobody asked for a search by its epochs, settings or method, or for what it leaves behind."""
    method = c.method
    asked = method.epochs or method.settings or method.name != USUAL
    return not asked and c.training.start == "fresh" and not c.training.weights


def _trained(c: RunConfig) -> int:
    """How many networks are trained at the end."""
    beside = c.beside
    others = beside.random + beside.random_at_equal_latency + _as_long(c)
    if not c.training.weights:
        return 2 + others
    return others + (1 if beside.alone else 4)


def _as_long(c: RunConfig) -> int:
    """How many networks are trained for as long as finding and training the found one takes."""
    smaller_images = bool(c.training.weights) and not c.beside.alone
    return c.beside.random_at_equal_cost + (smaller_images if c.beside.random_at_equal_cost else 0)


def _sample_s(run: Run) -> float:
    """Seconds to price a network. What an estimator takes for one is seen by then: reach has asked for two."""
    return SECONDS_PER_SAMPLE if isinstance(run.target, TimedTarget) else run.seconds().get("reach", 0.0) / 2


def _measured(run: Run) -> float:
    """How many networks are priced after the search, in samples."""
    beside, claim = run.config.beside, _claim(run)
    random = beside.random_at_equal_latency + beside.random_at_equal_cost
    sizes = 0 if beside.alone else 2 if run.config.training.weights else 1
    claims = DERIVE[1] + ALIKE[1] * random + 1 + sizes + random + beside.random
    return DERIVE[0] + NEAREST * sizes + ALIKE[0] * random + claim * claims


def _claim(run: Run) -> int:
    """How many samples a claim is worth."""
    return CLAIM if isinstance(run.target, TimedTarget) else 1


def _time_paths(run: Run, searching: Searching) -> tuple[float, int]:
    """The seconds of one path's training step, and the memory in bytes while the largest path, or all operators
    together, wait for their backward pass."""
    space, c = run.space, run.config
    rng, device = generator(c.seed, "plan"), searching.accelerator
    together = searching.needs.together
    make = _all_forward if together else _path_forward if searching.needs.shares else _network_forward
    forward = make(space, device)
    largest = moves.decode(space, require(space, Counted).costs().macs)
    seconds = pass_s(run, device, lambda images: forward(moves.sample(space, rng), images))
    images = next(train_batches(run.data, c.training.batch, c.seed, 0))[0].to(device)
    path_s = seconds / (int(space.offered.sum(1).max()) if together else 1)
    return path_s, _resident_while(lambda: forward(largest, images))


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


def _resident_while(forward: Callable[[], Tensor]) -> int:
    held = forward()  # keeps the graph, and with it all activations of a step
    resident = int(psutil.Process().memory_info().rss)
    del held
    return resident
