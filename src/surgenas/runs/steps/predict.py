"""Choose the latency predictor by cross-validation, and say how far it can be trusted before anyone relies on it."""

from __future__ import annotations

from functools import partial

import numpy as np

from surgenas.core import moves
from surgenas.core.errors import NoisyError
from surgenas.hardware.costs import read_cost
from surgenas.runs.run import Run
from surgenas.runs.steps.measured import samples
from surgenas.runs.steps.search import usable
from surgenas.predictors.base import make_predictor
from surgenas.predictors.evaluate import cross_validate, noise_ceiling

LEAST = 12


def predict(run: Run) -> None:
    """Result: scores of all predictors (held-out), the noise ceiling, the chosen one and why."""
    if run.result("predict") is not None:
        return
    with run.stage("predict") as result:
        archs, latency_ms = samples(run)
        if len(archs) < LEAST:
            raise NoisyError(
                f"only {len(archs)} usable measurements, at least {LEAST} are needed; start again when the machine is "
                "quieter, with more --samples: what was measured well is not measured again"
            )
        code = moves.encode(run.space, archs)
        unfitted = {name: partial(make_predictor, name, run.space.costs(), run.config.seed) for name in usable(run)}
        scores = cross_validate(unfitted, code, latency_ms, seed=run.config.seed)
        best, predicted_ms = scores[0]
        result["scores"] = [score.to_dict() for score, _ in scores]
        result["held_out"] = {"predicted_ms": predicted_ms.tolist(), "measured_ms": latency_ms.tolist()}
        result["ceiling"] = _ceiling(run)
        result["chosen"] = best.name
        result["why"] = f"least RMSE of {len(scores)} in 3-fold cross-validation on {len(archs)} networks"
        run.progress.log(
            f"latency predictor: {best.name} (off by {best.mape:.1%} on average, Kendall tau {best.kendall:.2f}; "
            f"{result['why']})"
        )


def _ceiling(run: Run) -> dict[str, float | str] | None:
    first = {e["key"]: read_cost(e["cost"]).ms for e in run.journal.all("measured", stage="profile")}
    again = {e["key"]: read_cost(e["cost"]).ms for e in run.journal.all("measured", stage="profile-again")}
    keys = [key for key in again if key in first]
    if len(keys) < 3:
        return None
    return noise_ceiling(np.array([first[k] for k in keys]), np.array([again[k] for k in keys])).to_dict()
