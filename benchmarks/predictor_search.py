"""Which predictor makes a search land at its limit? The same searches with each, at three limits, over seeds.

python benchmarks/predictor_search.py [--seeds 3] [--predictor process ...] [--keep]

`mode`: the most probable architecture when the search ends. `picked`: the most probable one that the predictor puts
just below the limit, which is what a run measures first. Both are measured as a claim is; off = |measured / limit - 1|.
"""

from __future__ import annotations

import argparse
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

from common import finish, spread

from surgenas import api
from surgenas.cli.console import ConsoleProgress
from surgenas.core import moves
from surgenas.core.architecture import Architecture
from surgenas.core.cost import Effort
from surgenas.core.seeds import generator
from surgenas.core.space import Floats
from surgenas.methods.constrained import find_most_probable
from surgenas.runs import flow
from surgenas.runs.measured import fitted_predictor, measure
from surgenas.runs.run import Run
from surgenas.runs.searching import Searching

SHARES = (0.35, 0.5, 0.7)
PREDICTORS = ("process", "gnn", "lookup", "mlp", "flops")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--predictor", action="append")
    parser.add_argument("--keep", action="store_true")
    args = parser.parse_args()
    names = args.predictor or PREDICTORS
    rows = [one(name, seed, share) for seed in range(args.seeds) for share in SHARES for name in names]
    table = {
        name: {what: spread([row[what] for row in rows if row["predictor"] == name]) for what in ("mode_off", "off")}
        for name in names
    }
    for name, found in table.items():
        print(name, *(f"{what} {100 * found[what]['median']:.1f} %" for what in found))
    finish("predictor-search", {"table": table, "searches": rows})


def one(name: str, seed: int, share: float) -> dict[str, Any]:
    """A search of its own; what is profiled comes from the store once a run of this seed has measured it."""
    with tempfile.TemporaryDirectory() as folder:
        run = api.create(
            data="digits", seed=seed, predictors=(name,), out=Path(folder) / "run", progress=ConsoleProgress()
        )
        reached, _ = flow.prepare(run)
        limit_ms = share * reached.high_ms
        run.record("reach", replace(reached, limit_ms=limit_ms))
        flow.measure_profile(run)
        flow.fit_predictor(run)
        search: Any = Searching(run).go_on()
        p_LK = search.probabilities().double().cpu().numpy()
        archs = [moves.decode(run.space, p_LK), picked(run, p_LK, limit_ms)]
        mode, first = (m.ms / limit_ms for m in measure(run, "benchmark", archs, effort=Effort.CLAIM))
        score = run.predicted.scores[0]
    row = {"predictor": name, "seed": seed, "limit_ms": limit_ms, "mode": mode, "picked": first, "mape": score.mape,
           "mode_off": abs(mode - 1), "off": abs(first - 1)}  # fmt: skip
    print(row)
    return row


def picked(run: Run, p_LK: Floats, limit_ms: float) -> Architecture:
    predictor = fitted_predictor(run)
    for low in (0.975, 0.9, 0.0):
        found = find_most_probable(
            run.space,
            p_LK,
            lambda archs: predictor.predict(moves.encode(run.space, archs)),
            (low * limit_ms, 0.99 * limit_ms),
            generator(run.config.seed, "benchmark"),
        )
        if found:
            return found[0]
    raise SystemExit(f"nothing is predicted inside {limit_ms} ms")


if __name__ == "__main__":
    main()
