"""Finds one architecture whose *measured* latency lies inside the limit.

Of the architectures with a predicted latency just below the limit, those that the search prefers are measured. If none
of them fits, the predictor learns from them and the search goes on, for a bounded number of turns.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from surgenas.core import moves
from surgenas.core.architecture import Architecture
from surgenas.core.capabilities import Counted, Shrinks, require
from surgenas.core.cost import Cost, Effort, show_cost
from surgenas.core.errors import LimitError
from surgenas.core.seeds import generator
from surgenas.core.space import Floats
from surgenas.core.units import show_ms
from surgenas.hardware.costs import read_cost
from surgenas.methods.base import Search
from surgenas.predictors.base import Predictor
from surgenas.runs.limit import check_time
from surgenas.runs.measured import (
    allowed,
    fitted_predictor,
    measure,
    missed_turns,
    read_candidates,
    read_prices,
    repair_scale,
)
from surgenas.runs.resources import excess, keeps
from surgenas.runs.results import Derived
from surgenas.runs.run import Run
from surgenas.runs.searching import Searching
from surgenas.runs.whole import meets_limit_whole

CANDIDATES = 10
"""How many architectures are measured in a turn."""
ROUNDS = 4
"""How many turns there are before the step gives up; the step may be called again."""
TOGETHER = 2
"""How many are confirmed in the same campaigns: the first or the second nearly always is."""
LOW, HIGH = 0.97, 0.993
"""A candidate's first measurement must lie between these shares of the limit. The rest of the limit
is left for noise."""


def derive(run: Run) -> Derived:
    """The found architecture. Raises LimitError, naming the nearest one, if none inside the limit was found.

    Called again after that, it goes on with further turns.
    """
    if meets_limit_whole(run):
        largest = require(run.space, Shrinks).largest()
        (cost,) = measure(run, "confirm", [largest], Effort.CLAIM)
        return Derived(largest, cost.ms, cost, 1)
    searching = Searching(run)
    missed = missed_turns(run)
    for turn in range(missed, missed + ROUNDS - missed % ROUNDS):
        # from the third turn on the search itself goes on, with the corrected predictor
        search = searching.go_on(extra=max(0, turn - 1))
        found = _attempt(run, search, turn, final=turn % ROUNDS == ROUNDS - 1)
        if found:
            arch, confirmed, predicted_ms = found
            return Derived(arch, predicted_ms, confirmed, turn + 1)
        run.journal.append("missed", turn=turn)
        repair_scale(run)
    raise _out_of_reach(run)


def _attempt(run: Run, search: Search, turn: int, *, final: bool) -> tuple[Architecture, Cost, float] | None:
    """Measure the preferred candidates once; the best that fits is measured in three campaigns. None if none fits.

    The final attempt takes any architecture inside the limit, of all turns: a smaller network is better than none. So
    does every attempt of a search that has trained its candidates: it knows which is best.
    """
    limit_ms, predictor = run.reached.limit_ms, fitted_predictor(run)
    archs = _candidates(run, search, predictor, turn)
    measured = measure(run, "derive", archs, turn=turn)
    for arch, cost in zip(archs, measured, strict=True):
        sure = f" +-{cost.doubt:.1%} (grade {cost.grade})" if cost.grade else ""
        over = f", but {over}" if (over := excess(run, cost)) else ""
        run.progress.detail(f"{cost.evidence} {cost.ms / limit_ms:.1%} of the limit{sure}{over}: {arch}")
    smaller = _tops_out(run) or _knows_scores(run) or bool(run.config.target.limits)
    low = 0.0 if final or smaller else LOW * limit_ms
    every = _measured(run, run.journal.all("measured", step="derive"))
    pairs = every if final else list(zip(archs, measured, strict=True))
    fitting = [(arch, cost) for arch, cost in pairs if low <= cost.ms <= HIGH * limit_ms and keeps(run, cost)]
    if not low and not _knows_scores(
        run
    ):  # spread over the fitting latencies, the largest first, so that noise cannot refuse all of them
        fitting = sorted(fitting, key=lambda pair: -pair[1].ms)[:: max(1, (len(fitting) - 1) // 3)]
    fitting = fitting[:4]
    if not fitting:
        return None
    for start in range(0, len(fitting), TOGETHER):
        some = fitting[start : start + TOGETHER]
        again = measure(run, "confirm", [arch for arch, _ in some], Effort.CLAIM, turn=turn)
        for (arch, _), confirmed in zip(some, again, strict=True):
            if low <= confirmed.ms <= (limit_ms if final else HIGH * limit_ms):
                return arch, confirmed, float(_predicted(run, predictor, [arch])[0])
    return None


def _measured(run: Run, events: Sequence[dict[str, Any]]) -> list[tuple[Architecture, Cost]]:
    return [(run.architecture(e["genes"]), read_cost(e["cost"])) for e in events]


def _candidates(run: Run, search: Search, predictor: Predictor, turn: int) -> list[Architecture]:
    """Architectures to be measured. The window of predicted latencies grows downwards until it holds enough of them."""
    limit_ms = run.reached.limit_ms
    if _tops_out(run):
        return [search.largest(), *_proposed(run, search, predictor, (0.0, limit_ms), turn)][:CANDIDATES]
    found: list[Architecture] = []
    for low in (0.0,) if _knows_scores(run) else (0.975, 0.95, 0.9, 0.0):
        found = _proposed(run, search, predictor, (low * limit_ms, 0.99 * limit_ms), turn)
        if len(found) >= CANDIDATES // 2:
            break
    return found or [moves.decode(run.space, -require(run.space, Counted).costs().macs)]


def _proposed(
    run: Run, search: Search, predictor: Predictor, window: tuple[float, float], turn: int
) -> list[Architecture]:
    rng = generator(run.config.seed, "derive", turn)
    if Searching(run).needs.judged:  # what it prefers may have to be judged first, which takes a while
        low, high = window
        run.progress.detail(f"candidates from {show_ms(low)} to {show_ms(high)}")
    keep = allowed(run)

    def latency_ms(archs: Sequence[Architecture]) -> Floats:
        """What breaks a further limit lies outside of every window."""
        return np.where(keep(archs), _expected(run, predictor, archs), np.inf)

    return search.propose(latency_ms, window, CANDIDATES, rng)


def _expected(run: Run, predictor: Predictor, archs: Sequence[Architecture]) -> Floats:
    """Latencies (N,) in ms: as measured for the search, else as predicted."""
    priced, predicted = read_prices(run), _predicted(run, predictor, archs)
    if not priced:
        return predicted
    keys = [moves.canonical_key(run.space, arch) for arch in archs]
    return np.array([priced.get(key, ms) for key, ms in zip(keys, predicted, strict=True)])


def _predicted(run: Run, predictor: Predictor, archs: Sequence[Architecture]) -> Floats:
    """Predicted latencies (N,) in ms, corrected by the median ratio of measured to predicted for candidates of earlier
    turns."""
    check_time(run)  # a search may ask for many predictions before anything is measured
    known = _measured(run, read_candidates(run))
    if not known:
        return predictor.predict(moves.encode(run.space, archs))
    seen = predictor.predict(moves.encode(run.space, [arch for arch, _ in known]))
    bias = np.median([cost.ms / ms for (_, cost), ms in zip(known, seen, strict=True)])
    return predictor.predict(moves.encode(run.space, archs)) * bias


def _knows_scores(run: Run) -> bool:
    """Does the search train each candidate by itself? Then its preference is their accuracy, and a smaller network that
    is better is what is wanted; shared weights and probabilities favour the larger ones instead."""
    return Searching(run).needs.trained > 0


def _tops_out(run: Run) -> bool:
    """Is the limit above nearly every network of the space, so that any may be chosen?"""
    return run.reached.limit_ms >= 0.97 * run.reached.high_ms


def _out_of_reach(run: Run) -> LimitError:
    limit_ms = run.reached.limit_ms
    every = _measured(run, run.journal.all("measured", step="derive"))
    within = [pair for pair in every if keeps(run, pair[1])] or every
    nearest, cost = min(within, key=lambda pair: abs(np.log(pair[1].ms / limit_ms)))
    over = f", but {over}" if (over := excess(run, cost)) else ""
    return LimitError(
        f"nothing confirmed inside {show_ms(limit_ms)} in {missed_turns(run)} rounds; nearest "
        f"{nearest} ({show_cost(cost)}{over}). `surgenas resume {run.folder}` goes "
        "on when the machine is quieter; or raise --latency or --samples"
    )
