"""Which operators does this device like? The whole pool, measured wherever a layer could take it (HURRICANE)."""

from __future__ import annotations

from typing import Any

import numpy as np

from surgenas.core.errors import UsageError
from surgenas.core.progress import Progress
from surgenas.core.cost import Failure
from surgenas.hardware.target import Effort, Job, Target
from surgenas.methods.selection import OperatorCosts, Selection, select
from surgenas.runs.run import Run
from surgenas.runs.steps.search import method_class, method_config
from surgenas.spaces.mobile import Slot
from surgenas.spaces.operators import Operators


def choose_operators(run: Run) -> None:
    """For a method that selects, in a space not yet selected for a device; before anything else is measured."""
    space = run.make_space()
    if not method_class(run).selects or not isinstance(space, Operators) or space.pool:
        return
    config: Any = method_config(run)
    pool = len(space.choices[0].options)
    if config.keep > pool:
        raise UsageError(f"--set keep={config.keep}: expected 1 to {pool}, the size of the pool of {space.name}")
    if run.result("operators") is not None or config.keep == pool:
        return
    with run.stage("operators") as result:
        costs = operator_costs(space, run.target, seed=run.config.seed, progress=run.progress)
        found = select(costs, keep=config.keep, b=config.b, per_layer=config.per_layer)
        result |= {"pool": found.pool, **described(costs, found)}
        run.progress.log(f"operators for {run.target.name}: {found.pool} of {len(costs.names)}")
        for name in found.impossible:
            run.progress.log(f"{run.target.name} cannot run {name} everywhere: it is left out")


def operator_costs(space: Operators, target: Target, *, seed: int, progress: Progress) -> OperatorCosts:
    """Every operator at every layer; those of one place are measured in turns, in one campaign. Latencies that cannot
    be measured are NaN."""
    counted, names = space.costs(), space.choices[0].options
    if any(choice.options != names for choice in space.choices):
        raise UsageError("this space's layers choose among different operators already; select from the whole pool")
    by_place: dict[tuple[int, ...], list[float]] = {}
    for slot in space.slots:
        if _place(slot) not in by_place:
            jobs = [_job(space, name, slot) for name in names]
            found = {c.key: c for c in target.price(jobs, seed=seed, reuse=True, progress=progress)}
            noisy = [job for job in jobs if not isinstance(c := found[job.key], Failure) and not c.is_usable]
            found |= {c.key: c for c in target.price(noisy, Effort.PATIENT, seed=seed, progress=progress)}
            by_place[_place(slot)] = [np.nan if isinstance(c := found[job.key], Failure) else c.ms for job in jobs]
    latency_ms = np.array([by_place[_place(slot)] for slot in space.slots])
    return OperatorCosts(names, counted.macs, counted.params, latency_ms)


def described(costs: OperatorCosts, found: Selection) -> dict[str, Any]:
    """What tables and drawings show, a row for each operator: means over layers, latency over the layer's median."""
    relative = costs.latency_ms / np.nanmedian(costs.latency_ms, axis=1, keepdims=True)
    kept = {name for names in found.kept for name in names}
    rows = [
        {
            "operator": name,
            "capacity": _mean(found.capacity[:, o]),
            "latency": _mean(relative[:, o]),
            "score": _mean(found.score[:, o]),
            "kept": name in kept,
            "why": _why(name, found, kept),
        }
        for o, name in enumerate(costs.names)
    ]
    return {"operators": sorted(rows, key=lambda row: -(row["score"] or 0.0))}


def _why(name: str, found: Selection, kept: set[str]) -> str:
    if name in found.impossible:
        return "the device cannot run it"
    if name in found.dominated:
        return f"{found.dominated[name]} is as large and as fast everywhere"
    return "" if name in kept else "its score"


def _mean(values: np.ndarray) -> float | None:
    return float(values.mean()) if np.isfinite(values).all() else None


def _place(slot: Slot) -> tuple[int, ...]:
    return slot.cin, slot.cout, slot.stride, slot.size


def _job(space: Operators, name: str, slot: Slot) -> Job:
    key = f"{space.name}/{name}/{'relu6' if space.layout.relu6 else 'relu'}/{'-'.join(map(str, _place(slot)))}"
    return Job(key, lambda: space.operator(name, slot), (slot.cin, slot.size, slot.size))
