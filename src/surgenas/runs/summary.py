"""A summary of a run, read from the journal alone: what --json prints."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from surgenas.accuracy.explained import Explained
from surgenas.core.architecture import Architecture
from surgenas.core.cost import Cost, Estimate, Evidence
from surgenas.core.record import Record
from surgenas.core.significance import share_interval
from surgenas.core.units import show_ms
from surgenas.hardware.costs import compare
from surgenas.hardware.timed.as_it_comes import AsItComes, LatencyAs
from surgenas.hardware.timed.comparison import Comparison
from surgenas.hardware.timed.measurement import Measurement, letter
from surgenas.runs import names
from surgenas.runs.config import Start
from surgenas.runs.resources import Resource, resources_of
from surgenas.runs.results import Derived, Exported, Predicted, Reached, Searched, Started, TotalCost, Verified
from surgenas.runs.run import Run
from surgenas.runs.slowdown import asked_percentile, share_of_limit
from surgenas.tasks.by_class import ByClass

SAME = 1e-6
"""Estimates that differ by less are equal but for rounding."""


@dataclass(frozen=True)
class OfLimit(Record):
    """The latency over the limit, both of what the limit is for; the relative doubt of that and its grade, both None
    unless it was timed.

    A limit that the run chose moves with the scale of its milliseconds, so that the doubt of the scale is not in it.
    """

    share: float
    doubt: float | None
    grade: str | None


@dataclass(frozen=True)
class Latency(Record):
    """The latency of the found network in the machine's quiet state. interval, grade, p50, p90: None unless it was
    timed. p50, p90: of its runs as they came. predicted_ms: before that. doubt: relative, of the ratio alone;
    scale_doubt: of what a millisecond is there (docs/measurement.md, 21). assumed: what an estimator took for granted
    of this network alone."""

    ms: float | None = None
    interval: tuple[float, float] | None = None
    grade: str | None = None
    p50: AsItComes | None = None
    p90: AsItComes | None = None
    evidence: Evidence | None = None
    predicted_ms: float | None = None
    of_limit: OfLimit | None = None
    doubt: float | None = None
    scale_doubt: float | None = None
    assumed: tuple[str, ...] = ()


@dataclass(frozen=True)
class Network(Record):
    """A trained network.

    accuracy, balanced_accuracy: on the test part. to_found: its latency divided by that of the found network, both from
    the same campaigns. doubt: the relative half-width of the interval, what a millisecond is aside; None unless it was
    timed.
    """

    name: str
    accuracy: float | None
    latency_ms: float | None
    interval: tuple[float, float] | None
    grade: str | None
    to_found: Comparison | None
    doubt: float | None = None
    balanced_accuracy: float | None = None


@dataclass(frozen=True)
class TestAccuracy(Record):
    """Accuracy (0 to 1) on the test part, which no decision has used. balanced: the mean of the classes'."""

    test: float | None
    balanced: float | None = None


@dataclass(frozen=True)
class Summary(Record):
    """What is known of a run; None or empty where a step is not done yet.

    limit_ms: of latencies in the machine's quiet state. asked_ms, latency_as: what was asked for, and what for.
    reachable_ms: the lowest and the highest latency. yardsticks: MobileNetV2 at the found network's latency. onnx,
    report: paths. seconds: spent by step. classes: how well the found network tells each class of the test part.
    start: what the trainings of the space's networks began with. instead: what could be picked instead of a smaller
    version of a network, at the found one's latency. started: the whole network, if the run began with its weights.
    explained: what explains the accuracy of the networks that the search judged, for methods that learn that.
    resources: what the target counts of the found network beside its latency. cost: of finding and training it, for
    which random_at_equal_cost and instead_at_equal_cost were trained alone.
    """

    run: str
    architecture: Architecture | None
    limit_ms: float | None
    asked_ms: float | None
    latency_as: LatencyAs
    reachable_ms: tuple[float | None, float | None]
    latency: Latency
    accuracy: TestAccuracy
    yardsticks: tuple[Network, ...]
    random_at_equal_latency: tuple[Network, ...]
    random: tuple[Network, ...]
    predictor: Predicted | None
    export: Exported | None
    onnx: str
    report: str
    seconds: Mapping[str, float]
    seed: int
    start: Start
    classes: ByClass | None = None
    instead: tuple[Network, ...] = ()
    started: Started | None = None
    explained: Explained | None = None
    resources: tuple[Resource, ...] = ()
    random_at_equal_cost: tuple[Network, ...] = ()
    cost: TotalCost | None = None
    instead_at_equal_cost: tuple[Network, ...] = ()

    @property
    def found(self) -> Network:
        """The found network, as those that it is compared with."""
        known = self.latency
        return Network(
            names.FOUND, self.accuracy.test, known.ms, known.interval, known.grade, None, known.doubt,
            self.accuracy.balanced,
        )  # fmt: skip

    @property
    def tested_on(self) -> int:
        """How many images the found network was tested on; 0 where that is not known."""
        return sum(row.images for row in self.classes.classes) if self.classes else 0

    @property
    def accuracy_interval(self) -> tuple[float, float] | None:
        """The 95 % interval (Wilson's) that so many images allow for its accuracy."""
        known = self.accuracy.test is not None and self.tested_on
        return share_interval(self.accuracy.test or 0.0, self.tested_on) if known else None

    @property
    def beside(self) -> tuple[Network, ...]:
        """All networks that the found one is compared with."""
        random = (*self.random_at_equal_latency, *self.random, *self.random_at_equal_cost)
        return (*self.yardsticks, *self.instead, *random, *self.instead_at_equal_cost)


