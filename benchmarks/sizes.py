"""Wide networks on small images, or narrow ones on large images? Trained alike, at equal MACs.

    python benchmarks/sizes.py --data photos [--macs 3e6] [--sides 24 32 48 64 96] [--epochs 24] [--seeds 3]
        [--every 12] [--name NAME] [--keep]

Each side has the width at which k3e3 everywhere, on the layout `small`, is nearest to the MACs. every: after so many
epochs the test part is looked at too, to see when it could be told which size will be best.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from common import finish, spread

from surgenas.core.moves import uniform_architecture
from surgenas.core.progress import Progress
from surgenas.spaces.compound_costs import chain_cost
from surgenas.spaces.mobile import OPERATORS, Mobile
from surgenas.tasks.classification import predict, share_right
from surgenas.tasks.data import Dataset, load_data
from surgenas.training.fabric import make_fabric
from surgenas.training.loop import Recipe, fit

OPERATOR = "k3e3"
WIDTHS = [0.1 + 0.025 * i for i in range(100)]


@dataclass
class Looking:
    """A store that keeps nothing, but looks how good the averaged weights are by then. seen: accuracy by epoch."""

    accuracy: Callable[[dict[str, Any]], float]
    every: int
    seen: dict[int, float] = field(default_factory=dict)

    def load(self) -> None:
        return None

    def save(self, number: int, state: dict[str, Any]) -> None:
        if number % self.every == 0:
            self.seen[number] = self.accuracy(state["average"])


def accuracy(space: Mobile, data: Dataset, weights: dict[str, Any]) -> float:
    """Of these weights on the test part, in percent."""
    network = space.build(uniform_architecture(space, OPERATOR))
    network.load_state_dict(weights)
    return 100 * share_right(predict(network, data, data.test).argmax(1), data.test.labels)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True)
    parser.add_argument("--macs", type=float, default=3e6)
    parser.add_argument("--sides", type=int, nargs="+", default=[24, 32, 48, 64, 96])
    for name, number in (("epochs", 24), ("seeds", 3), ("every", 0)):
        parser.add_argument(f"--{name}", type=int, default=number)
    parser.add_argument("--name", default="")
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
        looks = [Looking(partial(accuracy, space, data), args.every or args.epochs) for _ in range(args.seeds)]
        for seed, look in enumerate(looks):
            build = partial(space.build, uniform_architecture(space, OPERATOR))
            fit(make_fabric("cpu"), build, data, Recipe(epochs=args.epochs), seed=seed, checkpoints=look)
        by_epoch = {epoch: spread([look.seen[epoch] for look in looks]) for epoch in looks[0].seen}
        figures[f"{side} px"] = {"width": width, "macs": macs, "accuracy": by_epoch.pop(args.epochs), "after": by_epoch}
        print(side, round(width, 3), [look.seen for look in looks], file=sys.stderr, flush=True)
    words = {"epochs": args.epochs, "images": len(data.train), "test images": len(data.test)}
    name = f"sizes-{args.name}" if args.name else "sizes"
    finish(name, {"data": Path(args.data).name, **words, "sides": figures})


if __name__ == "__main__":
    main()
