"""The researcher's half: functions behind `surgenas bench` and `surgenas compare`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from surgenas.core.progress import Progress
from surgenas.pipeline.lab.improvement import Protocol, run_protocol


def improvement(
    out: str | Path, data: Sequence[str], methods: Sequence[str], *, progress: Progress | None = None, **how: Any
) -> dict[str, Any]:
    """Relative improvement over random architectures: whole runs in `out`, one for each data set, method and seed.

    how: `seeds`, `random`, and as `settings` the fields of RunConfig. Called again with the same, it goes on where it
    was cut off. Raises a SurgenasError that says what to do.
    """
    from surgenas.report.page import write_page

    protocol = Protocol(data=tuple(data), methods=tuple(methods), **how)
    return run_protocol(protocol, Path(out), progress or Progress(), each=write_page)
