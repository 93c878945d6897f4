"""Do what the method asks for, until it is ready to propose."""

from __future__ import annotations

from surgenas.core.errors import UsageError
from surgenas.methods.base import Explains
from surgenas.runs.results import Searched
from surgenas.runs.run import Run
from surgenas.runs.searching import Searching


def search(run: Run) -> Searched:
    """Do all that the method's settings ask for. An interrupted search goes on from its last epoch or candidate."""
    search = Searching(run).go_on()
    done = len(run.journal.all("trial")) or len(run.journal.all("epoch"))
    if not done:
        raise UsageError(f"{run.config.method.name} ended before it judged or trained anything; see what --set takes")
    explained = search.explained() if isinstance(search, Explains) else None
    for model in explained.refused if explained else ():
        run.progress.log(f"not used: {model.refusal}")
    return Searched(done, explained)
