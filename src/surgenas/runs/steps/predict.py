"""Chooses the latency predictor by cross-validation, and says how far it can be trusted before it is used."""

from __future__ import annotations

from functools import partial

import numpy as np

from surgenas.core import moves
from surgenas.core.capabilities import Additive, require
from surgenas.core.errors import NoisyError
from surgenas.hardware.costs import read_cost
from surgenas.predictors.base import make_predictor
from surgenas.predictors.evaluate import Score, cross_validate, noise_ceiling
from surgenas.runs.measured import samples, usable_predictors
from surgenas.runs.results import HeldOutLatencies, Predicted
from surgenas.runs.run import Run

LEAST = 12
"""Fewer usable measurements than this are too few to choose a predictor."""


def predict(run: Run) -> Predicted:
    """Score all usable predictors on networks held out, and choose one; raises NoisyError with too few measurements."""
    archs, latency_ms = samples(run)
    if len(archs) < LEAST:
        raise NoisyError(
            f"only {len(archs)} usable measurements, at least {LEAST} are needed; start again when the machine is "
            "quieter, with more --samples: what was measured well is not measured again"
        )
    code, costs, seed = moves.encode(run.space, archs), require(run.space, Additive).costs(), run.config.seed
    made = {name: partial(make_predictor, name, costs, seed) for name in usable_predictors(run)}
    scores = cross_validate(made, code, latency_ms, seed=seed)
    best, predicted_ms = scores[0]
    why = f"least RMSE of {len(scores)} in 3-fold cross-validation on {len(archs)} networks"
    run.progress.log(
        f"latency predictor: {best.name} (off by {best.mape:.1%} on average, Kendall tau {best.kendall:.2f}; {why})"
    )
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
