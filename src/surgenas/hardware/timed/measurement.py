"""What does a latency measurement say, and how does it follow from raw run times (docs/measurement.md, 7)?

Pure functions over recorded times: the loop that records them is `timing`.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from scipy.special import stdtrit

from surgenas.core.cost import Evidence, Unit
from surgenas.hardware.timed.as_it_comes import AsItComes, Percentile, Spread, percentile

MIN_ROUNDS = 3
"""With fewer rounds no interval is given."""
MIN_QUIET = 5
"""With fewer quiet rounds all rounds are used, and the grade is C at best."""
QUIET = 1.15
"""A round is quiet if both adjacent reference blocks are within this factor of the reference's known latency.

When a neighbour occupies the other half of the core, a reference slows down 1.5 x and a small network 1.8 x: the ratio
itself depends on the machine's state. Ratios of quiet rounds repeat within 1 %, of all rounds within 9 % (docs/log.md).
"""

CROWD = 0.2
"""The share of the cores' time that a network needed, but others had, above which the machine is crowded: one more
program than there are cores has a third. Short runs between two turns of the others look clean then, and some are up to
40 % off."""
ENOUGH = 5
"""From this many campaigns on, their own spread says how sure their median is."""


@dataclass(frozen=True)
class Block:
    """Consecutive timed runs of one network. clean[i]: no involuntary context switch happened during run i."""

    runs_ms: tuple[float, ...]
    clean: tuple[bool, ...]

    @property
    def best_ms(self) -> float:
        """The fastest clean run in ms; the fastest of all runs if none was clean."""
        kept = [ms for ms, ok in zip(self.runs_ms, self.clean, strict=True) if ok]
        return min(kept or self.runs_ms)


@dataclass(frozen=True)
class Round:
    """One visit to a candidate, between two reference blocks."""

    before: Block
    candidate: Block
    after: Block

    @property
    def ratio(self) -> float:
        """The candidate's fastest run over the fastest of the two reference blocks (docs/measurement.md, 6)."""
        return self.candidate.best_ms / min(self.before.best_ms, self.after.best_ms)

    def is_quiet(self, reference_ms: float) -> bool:
        """Whether both reference blocks took about what the reference is known to take; infinity: not known."""
        if math.isinf(reference_ms):
            return True
        return all(1 / QUIET <= block.best_ms / reference_ms <= QUIET for block in (self.before, self.after))


