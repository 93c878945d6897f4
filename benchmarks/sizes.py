"""Wide networks on small images, or narrow ones on large images? Trained alike, at equal MACs.

    python benchmarks/sizes.py --data photos [--macs 3e6] [--sides 24 32 48 64 96] [--epochs 24] [--seeds 3] [--keep]

Each side has the width at which k3e3 everywhere, on the layout `small`, is nearest to the MACs.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from typing import Any

from common import finish, spread

from surgenas.core.moves import uniform_architecture
from surgenas.core.progress import Progress
from surgenas.spaces.compound_costs import chain_cost
from surgenas.spaces.mobile import OPERATORS, Mobile
from surgenas.tasks.classification import predict, share_right
from surgenas.tasks.data import load_data
from surgenas.training.fabric import make_fabric
from surgenas.training.loop import Recipe, fit

OPERATOR = "k3e3"
WIDTHS = [0.1 + 0.025 * i for i in range(100)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True)
    parser.add_argument("--macs", type=float, default=3e6)
    parser.add_argument("--sides", type=int, nargs="+", default=[24, 32, 48, 64, 96])
    for name, number in (("epochs", 24), ("seeds", 3)):
        parser.add_argument(f"--{name}", type=int, default=number)
    parser.add_argument("--keep", action="store_true")
    args = parser.parse_args()
    figures: dict[str, Any] = {}
    for side in args.sides:
        with tempfile.TemporaryDirectory() as cache:
            data = load_data(
                args.data, side, max_corrupt=0.0, cache=Path(cache) / "seen", progress=Progress(), flips="auto"
            )
        chains = [Mobile(layout="small", resolution=side, width=w, classes=len(data.classes)) for w in WIDTHS]
        macs, width, space = min(
            ((chain_cost(c, OPERATORS[OPERATOR])[0], c.width, c) for c in chains),
            key=lambda row: abs(row[0] - args.macs),
        )
        found = []
        for seed in range(args.seeds):
            weights = fit(
                make_fabric("cpu"), lambda space=space: space.build(uniform_architecture(space, OPERATOR)), data,
                Recipe(epochs=args.epochs), seed=seed,
            )  # fmt: skip
            network = space.build(uniform_architecture(space, OPERATOR))
            network.load_state_dict(weights)
            found.append(100 * share_right(predict(network, data, data.test).argmax(1), data.test.labels))
        figures[f"{side} px"] = {"width": width, "macs": macs, "accuracy": spread(found)}
        print(side, round(width, 3), found, file=sys.stderr, flush=True)
    words = {"epochs": args.epochs, "images": len(data.train), "test images": len(data.test)}
    finish("sizes", {"data": Path(args.data).name, **words, "sides": figures})


if __name__ == "__main__":
    main()