def summarize(run: Run) -> Summary:
    """The summary of a run, from the journal alone: images, target and weights are not needed."""
    reached, derived, verified = run.result(Reached), run.result(Derived), run.result(Verified)
    costs = verified.costs if verified else {}
    networks, trained = [_network(run, name, costs) for name in costs or [names.FOUND]], run.trained(names.FOUND)
    searched = run.result(Searched)

    def named(kind: str) -> tuple[Network, ...]:
        return tuple(n for n in networks if n.name == kind or n.name.removeprefix(kind + " ").isdigit())

    return Summary(
        run=str(run.folder),
        architecture=derived.architecture if derived else None,
        limit_ms=reached.limit_ms if reached else None,
        asked_ms=run.config.target.latency_ms,
        latency_as=run.config.target.latency_as,
        reachable_ms=(reached.low_ms, reached.high_ms) if reached else (None, None),
        latency=_latency(run, costs.get(names.FOUND), derived),
        accuracy=TestAccuracy(networks[0].accuracy, networks[0].balanced_accuracy),
        yardsticks=named(names.YARDSTICK),
        random_at_equal_latency=named(names.EQUAL),
        random=named(names.RANDOM),
        instead=tuple(n for n in networks if n.name in (names.SMALLER, names.NARROWER, names.NOTHING)),
        started=run.result(Started),
        predictor=run.result(Predicted),
        export=run.result(Exported),
        onnx=str(run.folder / names.ONNX),
        report=str(run.folder / "report.html"),
        seconds={name: round(spent, 1) for name, spent in run.seconds().items()},
        seed=run.config.seed,
        start=run.config.training.start,
        classes=trained.classes if trained else None,
        explained=searched.explained if searched else None,
        resources=resources_of(run, costs.get(names.FOUND)),
        random_at_equal_cost=named(names.AS_LONG),
        cost=run.result(TotalCost),
        instead_at_equal_cost=named(names.SMALLER_AS_LONG),
    )


def _network(run: Run, name: str, costs: Mapping[str, Cost]) -> Network:
    cost = costs.get(name)
    to_found = compare(cost, costs[names.FOUND]) if cost and name != names.FOUND else None
    trained = run.trained(name)
    return Network(
        name, trained.accuracy if trained else None, cost.ms if cost else None, cost.interval_ms if cost else None,
        cost.ms_grade if cost else None, to_found, cost.half_width if isinstance(cost, Measurement) else None,
        trained.balanced if trained else None,
    )  # fmt: skip


def _latency(run: Run, cost: Cost | None, derived: Derived | None) -> Latency:
    predicted_ms = derived.predicted_ms if derived else None
    if cost is None:
        return Latency(predicted_ms=predicted_ms)
    if not isinstance(cost, Measurement):
        of_limit = OfLimit(share_of_limit(run, cost), None, None)
        usual = (run.journal.last("target") or {}).get("notes", ())
        own = tuple(note for note in cost.assumptions if note not in usual) if isinstance(cost, Estimate) else ()
        if derived and abs(derived.cost.ms / cost.ms - 1) > SAME:
            own += (f"Before it was trained it was estimated at {show_ms(derived.cost.ms)}.",)
        return Latency(cost.ms, evidence=cost.evidence, predicted_ms=predicted_ms, of_limit=of_limit, assumed=own)
    return Latency(
        ms=cost.ms,
        interval=cost.interval_ms,
        grade=cost.ms_grade,
        p50=cost.as_it_comes("p50"),
        p90=cost.as_it_comes("p90"),
        evidence=cost.evidence,
        predicted_ms=predicted_ms,
        of_limit=_of_limit(run, cost),
        doubt=cost.half_width,
        scale_doubt=cost.scale_doubt,
    )


def _of_limit(run: Run, cost: Measurement) -> OfLimit:
    share, which = share_of_limit(run, cost), asked_percentile(run)
    known = cost.as_it_comes(which) if which else None
    if known is not None:
        low, high = known.interval_ms or (0.0, math.inf)
        half = max(high / known.ms - 1, 1 - low / known.ms)
        return OfLimit(share, half, letter(half))
    if run.reached.asked_ms is None:
        return OfLimit(share, cost.half_width, cost.grade)
    return OfLimit(share, cost.ms_doubt, cost.ms_grade)
