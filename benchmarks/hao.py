"""Is it worth deciding network, bits and accelerator together?

    python benchmarks/hao.py [--data digits] [--resolution 16] [--device zu3eg] [--trials 30]
                             [--epochs 6] [--share .5] [--seeds 3] [--keep]

Three ways spend the same number of brief trainings inside the same limit, a share of what the largest network in 8 bits
takes: HAO; random networks all in 8 bits; and greedy, the best of half as many random networks in 8 bits of any
latency, whose layers then go to 4 bits one by one, that first which saves most. Told are the best accuracy on held-out
images at the limit and at shares of it, and the area under the front (accuracy by latency, the limit being 1). All is
modelled.
"""

from __future__ import annotations

import argparse
import tempfile
from collections import defaultdict
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from common import finish, spread

from surgenas.core import moves
from surgenas.core.architecture import Architecture
from surgenas.core.progress import Progress
from surgenas.core.seeds import generator
from surgenas.engine.base import drive
from surgenas.engine.here import Here
from surgenas.engine.jobs import job_of
from surgenas.hardware.devices import make_target
from surgenas.hardware.target import all_costs
from surgenas.methods.base import Problem
from surgenas.methods.hao import HAO
from surgenas.methods.inside import Inside
from surgenas.predictors.base import make_predictor
from surgenas.spaces.mobile_bits import MobileBits
from surgenas.tasks.data import Images, hold_out, load_data
from surgenas.training.loop import Recipe

LEARNED = 120
SHARES = (1.0, 0.8, 0.6, 0.4)
Point = tuple[float, float]
"""Milliseconds and accuracy of a candidate."""


class World:
    """What candidates cost and how good they are; both are asked for once."""

    def __init__(self, args: argparse.Namespace, seed: int, cache: Path) -> None:
        data = load_data(args.data, args.resolution, max_corrupt=0.0, cache=cache, progress=Progress())
        kept, aside = hold_out(data, 0.3, 2000, 0)
        self.space = MobileBits(resolution=args.resolution, classes=len(data.classes))
        self.target, recipe = make_target(args.device), Recipe(epochs=args.epochs, batch=32)
        self.engine = Here(Images(data, kept, aside), recipe, (recipe,), self.space, seed, target=self.target)
        self._ms: dict[str, float] = {}
        self.limit_ms = args.share * self.ms(moves.uniform_architecture(self.space, "k7e6w8"))

    def ms(self, arch: Architecture) -> float:
        if arch.key not in self._ms:
            self._ms[arch.key] = all_costs(self.target.price([job_of(arch, self.space)]))[0].ms
        return self._ms[arch.key]

    @cached_property
    def inside(self) -> Inside:
        """As predicted from LEARNED networks: sizing an accelerator for each network that is looked at takes hours."""
        drawn = moves.sample_many(self.space, LEARNED, generator(0, "learned"))
        model = make_predictor("process", self.space.costs(), 0)
        model.fit(moves.encode(self.space, drawn), np.array([self.ms(arch) for arch in drawn]))
        return Inside(self.space, model, lambda: self.limit_ms)

    def in_eight_bits(self, rng: np.random.Generator) -> Architecture:
        genes = moves.sample(self.space, rng).genes
        return self.space.architecture(tuple(gene.replace("w4", "w8") for gene in genes))

    def point(self, arch: Architecture) -> Point:
        return self.ms(arch), self.engine.judge(arch, 0)


def together(world: World, trials: int, seed: int) -> list[Point]:
    search = HAO(trials=trials).begin(Problem(world.space, world.limit_ms, seed, feasible=world.inside))
    for _ in drive(search, world.engine):
        print(".", end="", flush=True)
    return [(world.ms(trial.arch), trial.score) for trial in search.history]


def by_chance(world: World, trials: int, seed: int) -> list[Point]:
    rng, found = generator(seed, "chance"), []
    while len(found) < trials:
        arch = world.in_eight_bits(rng)
        if world.ms(arch) <= world.limit_ms:
            found.append(world.point(arch))
    return found


def greedily(world: World, trials: int, seed: int) -> list[Point]:
    rng = generator(seed, "greedy")
    tried = [(arch, world.point(arch)) for arch in (world.in_eight_bits(rng) for _ in range(trials // 2))]
    arch, _ = max(tried, key=lambda pair: pair[1][1])
    found = [point for _, point in tried]
    while len(found) < trials and (lower := _lower(world, arch)):
        arch = min(lower, key=world.ms)
        found.append(world.point(arch))
    return [point for point in found if point[0] <= world.limit_ms]


def _lower(world: World, arch: Architecture) -> list[Architecture]:
    """The networks with one more layer in 4 bits."""
    genes = arch.genes
    places = [i for i, gene in enumerate(genes) if gene.endswith("w8")]
    return [world.space.architecture((*genes[:i], genes[i].replace("w8", "w4"), *genes[i + 1 :])) for i in places]


WAYS: dict[str, Callable[[World, int, int], list[Point]]] = {
    "HAO": together, "random, 8 bits": by_chance, "greedy": greedily,
}  # fmt: skip


def front(points: Sequence[Point], limit_ms: float) -> dict[str, float]:
    """The best accuracy inside shares of the limit (0 if nothing is), and the area under it from 0 to the limit."""
    ordered = sorted(points)
    best = np.maximum.accumulate([accuracy for _, accuracy in ordered]) if ordered else np.zeros(0)
    edges = [ms / limit_ms for ms, _ in ordered] + [1.0]
    told = {
        f"best at {share:.0%}": max((a for ms, a in points if ms <= share * limit_ms), default=0.0) for share in SHARES
    }
    return {**told, "area": float((np.diff(edges) * best).sum()), "inside": float(len(points))}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", default="digits")
    parser.add_argument("--device", default="zu3eg")
    parser.add_argument("--share", type=float, default=0.5)
    for name, default in (("resolution", 16), ("trials", 30), ("epochs", 6), ("seeds", 3)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--keep", action="store_true")
    args = parser.parse_args()
    rows: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    with tempfile.TemporaryDirectory() as cache:
        for seed in range(args.seeds):
            for name, way in WAYS.items():
                world = World(args, seed, Path(cache))
                for key, value in front(way(world, args.trials, seed), world.limit_ms).items():
                    rows[name][key].append(value)
                print(seed, name, {key: values[-1] for key, values in rows[name].items()}, flush=True)
    asked = {
        name: getattr(args, name) for name in ("data", "device", "share", "resolution", "trials", "epochs", "seeds")
    }
    found: dict[str, Any] = {name: {key: spread(v) for key, v in kept.items()} for name, kept in rows.items()}
    finish(f"hao-{Path(args.data).name}", {**asked, "by way": found})


if __name__ == "__main__":
    main()
