"""Latencies of a device of which only a table tells: how well they can be predicted, and what others would take."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from surgenas.core.progress import Progress

if TYPE_CHECKING:
    from surgenas.studies.answer import Answers
    from surgenas.studies.contest import Standings


def predict_table(
    space: str, table: str | Path, columns: Sequence[str] = (), *, progress: Progress | None = None, **settings: Any
) -> Standings:
    """Judge latency predictors on a published table. settings: other fields of `studies.contest.Contest`."""
    from surgenas.spaces import make_space
    from surgenas.studies.contest import Contest, run_contest

    made = make_space(space, {})
    return run_contest(made, Contest(Path(table), tuple(columns), **settings), progress or Progress())


def answer(
    space: str, table: str | Path, ask: str | Path, out: str | Path, columns: Sequence[str] = (), *,
    progress: Progress | None = None, **settings: Any,
) -> Answers:  # fmt: skip
    """Learn from all rows of a table, and write to `out` the latencies of the architectures that the table `ask` has in
    its column `arch`. settings: other fields of `studies.contest.Contest`."""
    from surgenas.spaces import make_space
    from surgenas.studies.answer import answer as study
    from surgenas.studies.contest import Contest

    contest = Contest(Path(table), tuple(columns), **settings)
    return study(make_space(space, {}), contest, Path(ask), Path(out), progress or Progress())
