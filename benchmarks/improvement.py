"""Relative improvement of SurgeNAS, Single-Path and SPOS over random architectures (`surgenas bench ri`), results kept.

    python benchmarks/improvement.py [--seeds 2] [--random 2] --runs FOLDER [--keep]
    python benchmarks/improvement.py --data FOLDER --resolution 64 --every 8 --epochs 3 --train-epochs 8 --runs FOLDER

--every n: trains on every n-th image only. Cut off, the same command goes on.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from common import finish, thinned

from surgenas import api
from surgenas.cli.console import ConsoleProgress
from surgenas.report.lab_text import improvement_table

METHODS = ("surgenas", "single-path", "spos")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", default="digits")
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--resolution", type=int, default=0)
    parser.add_argument("--epochs", type=int, default=0)
    parser.add_argument("--train-epochs", type=int, default=0)
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--random", type=int, default=2)
    parser.add_argument("--runs", type=Path, required=True)
    parser.add_argument("--keep", action="store_true")
    args = parser.parse_args()
    data = thinned(args.data, args.every, args.runs / "images")
    settings = {name: getattr(args, name) for name in ("resolution", "epochs", "train_epochs")}
    found = api.improvement(args.runs, [data], METHODS, seeds=args.seeds, random=args.random, settings=settings,
                            progress=ConsoleProgress())  # fmt: skip
    print(improvement_table(found), file=sys.stderr)
    rows = {key: value for key, value in found.to_json().items() if key != "runs"}
    finish(f"improvement-{Path(data).name}", {**settings, "every": args.every, **rows})


if __name__ == "__main__":
    main()