@dataclass(frozen=True)
class Measurement:
    """A network's latency on a device. Times are in milliseconds; half_width is relative (.02 means +-2 %).

    ms is ratio x reference_ms: what the network needs when the machine is as quiet as the reference's history knows.
    half_width and grade are of the ratio, by which networks are compared; scale_doubt is the relative doubt of
    reference_ms, which is that of every millisecond besides (docs/measurement.md, 21).
    p50_ms and p90_ms are percentiles of runs that waited for no quiet moment, p90_ms None of too few; spreads_ms: such
    runs of each campaign (docs/measurement.md, 23). floor: the noise floor (9); 0 if it is not known. model_bytes: the
    size of the network as its runtime gets it. max_difference: of a logit from what was expected, relative to the
    largest logit. steady_ms: the latency of a very small network when it is run back to back; ms is what it takes in
    turn with others. campaigns_ms: what each of several campaigns said; ms is their median.
    """

    key: str
    device: str
    ms: float
    ratio: float
    half_width: float
    grade: str
    rounds: int
    p50_ms: float
    p90_ms: float | None
    reference: str
    reference_ms: float
    max_difference: float
    floor: float = 0.0
    model_bytes: int = 0
    steady_ms: float | None = None
    campaigns_ms: tuple[float, ...] = ()
    scale_doubt: float = 0.0
    spreads_ms: tuple[Spread, ...] = ()
    context: dict[str, Any] = field(default_factory=dict, hash=False, compare=False)

    @property
    def target(self) -> str:
        """The device's key."""
        return self.device

    @property
    def values(self) -> Mapping[Unit, float]:
        return {"ms": self.ms}

    @property
    def evidence(self) -> Evidence:
        return "measured"

    @property
    def is_usable(self) -> bool:
        """Grade D never counts."""
        return self.grade <= "C"

    @property
    def interval_ms(self) -> tuple[float, float]:
        """The ends of the 95 % interval in ms."""
        return self.ms * (1 - self.ms_doubt), self.ms * (1 + self.ms_doubt)

    @property
    def ms_doubt(self) -> float:
        """The relative half-width of the interval of the milliseconds."""
        return math.hypot(self.half_width, self.scale_doubt)

    @property
    def ms_grade(self) -> str:
        """The grade of the milliseconds: that of the ratio, or that of the scale where it is worse."""
        return max(self.grade, letter(self.scale_doubt))

    def as_it_comes(self, which: Percentile) -> AsItComes | None:
        """This percentile of the runs as they came; None of too few."""
        return percentile(self.spreads_ms, which)

    def on(self, reference_ms: float, scale_doubt: float) -> Measurement:
        """The same ratio, where the reference takes that long."""
        factor = reference_ms / self.reference_ms
        return replace(
            self, ms=self.ratio * reference_ms, reference_ms=reference_ms, scale_doubt=scale_doubt,
            steady_ms=None if self.steady_ms is None else factor * self.steady_ms,
            campaigns_ms=tuple(factor * ms for ms in self.campaigns_ms),
        )  # fmt: skip

    @property
    def doubt(self) -> float:
        """The relative doubt: half_width, or what a disturbed memory may add where that is more."""
        return max(self.half_width, float(self.context.get("memory", 0.0)))

    def to_dict(self) -> dict[str, Any]:
        """The fields as plain values, for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, record: dict[str, Any]) -> Measurement:
        """The measurement that `to_dict` wrote. An interval that is not known may have gone through JSON as null."""
        half = record["half_width"]
        known = {
            "campaigns_ms": tuple(record.get("campaigns_ms", ())),
            "spreads_ms": tuple(map(tuple, record.get("spreads_ms", ()))),
            "half_width": math.inf if half is None else half,
        }
        return cls(**{**record, **known})


def estimate(rounds: Sequence[Round], reference_ms: float) -> tuple[float, float]:
    """(ratio, relative half-width of its 95 % interval) from the quiet rounds of one campaign, if there are enough.

    The factor 1.6 corrects for rounds of one campaign being more alike than rounds of different ones.
    """
    quiet = [r for r in rounds if r.is_quiet(reference_ms)]
    ratios = [r.ratio for r in (quiet if len(quiet) >= MIN_QUIET else rounds)]
    ratio = statistics.median(ratios)
    R = len(ratios)
    if R < MIN_ROUNDS:
        return ratio, math.inf
    mad = statistics.median(abs(r - ratio) for r in ratios)
    half = 1.6 * 1.2533 * 1.4826 * mad * float(stdtrit(R - 1, 0.975)) / math.sqrt(R)
    return ratio, half / ratio


def grade(widest: float, preempted: float, quiet_rounds: int = MIN_QUIET, crowded: float = 0.0) -> str:
    """The grade A, B, C or D of a measurement (docs/measurement.md, 10).

    widest: the largest of half-width, noise floor and what a disturbed memory may add. preempted: the share of the
    reference's runs that were preempted. crowded: the share of the needed cores' time that others had.
    """
    found = max(letter(widest), "C" if quiet_rounds < MIN_QUIET else "A")
    if preempted > 0.6 or crowded > CROWD:
        return "D"
    return max(found, "B") if preempted > 0.3 else found


def letter(half_width: float) -> str:
    """The grade of a relative interval alone."""
    return next((g for g, limit in (("A", 0.02), ("B", 0.05), ("C", 0.10)) if half_width <= limit), "D")


def pool(measurements: Sequence[Measurement]) -> Measurement:
    """One measurement from several campaigns of a network: their median and its interval (docs/measurement.md, 8).

    The interval is a t-interval of their logarithms. Of fewer than ENOUGH campaigns that would say little; then it is
    the wider of their own intervals and twice their spread.
    """
    if len(measurements) == 1:
        return measurements[0]
    campaigns_ms = tuple(ms for m in measurements for ms in (m.campaigns_ms or (m.ms,)))
    ms = statistics.median(campaigns_ms)
    middle = min(measurements, key=lambda m: (abs(m.ms - ms), m.ms, m.reference_ms, m.reference))
    S = len(campaigns_ms)
    if S >= ENOUGH:
        half = t_interval([math.log(ms) for ms in campaigns_ms])
    else:
        spread = statistics.median(abs(c / ms - 1) for c in campaigns_ms)
        half = max(statistics.median(m.half_width for m in measurements), 2 * spread)

    def middling(name: str, missing: float = 0.0) -> float:
        return statistics.median(float(m.context.get(name, missing)) for m in measurements)

    floor = statistics.median(m.floor for m in measurements)
    spreads = tuple(spread for m in measurements for spread in m.spreads_ms)
    p50, p90 = percentile(spreads, "p50"), percentile(spreads, "p90")
    memory, crowded, quiet = middling("memory"), middling("crowded"), round(middling("quiet_rounds", MIN_QUIET))
    return replace(
        middle,
        ms=ms,
        ratio=ms / middle.reference_ms,
        half_width=half,
        floor=floor,
        grade=grade(max(half, floor, memory), middling("preempted"), quiet, crowded),
        rounds=sum(m.rounds for m in measurements),
        p50_ms=p50.ms if p50 else middle.p50_ms,
        p90_ms=p90.ms if p90 else middle.p90_ms,
        campaigns_ms=campaigns_ms,
        spreads_ms=spreads,
        scale_doubt=measurements[-1].scale_doubt,
        context=middle.context | {"memory": memory, "crowded": crowded},
    )


def t_interval(values: Sequence[float]) -> float:
    """The half-width of the 95 % interval of the mean of values."""
    S = len(values)
    return float(stdtrit(S - 1, 0.975)) * statistics.stdev(values) / math.sqrt(S)
