"""Is an adapted network better than what a user would pick instead, at equal latency and equal fine-tuning?

    python benchmarks/adapt.py NETWORK WEIGHTS DATA [--every N] [--resolution R] [--shares .7 .5 .35] [--seeds N]
                               [--method NAME] [--device D] [--epochs N] [--train-epochs N] [--as-long] [--out FOLDER]
                               [--keep]

For each seed and each share of the whole network's latency: `surgenas adapt`, beside the whole network on smaller
images, the same narrower everywhere, random versions, and the found one from nothing. Accuracies are of the test part.
--every: only each N-th image to learn from. --device: an estimated one lets runs go side by side. --as-long: smaller
images and a random version once more, fine-tuned for as long as all of the found one took. --out: where the runs are
kept; one that is there goes on.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
from collections import defaultdict
from itertools import chain
from pathlib import Path
from typing import Any

from common import finish, spread, thinned, whole_run

from surgenas import api
from surgenas.api import adapting
from surgenas.cli.console import ConsoleProgress
from surgenas.runs.summary import Summary

RANDOM = 1
"""How many random versions of equal latency are trained beside each found one."""


def accuracies(summary: Summary) -> dict[str, float]:
    """By kind of network: accuracy, and latency over the found one's."""
    found: dict[str, float] = {"adapted": summary.accuracy.test or 0.0}
    for n in summary.beside:
        name = n.name.removesuffix(" 1")  # of random ones there is one of each kind
        if n.accuracy is not None and n.to_found is not None:
            found |= {name: n.accuracy, f"{name}, latency / adapted": n.to_found.ratio}
    return found


def main() -> None:
    parser = argparse.ArgumentParser()
    for name in ("network", "weights", "data"):
        parser.add_argument(name)
    for name, default in (("--every", 1), ("--resolution", 0), ("--seeds", 3), ("--epochs", 0), ("--train-epochs", 0)):
        parser.add_argument(name, type=int, default=default)
    parser.add_argument("--shares", type=float, nargs="+", default=[0.7, 0.5, 0.35])
    parser.add_argument("--method", default="netadaptv2")
    parser.add_argument("--device", default="")
    parser.add_argument("--out", type=Path)
    for name in ("--as-long", "--keep"):
        parser.add_argument(name, action="store_true")
    args = parser.parse_args()
    rows: dict[str, list[dict[str, Any]]] = defaultdict(list)
    with tempfile.TemporaryDirectory() as name:
        out = args.out or Path(name) / "runs"
        data = thinned(args.data, args.every, Path(name) / "thinned") if args.every > 1 else args.data
        words = {"weights": args.weights, "data": data, "method": args.method, "epochs": args.epochs,
                 "train_epochs": args.train_epochs, "random_at_equal_latency": RANDOM,
                 "random_at_equal_cost": int(args.as_long)}  # fmt: skip
        words |= {"device": args.device} if args.device else {}
        if args.resolution:
            words["resolution"] = args.resolution
        for seed in range(args.seeds):
            said = adapting(args.network, {**words, "seed": seed})
            _, whole_ms = api.dry_run(progress=ConsoleProgress(), **said).reachable_ms
            for share in args.shares:
                summary = whole_run(out / f"{seed}-{share}", latency_ms=share * whole_ms, **said)
                seconds = sum(summary.seconds.values())
                rows[f"{share:.0%}"].append({**accuracies(summary), "seconds": seconds})
    settings = {key: getattr(args, key) for key in ("network", "device", "every", "resolution", "seeds", "method")}
    figures = {
        share: {key: spread([row[key] for row in found if key in row]) for key in dict.fromkeys(chain(*found))}
        for share, found in rows.items()
    }
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    finish(f"adapt-{Path(args.data).name}", {**settings, "by share of the limit": figures, "peak_GiB": peak})


if __name__ == "__main__":
    main()
