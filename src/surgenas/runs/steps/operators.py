"""Which operators suit this device? The whole pool is measured in every layer (HURRICANE)."""

from __future__ import annotations

from surgenas.core.capabilities import Selectable
from surgenas.core.errors import UsageError
from surgenas.methods.selection import select
from surgenas.runs.limit import Timely
from surgenas.runs.pool import describe_selection, operator_costs
from surgenas.runs.results import Selected
from surgenas.runs.run import Run


def choose_operators(run: Run) -> Selected | None:
    """Select operators for the device, before anything else is measured.

    None if the method does not want it, or if the space has no pool or is already a selection from it. Raises
    UsageError if more operators are to be kept than there are.
    """
    space = run.make_space()
    choice = run.asked_method.needs(space).operators
    if choice is None or not isinstance(space, Selectable) or space.pool:
        return None
    pool = len(space.choices[0].options)
    if choice.keep > pool:
        raise UsageError(f"--set keep={choice.keep}: expected 1 to {pool}, the size of the pool of {space.name}")
    if choice.keep == pool:
        return None
    costs = operator_costs(space, run.target, seed=run.config.seed, progress=Timely(run))
    found = select(costs, choice)
    run.progress.log(f"operators for {run.target.name}: {found.pool} of {len(costs.names)}")
    for name in found.impossible:
        run.progress.log(f"{run.target.name} cannot run {name} everywhere: it is left out")
    return Selected(found.pool, describe_selection(costs, found))
