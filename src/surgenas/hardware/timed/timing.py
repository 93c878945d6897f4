"""How is time measured? In one loop: paired, interleaved, beside a reference (docs/measurement.md, 5).

It times callables and knows nothing of networks or runtimes; clock, context-switch counter and sleep are arguments,
so that the tests drive it with a simulated machine.
"""

from __future__ import annotations

import gc
import resource
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np

from surgenas.hardware.timed.as_it_comes import is_unwaited
from surgenas.hardware.timed.measurement import MIN_QUIET, QUIET, Block, Round, estimate

Call = Callable[[], object]
Timer = Callable[[Call], float]

STEADY = 200
"""How many runs back to back make one steady block."""
STEADY_BELOW_MS = 0.5
"""A network faster than this is very small: a cold cache costs it a large share of a run."""


@dataclass(frozen=True)
class Protocol:
    """How much is measured in a campaign, and how many campaigns there are.

    rounds: how many quiet rounds each candidate needs at least; max_rounds: how many rounds there are at most.
    half_width: the relative precision at which a candidate needs no more rounds. block_ms, min_runs, max_runs: a block
    has as many runs as fill block_ms, within these bounds; blocks are short, since neighbours come and go within tens
    of milliseconds, and a round must see one state of the machine only.
    warmup_s: how long each network warms up at most. budget_s: when to stop short of the precision; patience_s: when to
    stop even without enough quiet rounds. backoff_s: the pauses while the machine is disturbed. pause_s: the pause
    between rounds, which spreads them over time.
    duplicates: how many networks are measured a second time under a hidden name. fresh: whether the campaign runs in a
    process of its own. steady: how many further visits a very small network gets, of STEADY runs back to back, since
    taking turns may cost it the caches that it has to itself in use. campaigns: how many campaigns there are, whose
    median then counts, since what differs from process to process cannot be seen within one.
    """

    rounds: int = 10
    max_rounds: int = 60
    half_width: float = 0.03
    block_ms: float = 4.0
    min_runs: int = 5
    max_runs: int = 50
    warmup_s: float = 0.5
    budget_s: float = 30.0
    patience_s: float = 60.0
    backoff_s: tuple[float, ...] = (0.1, 0.2, 0.4)
    pause_s: float = 0.0
    duplicates: int = 0
    fresh: bool = False
    steady: int = 0
    campaigns: int = 1


def involuntary_switches(threads: int) -> int:
    """How often the calling thread was preempted so far; with more threads, how often the whole process was."""
    who = resource.RUSAGE_THREAD if threads == 1 else resource.RUSAGE_SELF
    return resource.getrusage(who).ru_nivcsw


@dataclass(frozen=True)
class Machine:
    """The clock and the counters of the machine that measures.

    now: seconds. switches: involuntary context switches so far. timer: the clock of a device that has its own: it runs
    a call and returns the milliseconds.
    """

    now: Callable[[], float] = time.perf_counter
    switches: Callable[[], int] = field(default=lambda: involuntary_switches(1))
    sleep: Callable[[float], None] = time.sleep
    timer: Timer | None = None

    def time_ms(self, call: Call) -> float:
        """Run a call once, and return how many milliseconds it took."""
        if self.timer:
            return self.timer(call)
        start = self.now()
        call()
        return (self.now() - start) * 1e3


@dataclass(frozen=True)
class Campaign:
    """Everything that a campaign recorded.

    rounds: by candidate. reference_ms: the fastest run of each reference block. preempted: the share of the reference's
    runs that were preempted. state_ms: what the reference takes in the machine's fast state; only rounds in that state
    count. steady: the visits to very small networks, whose blocks are run back to back.
    """

    rounds: Mapping[str, tuple[Round, ...]]
    reference_ms: tuple[float, ...]
    preempted: float
    state_ms: float
    steady: Mapping[str, tuple[Round, ...]] = field(default_factory=dict)


