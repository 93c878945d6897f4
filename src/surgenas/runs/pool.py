"""What does every operator of a space's pool cost in every layer? Each is priced alone; a selection is made of that."""

from __future__ import annotations

from functools import partial

import numpy as np

from surgenas.core.capabilities import Selectable
from surgenas.core.cost import Effort, Failure
from surgenas.core.errors import UsageError
from surgenas.core.progress import Progress
from surgenas.hardware.target import Job, Target
from surgenas.methods.selection import OperatorCosts, Selection
from surgenas.runs.results import OperatorRow


def operator_costs(space: Selectable, target: Target, *, seed: int, progress: Progress) -> OperatorCosts:
    """MACs, parameters and latency of every operator in every layer; a latency that cannot be measured is NaN.

    Layers that stand in the same place share latencies, whose operators are measured together. What is too noisy is
    measured a second time. Raises UsageError if layers have different operators to choose from.
    """
    counted, names = space.costs(), space.choices[0].options
    if any(choice.options != names for choice in space.choices):
        raise UsageError("this space's layers choose among different operators already; select from the whole pool")
    by_place: dict[str, list[float]] = {}
    for layer in range(len(space.choices)):
        place = space.layer_place(layer)
        if place not in by_place:
            jobs = [_job(space, layer, name) for name in names]
            found = {c.key: c for c in target.price(jobs, seed=seed, reuse=True, progress=progress)}
            noisy = [job for job in jobs if not isinstance(c := found[job.key], Failure) and not c.is_usable]
            found |= {c.key: c for c in target.price(noisy, Effort.PATIENT, seed=seed, progress=progress)}
            by_place[place] = [np.nan if isinstance(c := found[job.key], Failure) else c.ms for job in jobs]
    latency_ms = np.array([by_place[space.layer_place(layer)] for layer in range(len(space.choices))])
    return OperatorCosts(names, counted.macs, counted.params, latency_ms)


def describe_selection(costs: OperatorCosts, found: Selection) -> tuple[OperatorRow, ...]:
    """A row for each operator, the highest score first."""
    relative = costs.latency_ms / np.nanmedian(costs.latency_ms, axis=1, keepdims=True)
    kept = {name for names in found.kept for name in names}
    rows = [
        OperatorRow(
            name, _mean(found.capacity[:, o]), _mean(relative[:, o]), _mean(found.score[:, o]), name in kept,
            _why(name, found, kept),
        )
        for o, name in enumerate(costs.names)
    ]  # fmt: skip
    return tuple(sorted(rows, key=lambda row: -(row.score or 0.0)))


def _why(name: str, found: Selection, kept: set[str]) -> str:
    if name in found.impossible:
        return "the device cannot run it"
    if name in found.dominated:
        return f"{found.dominated[name]} is as large and as fast everywhere"
    return "" if name in kept else "its score"


def _mean(values: np.ndarray) -> float | None:
    return float(values.mean()) if np.isfinite(values).all() else None


def _job(space: Selectable, layer: int, name: str) -> Job:
    key = f"{getattr(space, 'name', '')}/{name}/{space.layer_place(layer)}"
    return Job(key, partial(space.layer, layer, name), space.layer_input(layer))
