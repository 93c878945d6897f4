"""Real images: imagenette at 64 px, half the latency of the largest network, beside MobileNetV2 and random networks
of equal latency.

    python benchmarks/imagenette.py --data FOLDER [--seeds N] [--epochs N] [--train-epochs N] [--time-limit 75m]
        [--out FOLDER] [--keep]

FOLDER holds train/ and val/; where it is missing the script says so and ends well.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from common import finish, spread, whole_run

from surgenas.cli.console import ConsoleProgress
from surgenas.core.units import parse_seconds
from surgenas.runs.results import Planned
from surgenas.runs.run import Run


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", required=True)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--train-epochs", type=int, default=7)
    parser.add_argument("--time-limit", default="75m")
    parser.add_argument("--out", type=Path, default=Path("runs/imagenette"))
    parser.add_argument("--keep", action="store_true")
    args = parser.parse_args()
    if not Path(args.data).is_dir():
        print(f"no images at {args.data}; skipped")
        return
    rows = []
    for seed in range(args.seeds):
        folder = args.out / str(seed)
        found = whole_run(
            folder, data=args.data, resolution=64, random_at_equal_latency=3, seed=seed, epochs=args.epochs,
            train_epochs=args.train_epochs, time_limit_s=parse_seconds(args.time_limit),
        ).to_json()  # fmt: skip
        planned = Run.open(folder, ConsoleProgress()).result(Planned)  # the time limit may have cut the epochs
        assert planned is not None, "a finished run has planned"
        kept = ("limit_ms", "latency", "accuracy", "yardsticks", "random_at_equal_latency", "seconds", "seed")
        epochs = {"epochs": planned.epochs, "train_epochs": planned.train_epochs}
        rows.append({key: found[key] for key in kept} | epochs)
    finish(
        "imagenette",
        {
            "found": spread([row["accuracy"]["test"] for row in rows]),
            "mobilenetv2": spread([row["yardsticks"][0]["accuracy"] for row in rows]),
            "random at equal latency": spread([r["accuracy"] for row in rows for r in row["random_at_equal_latency"]]),
            "seconds": spread([sum(row["seconds"].values()) for row in rows]),
            "runs": rows,
        },
    )


if __name__ == "__main__":
    main()
