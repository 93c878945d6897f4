"""Does an accuracy predictor from a few trained networks make a search pay? On tables whose optimum is known, at equal
training epochs.

    python benchmarks/budgets.py --nasbench201 FOLDER --macro FILE.json [--seeds 20] [--keep]

FOLDER holds accuracy.csv.gz, FILE is nas-bench-macro_cifar10.json. On NAS-Bench-201 n networks are trained for 12
epochs (their validation accuracy steers), a predictor is fitted, and the three networks that it says are best of the
whole space are trained for 200: 12 n + 600 epochs. `halving` takes the three best of the n themselves, which costs the
same; `random` trains for 200 epochs as many as that pays for. Reported: the regret of the best of those trained for 200
epochs, in points of test accuracy. `spread`: the n are not random, but far apart, as `flash` draws them.
NAS-Bench-Macro has one length of training: n networks and the three predicted best are trained, the first of the
table's three trainings steers, and the mean of all three is reported; `random` trains n + 3, and there is no halving.
Supernet rankings are not compared: of those recorded here only the rank correlations were kept, no scores of networks.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from common import finish, spread

from surgenas.accuracy import USUAL
from surgenas.accuracy.base import make_accuracy_predictor, usable
from surgenas.accuracy.evaluate import choose
from surgenas.core.seeds import generator
from surgenas.core.significance import difference
from surgenas.core.space import Floats, Positions, Space
from surgenas.engine.tables import read_columns
from surgenas.engine.tabular import look_up_all
from surgenas.methods.blackbox import list_networks
from surgenas.methods.flash import POOL
from surgenas.methods.flash import spread as far_apart
from surgenas.predictors.evaluate import rank_correlations
from surgenas.spaces import make_space

SAMPLES = (10, 25, 50)
BEST = 3
SHORT, LONG = 12, 200


@dataclass(frozen=True, eq=False)
class World:
    """All N networks of a table. short, long: (N,), what a short training says, which steers, and what a long one says.
    reported: (N,). epochs: of each."""

    name: str
    space: Space
    short: Floats
    long: Floats
    reported: Floats
    epochs: tuple[int, int]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--nasbench201", type=Path, required=True)
    parser.add_argument("--macro", type=Path, required=True)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--keep", action="store_true")
    args = parser.parse_args()
    found = {}
    for world in worlds(args.nasbench201, args.macro):
        for samples in SAMPLES:
            rows = [search(world, samples, seed) for seed in range(args.seeds)]
            found[f"{world.name}, {samples}"] = told = tell(world, samples, rows)
            print(world.name, samples, {k: round(v["median"], 2) for k, v in told["regret"].items()}, file=sys.stderr)
    finish("budgets", {"seeds": args.seeds, "best": BEST, "cases": found})


def worlds(nasbench201: Path, macro: Path) -> list[World]:
    """The two data sets of NAS-Bench-201, and NAS-Bench-Macro."""
    found = []
    space = make_space("nasbench201", {})
    for data in ("c10", "c100"):
        names = [f"{data}_val_12ep", f"{data}_test_200ep"]
        table = read_columns(space, nasbench201 / "accuracy.csv.gz", names)
        short, long = (look_up_all(space, table, name) for name in names)
        found.append(World(f"nasbench201 {data}", space, short, long, long, (SHORT, LONG)))
    space = make_space("macro", {})
    mean = look_up_all(space, read_columns(space, macro, ["mean_acc"]), "mean_acc")
    first = first_trainings(macro, space)
    return [*found, World("macro", space, first, first, mean, (1, 1))]


def first_trainings(path: Path, space: Space) -> Floats:
    """(N,): the first of the three trainings of each network."""
    rows = json.loads(path.read_text())
    by_key = {space.canonical(space.parse(text)).key: float(row["test_acc"][0]) for text, row in rows.items()}
    return np.array([by_key[key] for key in list_networks(space).keys])


def search(world: World, samples: int, seed: int) -> dict[str, Any]:
    """The regret of each way, with the epochs that it took; the choice, and how each model ranks all networks."""
    rng = generator(seed, "budgets", world.name, samples)
    pool, count = list_networks(world.space), len(world.short)
    drawn = rng.permutation(count)
    random = drawn[:samples]
    places = {arch: i for i, arch in enumerate(pool.archs)}
    some = [pool.archs[i] for i in rng.permutation(count)[: POOL * samples]]
    apart = np.array([places[arch] for arch in far_apart(world.space, some, [], samples)])
    short, long = world.epochs
    epochs = samples * short + BEST * long
    regret = {"random": best_of(world, drawn[: epochs // long])}
    if short < long:
        regret["halving"] = best_of(world, best(world.short, BEST, random))
    ranks: dict[str, float] = {}
    models = {name: make_accuracy_predictor(name, world.space) for name in usable(USUAL, world.space)}
    chosen = ""
    for start, learned in (("", random), ("spread, ", apart)):
        model, explained = choose(models, [pool.archs[i] for i in learned], world.short[learned])
        for name, each in models.items():
            predicted = each.predict(pool.archs)
            regret[start + name] = after(world, predicted, learned, rng)
            if not start:
                ranks[name] = rank_correlations(predicted, world.reported)[1]
        regret[start + "chosen"] = regret[start + explained.chosen] if model else regret["random"]
        chosen = chosen or explained.chosen
    return {"regret": regret, "rank": ranks, "chosen": chosen, "epochs": epochs}


def after(world: World, predicted: Floats, learned: Positions, rng: np.random.Generator) -> float:
    """The regret after training the three predicted best for long. Networks of equal prediction come in any order. With
    one length of training, those learned from count too, and are not trained again."""
    same = world.epochs[0] == world.epochs[1]
    order = np.lexsort((rng.random(len(predicted)), -predicted))
    new = order[~np.isin(order, learned)] if same else order
    return best_of(world, np.concatenate([learned, new[:BEST]]) if same else new[:BEST])


def best(values: Floats, count: int, among: Positions) -> Positions:
    """The positions of the largest values among these."""
    return among[np.argsort(-values[among], kind="stable")[:count]]


def best_of(world: World, trained: Positions) -> float:
    """The regret of the network that the long training says is best of these."""
    return float(world.reported.max() - world.reported[best(world.long, 1, trained)[0]])


def tell(world: World, samples: int, rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Medians and ranges over seeds; whether each way differs from random by more than noise, in points of accuracy."""
    regret = {way: [row["regret"][way] for row in rows] for way in rows[0]["regret"]}
    names = [row["chosen"] or "none" for row in rows]
    return {
        "epochs": rows[0]["epochs"],
        "regret": {way: spread(values) for way, values in regret.items()},
        "better_than_random": {
            way: difference(regret["random"], values).tell().to_json() for way, values in regret.items()
        },
        "rank_of_all": {name: spread([row["rank"][name] for row in rows]) for name in rows[0]["rank"]},
        "chosen": {name: names.count(name) for name in sorted(set(names))},
    }


if __name__ == "__main__":
    main()
