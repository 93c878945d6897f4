"""How long are the trainings, once all before them is done? As long as the time limit then allows."""

from __future__ import annotations

import torch

from surgenas.core.architecture import Architecture
from surgenas.engine.jobs import network_of
from surgenas.nn.quick import quicken
from surgenas.runs.allotment import USED, fitting
from surgenas.runs.limit import time_limit_s
from surgenas.runs.names import FOUND, is_as_long
from surgenas.runs.pace import UPDATE, pass_s, pricing_left
from surgenas.runs.results import Planned, Scheduled
from surgenas.runs.run import Run
from surgenas.runs.searching import Searching
from surgenas.runs.total_cost import FORWARD_ALONE
from surgenas.runs.training import LEAST_EPOCHS, wanted_epochs
from surgenas.training.augment import steps_per_epoch


def schedule(run: Run) -> Scheduled | None:
    """Epochs of all final trainings: all that are wanted if the run goes on without its limit. None for a run that was
    begun without one, and where trainings have begun in the search or go on side by side."""
    limit, planned, searching = time_limit_s(run), run.result(Planned), Searching(run)
    begun_with = run.config.time_limit_s is not None
    if not begun_with or planned is None or searching.needs.goes_on or run.workforce.cluster is not None:
        return None
    archs = {FOUND: run.derived.architecture, **run.rivals.architectures}
    seconds = sum(_pass_s(run, arch, searching.accelerator) for arch in archs.values())
    batch = run.config.training.batch
    epoch_s = steps_per_epoch(run.data, batch) * seconds * UPDATE
    test_s = FORWARD_ALONE * len(run.data.test) / batch * seconds
    if limit is None:
        return Scheduled(wanted_epochs(run), epoch_s / len(archs))
    spent = run.seconds()
    search_s = spent.get("search", 0.0) * sum(map(is_as_long, archs))
    left_s = USED * limit - sum(spent.values()) - pricing_left(run, planned) - search_s - test_s
    return Scheduled(fitting(left_s, epoch_s, LEAST_EPOCHS, wanted_epochs(run)), epoch_s / len(archs))


def _pass_s(run: Run, arch: Architecture, device: torch.device) -> float:
    """Of networks of one latency, some take half as long again to train as others."""
    network = quicken(network_of(arch, run.space)).to(device)
    return pass_s(run, device, network.to(memory_format=torch.channels_last))
