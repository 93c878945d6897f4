"""How well could latency be predicted from public tables at all? Their noise, from the tables alone.

    python benchmarks/ceilings.py --nasbench201 latency.csv.gz --fbnet latency.csv.gz [--keep]

NAS-Bench-201: with nothing between the two middle nodes of a cell, these may trade places and it is the same graph,
measured twice. The correlation of two measurements is the square of what a perfect predictor would have with one.
FBNet has no such pairs. But its rows are in no order of architecture, so if neighbouring rows err alike, the device
drifted while it was measured; `drift_known` is what predictions would reach if the drift, which no predictor can know
from an architecture, were: the median error of the two rows before and the two after is added.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
from common import finish
from scipy import stats
from sklearn.model_selection import KFold

from surgenas.core.capabilities import Counted, require
from surgenas.core.space import Floats
from surgenas.engine.tables import Table, read_table
from surgenas.predictors.base import make_predictor
from surgenas.spaces import make_space

TRAIN, DRAWS, RESAMPLES, FOLDS, NEAR = 900, 5, 1_000, 5, (-2, -1, 1, 2)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--nasbench201", type=Path, required=True)
    parser.add_argument("--fbnet", type=Path, required=True)
    parser.add_argument("--keep", action="store_true")
    args = parser.parse_args()
    cells, chains = (read_table(make_space(name, {}), getattr(args, name)) for name in ("nasbench201", "fbnet"))
    found = {"nasbench201": twice_measured(cells), "fbnet": drifted(chains)}
    for row in (*found["nasbench201"], *found["fbnet"]):
        print(row)
    finish("ceilings", found)


def twice_measured(table: Table) -> list[dict[str, Any]]:
    """For each device: the ceiling with its 95 % interval, and what `process` reaches on the same cells from 900."""
    costs = require(table.space, Counted).costs()
    at = {arch.genes: i for i, arch in enumerate(table.archs)}
    swapped = [at[(b, a, between, d, f, e)] for a, b, between, d, e, f in (arch.genes for arch in table.archs)]
    pairs_P2 = np.array([(i, j) for i, j in enumerate(swapped) if i < j and table.archs[i].genes[2] == "none"])
    rows = []
    for column in table.columns:
        ms_N, rng = table.of(column), np.random.default_rng(0)
        sides = rng.permuted(ms_N[pairs_P2], axis=1)  # which of the two comes first says nothing
        again = [reliability(sides[rng.integers(len(sides), size=len(sides))]) for _ in range(RESAMPLES)]
        reached = []
        for _ in range(DRAWS):
            train = rng.choice(len(table), TRAIN, replace=False)
            test = np.setdiff1d(pairs_P2, train)
            predictor = make_predictor("process", costs, 0).fit(table.code[train], ms_N[train])
            reached.append(spearman(predictor.predict(table.code[test]), ms_N[test]))
        low, high = np.quantile(np.sqrt(again), (0.025, 0.975))
        rows.append({"column": column, "pairs": len(sides), "ceiling": np.sqrt(reliability(sides)), "low": low,
                     "high": high, "process": np.median(reached)})  # fmt: skip
    return rows


def drifted(table: Table) -> list[dict[str, Any]]:
    """For each device: held-out predictions of `ridge` and what is left of them, in the order of the table."""
    costs, operators_NL = require(table.space, Counted).costs(), table.code.argmax(2)
    alike = {"neighbours": float((operators_NL[1:] == operators_NL[:-1]).mean()),
             "any": float((operators_NL == np.random.default_rng(0).permutation(operators_NL)).mean())}  # fmt: skip
    rows = []
    for column in table.columns:
        ms_N = table.of(column)
        predicted_N = np.empty_like(ms_N)
        for train, test in KFold(FOLDS, shuffle=True, random_state=0).split(ms_N):
            predictor = make_predictor("ridge", costs, 0).fit(table.code[train], ms_N[train])
            predicted_N[test] = predictor.predict(table.code[test])
        errors_N = ms_N - predicted_N
        inner = slice(max(NEAR), -max(NEAR))
        drift = np.median([np.roll(errors_N, -step)[inner] for step in NEAR], axis=0)
        rows.append({
            "column": column,
            "same_operators": alike,
            "neighbours_err_alike": spearman(errors_N[1:], errors_N[:-1]),
            "ridge": spearman(predicted_N[inner], ms_N[inner]),
            "drift_known": spearman(predicted_N[inner] + drift, ms_N[inner]),
        })  # fmt: skip
    return rows


def reliability(sides_P2: Floats) -> float:
    return spearman(sides_P2[:, 0], sides_P2[:, 1])


def spearman(x: Floats, y: Floats) -> float:
    return float(stats.spearmanr(x, y).statistic)


if __name__ == "__main__":
    main()
