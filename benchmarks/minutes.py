"""What do the minutes buy that a search is given? Accuracy by time limit, and whether the time was foreseen.

    python benchmarks/minutes.py --data photos [--minutes 5 10 20] [--device roofline-example] [--latency 1ms]
        [--resolution 64] [--seeds 1] [--out FOLDER] [--name NAME] [--keep]

For each time limit `surgenas search` with everything else by default, which decides by itself how much of the time goes
into a search and how much into trainings. Beside it MobileNetV2 of its latency, trained for as many epochs. Of time:
what the plan said, what the run took, and the limit. --out: where the runs are kept; one that is there goes on.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import Any

from common import finish, whole_run

from surgenas.core.progress import Progress
from surgenas.core.units import parse_latency_ms
from surgenas.runs.names import FOUND, YARDSTICK
from surgenas.runs.results import Planned, Scheduled
from surgenas.runs.run import Run


def told(folder: Path) -> dict[str, Any]:
    """What a finished run took, and what came of it."""
    run = Run.open(folder, Progress())
    planned, scheduled = run.result(Planned), run.result(Scheduled)
    assert planned, "a finished run was planned"
    spent_s, limit_s = sum(run.seconds().values()), run.config.time_limit_s or 0.0
    return {
        "found": run.accuracy(FOUND), YARDSTICK: run.accuracy(YARDSTICK), "epochs of search": planned.epochs,
        "epochs of training": (scheduled or planned).train_epochs, "planned minutes": planned.total_s / 60,
        "minutes": spent_s / 60, "of the limit": spent_s / limit_s, "of the plan": spent_s / planned.total_s,
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True)
    parser.add_argument("--minutes", type=float, nargs="+", default=[5, 10, 20])
    parser.add_argument("--device", default="roofline-example")
    parser.add_argument("--latency", default="")
    for name, number in (("resolution", 0), ("seeds", 1)):
        parser.add_argument(f"--{name}", type=int, default=number)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--name", default="")
    parser.add_argument("--keep", action="store_true")
    args = parser.parse_args()
    latency_ms = parse_latency_ms(args.latency) if args.latency else None
    found: dict[str, list[dict[str, Any]]] = {}
    with tempfile.TemporaryDirectory() as name:
        for minutes in args.minutes:
            for seed in range(args.seeds):
                folder = (args.out or Path(name)) / f"{minutes:g}-{seed}"
                whole_run(
                    folder, data=args.data, device=args.device, latency_ms=latency_ms, resolution=args.resolution,
                    seed=seed, time_limit_s=60 * minutes,
                )  # fmt: skip
                found.setdefault(f"{minutes:g} minutes", []).append(told(folder))
    words = {key: getattr(args, key) for key in ("device", "latency", "resolution")}
    finish(f"minutes-{args.name or Path(args.data).name}", {**words, "by time limit": found})


if __name__ == "__main__":
    main()
