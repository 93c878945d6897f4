"""Chooses the latency predictor by cross-validation, and says how far it can be trusted before it is used."""

from __future__ import annotations

from functools import partial

import numpy as np

from surgenas.core import moves
from surgenas.core.capabilities import Counted, require
from surgenas.hardware.costs import read_cost
from surgenas.predictors.base import Predictor, make_predictor
from surgenas.predictors.evaluate import cross_validate, noise_ceiling
from surgenas.predictors.score import Score
from surgenas.runs.limit import check_time
from surgenas.runs.measured import check_enough, samples, usable_predictors
from surgenas.runs.results import HeldOutLatencies, Predicted, Reached
from surgenas.runs.run import Run


def predict(run: Run) -> Predicted:
    """Score all usable predictors on networks held out, and choose one; raises NoisyError with too few measurements."""
    check_enough(run)
    archs, latency_ms = samples(run)
    code, costs, seed = moves.encode(run.space, archs), require(run.space, Counted).costs(), run.config.seed

    def make(name: str) -> Predictor:
        check_time(run)
        return make_predictor(name, costs, seed)

    made = {name: partial(make, name) for name in usable_predictors(run)}
    reached = run.result(Reached)
    scores = cross_validate(made, code, latency_ms, seed=seed, limit_ms=reached.limit_ms if reached else None)
    best, predicted_ms = scores[0]
    why = f"least RMSE of {len(scores)} in 3-fold cross-validation on {len(archs)} networks"
    held_out = HeldOutLatencies(tuple(predicted_ms.tolist()), tuple(latency_ms.tolist()))
    return Predicted(tuple(score for score, _ in scores), held_out, _ceiling(run), best.name, why)


def _ceiling(run: Run) -> Score | None:
    """What a perfect predictor would score, from networks that were measured twice. None if these are fewer than three,
    or if nothing is timed, since both values are then the same."""
    first, again = (
        {e["key"]: read_cost(e["cost"]) for e in run.journal.all("measured", step=step)}
        for step in ("profile", "profile-again")
    )
    keys = [key for key in again if key in first and again[key].evidence == "measured"]
    if len(keys) < 3:
        return None
    return noise_ceiling(np.array([first[k].ms for k in keys]), np.array([again[k].ms for k in keys]))
