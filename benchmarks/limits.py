"""One search each at three limits: does the measured latency land within 3 % below?

python benchmarks/limits.py [--keep]
"""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path

from common import finish

from surgenas import api
from surgenas.cli.console import ConsoleProgress
from surgenas.hardware.timed.measurement import Measurement
from surgenas.runs import flow
from surgenas.runs.steps.derive import derive


def main() -> None:
    rows = []
    for i, share in enumerate((0.35, 0.5, 0.7)):
        with tempfile.TemporaryDirectory() as folder:
            run = api.create(data="digits", seed=i, epochs=6, out=Path(folder) / "run", progress=ConsoleProgress())
            reached, _ = flow.prepare(run)
            limit = share * reached.high_ms
            run.record("reach", replace(reached, limit_ms=limit))
            flow.measure_profile(run)
            flow.fit_predictor(run)
            found = derive(run)
        cost = found.cost
        assert isinstance(cost, Measurement), "it was timed"
        rows.append(
            {
                "limit_ms": limit,
                "measured_ms": cost.ms,
                "share_of_limit": cost.ms / limit,
                "half_width": cost.half_width,
                "grade": cost.grade,
                "rounds": found.rounds,
                "within_3_percent_below": 0.97 <= cost.ms / limit <= 1.0,
            }
        )
    finish("limits", {"runs": rows})


if __name__ == "__main__":
    main()
