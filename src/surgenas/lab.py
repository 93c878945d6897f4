"""The researcher's half: functions behind `surgenas bench` and `surgenas compare`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from surgenas.core.progress import Progress


def bench(
    space: str,
    table: str | Path,
    validation: str,
    test: str,
    *,
    out: str | Path = "bench",
    progress: Progress | None = None,
    **how: Any,
) -> dict[str, Any]:
    """Searches on a table of all of a space's networks: regret by queries, beside random search; in `out` what was
    found so far and a page.

    how: the other fields of `studies.bench.Bench`. Called again it goes on, and may add seeds and methods. Raises
    a SurgenasError that says what to do.
    """
    from surgenas.report.bench_page import write_bench_page
    from surgenas.spaces import make_space
    from surgenas.studies.bench import Bench, run_bench

    made = Bench(table=Path(table), validation=validation, test=test, **how)
    found = run_bench(make_space(space, {}), made, Path(out), progress or Progress())
    return found | {"report": str(write_bench_page(found, Path(out)))}


def improvement(
    out: str | Path, data: Sequence[str], methods: Sequence[str], *, progress: Progress | None = None, **how: Any
) -> dict[str, Any]:
    """Relative improvement over random architectures: whole runs in `out`, one for each data set, method and seed.

    how: `seeds`, `random`, and as `settings` the fields of RunConfig. Called again with the same, it goes on where it
    was cut off. Raises a SurgenasError that says what to do.
    """
    from surgenas.report.page import write_page
    from surgenas.studies.improvement import Protocol, run_protocol

    protocol = Protocol(data=tuple(data), methods=tuple(methods), **how)
    return run_protocol(protocol, Path(out), progress or Progress(), each=write_page)


def compare(runs: Sequence[str | Path], *, progress: Progress | None = None) -> dict[str, Any]:
    """Finished runs on the same images side by side, each against the most accurate; differences in percent points
    with their 95 % interval. Raises UsageError for runs that cannot be compared."""
    from surgenas.runs.run import Run
    from surgenas.studies.compare import side_by_side

    return side_by_side([Run.open(Path(run), progress or Progress()) for run in runs])
