"""What the steps share about costs: the target is asked once, the answers are journal events, and predictors learn from
them."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from surgenas.core import moves
from surgenas.core.architecture import Architecture
from surgenas.core.capabilities import Counted, require
from surgenas.core.catalog import look_up
from surgenas.core.cost import Cost, Effort, Failure, Unit
from surgenas.core.errors import NoisyError, UsageError
from surgenas.core.space import Floats
from surgenas.engine.jobs import job_of
from surgenas.hardware.costs import read_cost
from surgenas.hardware.target import Job, Scale, Target, TimedTarget, all_costs
from surgenas.hardware.timed.scale import REPAIRED
from surgenas.methods.base import allow_all
from surgenas.predictors import CATALOG
from surgenas.predictors.base import Predictor, make_predictor
from surgenas.predictors.linear import AdditivePredictor
from surgenas.runs.asked import search_prices
from surgenas.runs.limit import Timely
from surgenas.runs.results import Derived
from surgenas.runs.run import Run
from surgenas.runs.scale import RESCALED

TOGETHER = 32
"""How many networks are priced in one call of the target. Their costs are recorded before the next call."""

OF_RESOURCES = "process"
"""The predictor of what is counted beside latency: memory is a largest, not a sum, of what layers need."""
LEAST = 12
"""Fewer usable measurements than this are too few to choose a predictor."""


def scaled_target(run: Run) -> Target:
    """The run's target; a timed one on the scale that the run has fixed, so that all its
    milliseconds are comparable."""
    scale, target = recorded_scale(run), run.target
    return target.on_scale(scale) if scale and isinstance(target, TimedTarget) else target


def recorded_scale(run: Run) -> Scale | None:
    """The name of the run's reference network and its latency in ms; None before the step `reach` has calibrated it."""
    event = run.journal.last("calibrated")
    return (event["reference"], event["reference_ms"]) if event else None


def repair_scale(run: Run) -> None:
    """Put all latencies of the run on what is known of its reference by now, if that is not what it was calibrated as.

    Steps call it between what they measure, not within: what they hold in hand is on the scale of before.
    """
    scale, target = recorded_scale(run), run.target
    if scale is None or not isinstance(target, TimedTarget):
        return
    known = target.known(scale[0])
    if known is None:  # looked at with another measurement store
        return
    factor = known.ms / scale[1]
    if abs(math.log(factor)) > REPAIRED:
        run.journal.append(RESCALED, factor=factor, doubt=known.doubt)
        moment = "slow" if factor < 1 else "fast"
        run.progress.log(
            f"{target.name} was calibrated in a {moment} moment: all latencies of this run, measured as ratios, are "
            f"x {factor:.3f} from here on; nothing is measured again"
        )


def measure(
    run: Run, step: str, archs: Sequence[Architecture], effort: Effort = Effort.LEARN, *, turn: int = 0,
    reuse: bool = False, first: Job | None = None,
) -> list[Cost]:  # fmt: skip
    """The costs of these architectures, in order, as `price` finds them; raises the error of the
    first one that failed."""
    return all_costs(price(run, step, archs, effort, turn=turn, reuse=reuse, first=first))


def price(
    run: Run, step: str, archs: Sequence[Architecture], effort: Effort = Effort.LEARN, *, turn: int = 0,
    reuse: bool = False, first: Job | None = None,
) -> list[Cost | Failure]:  # fmt: skip
    """Ask the target for the costs of these architectures, in order, and record them in the journal.

    step, turn: where in the run they are needed. Costs that the journal has for this step and turn are not asked again;
    failures are not recorded, so they are. effort: how sure the costs have to be. reuse: take costs from the
    measurement store if it has them. first: what stands for the first architecture, if not a network without training.
    """
    known: dict[str, Cost | Failure] = {
        e["key"]: read_cost(e["cost"]) for e in run.journal.all("measured", step=step, turn=turn)
    }
    jobs = [job_of(arch, run.space) for arch in archs]
    jobs[:1] = [first] if first else jobs[:1]
    todo = list({job.key: job for job in jobs if job.key not in known}.values())
    genes = {job.key: list(arch.genes) for job, arch in zip(jobs, archs, strict=True)}
    target, timely = scaled_target(run), Timely(run)
    for start in range(0, len(todo), TOGETHER):
        part = todo[start : start + TOGETHER]
        seed = run.config.seed + turn
        timely.check()
        found = target.price(part, effort, seed=seed, reuse=reuse, progress=timely)
        for job, cost in zip(part, found, strict=True):
            if job.key not in known:
                known[job.key] = cost
                if not isinstance(cost, Failure):
                    run.journal.append(
                        "measured", step=step, turn=turn, key=job.key, genes=genes[job.key], cost=cost.to_dict()
                    )
    return [known[job.key] for job in jobs]


