"""At one latency: is a random network of a wide space, with layers left out, better than one of a narrow space?

    python benchmarks/widths.py --data photos [--latency 0.8] [--device roofline-example] [--sides 64 96]
        [--widths 1 0.5 0] [--layout small] [--epochs 60] [--seeds 3] [--name NAME] [--keep]

For each side of the images and each width: random networks of `mobile` whose estimated latency is at most 3 % below the
limit, with as few layers left out as reach it. Width 0: that for which the limit is half the latency of the largest.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from common import finish, spread

from surgenas.core import moves
from surgenas.core.architecture import Architecture
from surgenas.core.cost import Effort
from surgenas.core.progress import Progress
from surgenas.engine.jobs import job_of
from surgenas.hardware.devices import make_target
from surgenas.hardware.target import Target, all_costs
from surgenas.spaces.mobile import Mobile
from surgenas.tasks.classification import predict, share_right
from surgenas.tasks.data import Dataset, load_data
from surgenas.training.fabric import make_fabric
from surgenas.training.loop import Recipe, fit

BELOW = 0.97
"""A network's latency is at least so much of the limit."""
DRAWS = 60
"""Networks that are drawn at once."""


def latency_ms(target: Target, space: Mobile, archs: list[Architecture]) -> np.ndarray:
    """What the target says of these networks, (N,)."""
    jobs = [job_of(arch, space) for arch in archs]
    return np.array([cost.ms for cost in all_costs(target.price(jobs, Effort.LEARN, seed=0, progress=Progress()))])


def fitted(target: Target, make: Any, limit_ms: float) -> Mobile:
    """The space for which the limit is half the latency of the largest network."""
    spaces = [make(width=round(0.1 * 1.1**i, 3)) for i in range(32)]
    largest = [latency_ms(target, s, [moves.decode(s, s.costs().macs)])[0] for s in spaces]
    return spaces[int(np.argmin(np.abs(np.log(np.array(largest) / (2 * limit_ms)))))]


def drawn(target: Target, space: Mobile, limit_ms: float, seed: int) -> Architecture | None:
    """A random network just inside the limit: with as few layers left out as reach it; None if none does."""
    rng = np.random.default_rng(seed)
    for left_out in np.linspace(0, 0.95, 20):
        archs = [thin(space, moves.sample(space, rng), left_out, rng) for _ in range(DRAWS)]
        ms = latency_ms(target, space, archs)
        inside = np.flatnonzero((ms <= limit_ms) & (ms >= BELOW * limit_ms))
        if len(inside):
            return archs[int(inside[0])]
    return None


def thin(space: Mobile, arch: Architecture, left_out: float, rng: np.random.Generator) -> Architecture:
    """The network without this share of the layers that can be left out."""
    pairs = zip(space.choices, arch.genes, rng.random(len(arch.genes)), strict=True)
    return space.architecture(tuple("skip" if "skip" in c.options and u < left_out else g for c, g, u in pairs))


def accuracy(space: Mobile, arch: Architecture, data: Dataset, epochs: int, seed: int) -> float:
    """On the test part, in percent, after training from nothing."""
    weights = fit(make_fabric("cpu"), partial(space.build, arch), data, Recipe(epochs=epochs), seed=seed)
    network = space.build(arch)
    network.load_state_dict(weights)
    return 100 * share_right(predict(network, data, data.test).argmax(1), data.test.labels)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True)
    parser.add_argument("--latency", type=float, default=0.8, help="in ms")
    parser.add_argument("--device", default="roofline-example")
    parser.add_argument("--sides", type=int, nargs="+", default=[64, 96])
    parser.add_argument("--widths", type=float, nargs="+", default=[1.0, 0.5, 0.0])
    parser.add_argument("--layout", default="small")
    parser.add_argument("--epochs", type=int, default=60)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--name", default="")
    parser.add_argument("--keep", action="store_true")
    args = parser.parse_args()
    target, figures = make_target(args.device), dict[str, Any]()
    for side in args.sides:
        with tempfile.TemporaryDirectory() as cache:
            data = load_data(
                args.data, side, max_corrupt=0.0, cache=Path(cache) / "seen", progress=Progress(), flips="auto"
            )
        make = partial(Mobile, layout=args.layout, resolution=side, classes=len(data.classes))
        for width in args.widths:
            space = make(width=width) if width else fitted(target, make, args.latency)
            archs = [drawn(target, space, args.latency, seed) for seed in range(args.seeds)]
            known = [(seed, arch) for seed, arch in enumerate(archs) if arch]
            found = [accuracy(space, arch, data, args.epochs, seed) for seed, arch in known]
            skips = [sum(gene == "skip" for gene in arch.genes) for _, arch in known]
            print(side, space.width, skips, found, file=sys.stderr, flush=True)
            if found:
                figures[f"{side} px, channels x {space.width:g}"] = {"skips": skips, "accuracy": spread(found)}
    words = {key: getattr(args, key) for key in ("latency", "device", "layout", "epochs")}
    words |= {"images": len(data.train), "test images": len(data.test)}
    finish(f"widths-{args.name}" if args.name else "widths", {"data": Path(args.data).name, **words, "found": figures})


if __name__ == "__main__":
    main()