def run_campaign(
    candidates: Mapping[str, Call],
    reference: Call,
    reference_ms: float,
    protocol: Protocol,
    rng: np.random.Generator,
    machine: Machine,
) -> Campaign:
    """Visit every candidate once a round, in fresh random order, until each is known well enough or time is out.

    reference_ms: what the reference takes when nothing disturbs it; infinity if that is not known yet.
    """
    with _no_garbage_collection():
        watch = _Watch(machine)
        reference_runs = _calibrate(reference, protocol, watch)
        runs = {name: _calibrate(call, protocol, watch) for name, call in candidates.items()}
        rounds: dict[str, list[Round]] = {name: [] for name in candidates}
        minima: list[float] = []
        state_ms = reference_ms
        start = machine.now()
        for turn in range(protocol.max_rounds):
            names = [name for name in rounds if not _is_known(rounds[name], state_ms, protocol)]
            spent_s = machine.now() - start
            if not names or spent_s > protocol.patience_s:
                break
            if spent_s > protocol.budget_s and all(_count_quiet(r, state_ms) >= MIN_QUIET for r in rounds.values()):
                break
            if not is_unwaited(turn):
                watch.back_off(reference, reference_runs, state_ms, protocol)
            before = watch.reference_block(reference, reference_runs)
            for i in rng.permutation(len(names)):
                name = names[i]
                rounds[name].append(watch.visit(candidates[name], runs[name], reference, reference_runs, before))
                before = rounds[name][-1].after
                minima.append(before.best_ms)
            state_ms = _fast_state(reference_ms, minima)
            if protocol.pause_s:
                machine.sleep(protocol.pause_s)
        steady = {
            name: tuple(
                watch.visit(candidates[name], STEADY, reference, reference_runs) for _ in range(protocol.steady)
            )
            for name, seen in rounds.items()
            if protocol.steady and seen and min(r.candidate.best_ms for r in seen) < STEADY_BELOW_MS
        }
        kept = {name: tuple(seen) for name, seen in rounds.items()}
        return Campaign(kept, tuple(minima), watch.preempted_share, state_ms, steady)


def _fast_state(known_ms: float, minima: Sequence[float]) -> float:
    """What the reference takes in the machine's fast state: as known before, or less if this campaign saw less.

    The machine may have been slow whenever it was calibrated.
    """
    return min(known_ms, float(np.quantile(minima, 0.1))) if len(minima) >= 20 else known_ms


def _is_known(rounds: list[Round], reference_ms: float, protocol: Protocol) -> bool:
    """Whether a candidate has enough quiet rounds and a narrow enough interval."""
    return (
        _count_quiet(rounds, reference_ms) >= protocol.rounds
        and estimate(rounds, reference_ms)[1] <= protocol.half_width
    )


def _count_quiet(rounds: Sequence[Round], reference_ms: float) -> int:
    return sum(r.is_quiet(reference_ms) for r in rounds)


class _Watch:
    """A stopwatch for blocks that remembers how often the reference was preempted."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.recent: deque[bool] = deque(maxlen=50)
        self.seen = self.dirty = 0

    def block(self, call: Call, runs: int) -> Block:
        times, clean = [], []
        time_ms, switches = self.machine.time_ms, self.machine.switches
        for _ in range(runs):
            before = switches()
            times.append(time_ms(call))
            clean.append(switches() == before)
        return Block(tuple(times), tuple(clean))

    def reference_block(self, reference: Call, runs: int) -> Block:
        block = self.block(reference, runs)
        self.recent.extend(not ok for ok in block.clean)
        self.seen += len(block.clean)
        self.dirty += sum(not ok for ok in block.clean)
        return block

    def visit(self, call: Call, runs: int, reference: Call, reference_runs: int, before: Block | None = None) -> Round:
        """Time a block of a candidate, after one untimed run, between two blocks of the reference.

        before: the first of these blocks, if it was timed already.
        """
        before = before or self.reference_block(reference, reference_runs)
        call()
        return Round(before, self.block(call, runs), self.reference_block(reference, reference_runs))

    def back_off(self, reference: Call, runs: int, reference_ms: float, protocol: Protocol) -> None:
        """Wait while the reference is preempted or slow, for the pauses of the protocol at most."""
        for pause in protocol.backoff_s:
            slow = self.block(reference, runs).best_ms > QUIET * reference_ms
            if not slow and sum(self.recent) <= 0.6 * len(self.recent):
                return
            self.machine.sleep(pause)
            self.recent.clear()

    @property
    def preempted_share(self) -> float:
        return self.dirty / max(self.seen, 1)


def _calibrate(call: Call, protocol: Protocol, watch: _Watch) -> int:
    """Warm up until three block minima agree within 2 % or time is out; return how many runs fill a block."""
    end = watch.machine.now() + protocol.warmup_s
    minima: list[float] = []
    while True:
        minima.append(watch.block(call, protocol.min_runs).best_ms)
        last = minima[-3:]
        if (len(last) == 3 and max(last) <= 1.02 * min(last)) or watch.machine.now() > end:
            break
    fill = int(protocol.block_ms / max(min(minima), 1e-6)) + 1
    return max(protocol.min_runs, min(protocol.max_runs, fill))


@contextmanager
def _no_garbage_collection() -> Iterator[None]:
    was_on = gc.isenabled()
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