def missed_turns(run: Run) -> int:
    """How many turns of the step `derive` found nothing that fits, or nothing that fits any longer."""
    return len(run.journal.all("missed")) + len(run.journal.all("reopened"))


def read_candidates(run: Run) -> list[dict[str, Any]]:
    """The events of candidates that were measured in finished turns of the step `derive`.

    An unfinished turn is left out: what it proposes must not depend on how much of it was measured before a kill.
    """
    finished = missed_turns(run) + (run.result(Derived) is not None)
    return [event for event in run.journal.all("measured", step="derive") if event["turn"] < finished]


def read_prices(run: Run) -> dict[str, float]:
    """The latencies in ms of networks that the search itself had measured, by canonical key."""
    costs = [read_cost(record) for record in search_prices(run)]
    return {cost.key: cost.ms for cost in costs if cost.is_usable}


def samples(run: Run, *, corrected: bool = True, unit: Unit = "ms") -> tuple[list[Architecture], Floats]:
    """The N architectures that were measured in the steps `reach` and `profile`, and their latencies (N,) in ms, or
    what else the target counts of them.

    Each latency is the median of those that are not too noisy to use; networks without any are left out. corrected:
    include the candidates of finished turns of the step `derive`.
    """
    by_key: dict[str, tuple[Architecture, list[float]]] = {}
    profiled = [event for step in ("reach", "profile") for event in run.journal.all("measured", step=step)]
    for event in [*profiled, *(read_candidates(run) if corrected else [])]:
        cost = read_cost(event["cost"])
        if cost.is_usable:
            by_key.setdefault(event["key"], (run.architecture(event["genes"]), []))[1].append(cost.values[unit])
    archs = [arch for arch, _ in by_key.values()]
    return archs, np.array([np.median(values) for _, values in by_key.values()])


def check_enough(run: Run, least: int = LEAST) -> None:
    """Raise NoisyError if fewer networks than this were measured well enough to learn latency from."""
    if (found := len(samples(run, corrected=False)[0])) < least:
        raise NoisyError(
            f"only {found} usable measurements, at least {LEAST} are needed: the machine was too busy (`surgenas "
            f"doctor` says how busy it is). When it is quieter, `surgenas resume {run.folder}` measures them again"
        )


def fitted_predictor(run: Run, *, corrected: bool = True) -> Predictor:
    """The predictor that the step `predict` chose, fitted to `samples`. It follows from the journal, so it is not
    stored.

    corrected: learn also from the candidates of finished turns of the step `derive`.
    """
    archs, latency_ms = samples(run, corrected=corrected)
    costs = require(run.space, Counted).costs()
    made = make_predictor(run.predicted.chosen, costs, run.config.seed)
    return made.fit(moves.encode(run.space, archs), latency_ms)


def allowed(run: Run, *, corrected: bool = True) -> Callable[[Sequence[Architecture]], npt.NDArray[np.bool_]]:
    """Which of N architectures keep to the further limits, as predicted, (N,). corrected: as in `fitted_predictor`."""
    costs, shares = require(run.space, Counted).costs(), []
    for unit, limit in run.config.target.limits.items():
        archs, values = samples(run, corrected=corrected, unit=unit)
        made = make_predictor(OF_RESOURCES, costs, run.config.seed)
        shares.append(made.fit(moves.encode(run.space, archs), values / limit))

    def within(archs: Sequence[Architecture]) -> npt.NDArray[np.bool_]:
        code = moves.encode(run.space, archs)
        return np.all([share.predict(code) <= 1 for share in shares], axis=0)

    return within if shares else allow_all


def usable_predictors(run: Run) -> list[str]:
    """Names of the configured predictors that the method can use; raises UsageError if it can use none."""
    cost = run.asked_method.needs(run.space).cost
    kinds = {name: look_up("predictor", name, CATALOG) for name in run.config.target.predictors}
    if not require(run.space, Counted).costs().adds_up:
        if cost == "additive":
            raise UsageError(
                f"{run.config.method.name} needs latencies that add up over layers; in space {run.space.name!r} "
                "several choices decide what a layer costs. Use another method"
            )
        kinds = {name: kind for name, kind in kinds.items() if not getattr(kind, "sums", False)}
    if cost == "additive":
        kinds = {name: kind for name, kind in kinds.items() if issubclass(kind, AdditivePredictor)}
    found = [name for name, kind in kinds.items() if kind.differentiable or cost == "any"]
    if not found:
        asked = ", ".join(run.config.target.predictors)
        raise UsageError(f"{run.config.method.name}, set as it is, can use none of {asked}; leave `predictors` out")
    return found
