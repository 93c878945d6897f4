"""One search each at three limits: does the measured latency land within 3 % below?

python benchmarks/limits.py [--keep]
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from common import finish

from surgenas import api
from surgenas.cli.console import ConsoleProgress
from surgenas.runs import flow
from surgenas.runs.steps.derive import derive
from surgenas.runs.steps.predict import predict
from surgenas.runs.steps.profile import profile


def main() -> None:
    rows = []
    for i, share in enumerate((0.35, 0.5, 0.7)):
        with tempfile.TemporaryDirectory() as folder:
            run = api.create(data="digits", seed=i, epochs=6, out=Path(folder) / "run", progress=ConsoleProgress())
            reached, _ = flow.prepare(run)
            limit = share * reached["high_ms"]
            profile(run)
            predict(run)
            derive(run, limit)
            found = run.result("derive") or {}
        ms = found["measurement"]["ms"]
        rows.append(
            {
                "limit_ms": limit,
                "measured_ms": ms,
                "share_of_limit": ms / limit,
                "half_width": found["measurement"]["half_width"],
                "grade": found["measurement"]["grade"],
                "rounds": found["rounds"],
                "within_3_percent_below": 0.97 <= ms / limit <= 1.0,
            }
        )
    finish("limits", {"runs": rows})


if __name__ == "__main__":
    main()
