"""From a searched supernet to one architecture whose *measured* latency lies inside the limit.

What the search prefers among the architectures that are predicted to land just below the limit is measured. If none
does, the predictor learns from them and the search goes on; a bounded number of times.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from surgenas.core import moves
from surgenas.core.architecture import Architecture
from surgenas.core.errors import LimitError
from surgenas.core.seeds import generator
from surgenas.core.space import Floats
from surgenas.core.units import show_ms
from surgenas.core.cost import Cost, show_cost
from surgenas.hardware.costs import read_cost
from surgenas.hardware.target import Effort
from surgenas.methods.base import SupernetSearch
from surgenas.runs.run import Run
from surgenas.runs.steps.measured import candidates_measured, fitted_predictor, measure
from surgenas.runs.steps.search import search
from surgenas.predictors.base import Predictor

CANDIDATES = 10
ROUNDS = 4
LOW, HIGH = 0.97, 0.993
"""Share of the limit that a candidate's first measurement must use, and may use: the rest is for the noise."""


def derive(run: Run, limit_ms: float) -> Architecture:
    """The found architecture. Raises LimitError, naming the nearest, if nothing inside the limit was found; called
    again it goes on from there."""
    known = run.result("derive")
    if known is not None:
        return run.architecture(known["genes"])
    method = search(run, limit_ms)
    with run.stage("derive") as result:
        missed = len(run.journal.all("missed"))
        for turn in range(missed, missed + ROUNDS - missed % ROUNDS):
            if turn > 1:  # a corrected predictor alone was not enough: the search itself goes on with it
                method = search(run, limit_ms, extra=turn - 1)
            found = _attempt(run, method, limit_ms, turn, final=turn % ROUNDS == ROUNDS - 1)
            if found:
                arch, confirmed, predicted_ms = found
                result |= {
                    "genes": list(arch.genes),
                    "predicted_ms": predicted_ms,
                    "cost": confirmed.to_dict(),
                    "rounds": turn + 1,
                }
                return arch
            run.journal.append("missed", turn=turn)
        raise _out_of_reach(run, limit_ms)


def _attempt(
    run: Run, method: SupernetSearch, limit_ms: float, turn: int, *, final: bool
) -> tuple[Architecture, Cost, float] | None:
    """Measure the preferred candidates; confirm, in five more campaigns, the best that fits.

    The final attempt takes anything inside the limit, of every turn: a smaller network is better than none.
    """
    predictor = fitted_predictor(run)
    archs = _candidates(run, method, predictor, limit_ms, turn)
    measured = measure(run, "derive", archs, Effort.CLAIM, turn=turn)
    for arch, m in zip(archs, measured, strict=True):
        run.progress.log(f"{show_cost(m)}: {arch}")
    low = LOW * limit_ms if not final and not _tops_out(run, limit_ms) else 0.0
    pairs = (
        _measured(run, run.journal.all("measured", stage="derive"))
        if final
        else list(zip(archs, measured, strict=True))
    )
    fitting = [(arch, m) for arch, m in pairs if low <= m.ms <= HIGH * limit_ms]
    if not low:  # from the largest that fits downwards, in steps that leave the noise behind
        fitting = sorted(fitting, key=lambda pair: -pair[1].ms)[:: max(1, (len(fitting) - 1) // 3)]
    fitting = fitting[:4]
    if not fitting:
        return None
    again = measure(run, "confirm", [arch for arch, _ in fitting], Effort.CONFIRM, turn=turn)
    for (arch, _), confirmed in zip(fitting, again, strict=True):
        if low <= confirmed.ms <= (limit_ms if final else HIGH * limit_ms):
            return arch, confirmed, float(_predicted(run, predictor, [arch])[0])
    return None


def _measured(run: Run, events: Sequence[dict[str, Any]]) -> list[tuple[Architecture, Cost]]:
    return [(run.architecture(e["genes"]), read_cost(e["cost"])) for e in events]


def _candidates(
    run: Run, method: SupernetSearch, predictor: Predictor, limit_ms: float, turn: int
) -> list[Architecture]:
    """Predicted inside the window; the window widens downwards until there is something to measure."""
    if _tops_out(run, limit_ms):
        return [method.largest(), *_proposed(run, method, predictor, (0.0, limit_ms), turn)][:CANDIDATES]
    found: list[Architecture] = []
    for low in (0.975, 0.95, 0.9, 0.0):
        found = _proposed(run, method, predictor, (low * limit_ms, 0.99 * limit_ms), turn)
        if len(found) >= CANDIDATES // 2:
            break
    return found or [moves.decode(run.space, -run.space.costs().macs)]


def _proposed(
    run: Run, method: SupernetSearch, predictor: Predictor, window: tuple[float, float], turn: int
) -> list[Architecture]:
    rng = generator(run.config.seed, "derive", turn)
    if method.holds_out:
        low, high = window
        run.progress.log(f"evolution from {show_ms(low)} to {show_ms(high)}, judged by images held out")
    return method.propose(lambda archs: _predicted(run, predictor, archs), window, CANDIDATES, rng)


def _predicted(run: Run, predictor: Predictor, archs: Sequence[Architecture]) -> Floats:
    """Predictions, put on the scale of what candidates of earlier turns measured: they err alike."""
    known = _measured(run, candidates_measured(run))
    if not known:
        return predictor.predict(moves.encode(run.space, archs))
    seen = predictor.predict(moves.encode(run.space, [arch for arch, _ in known]))
    bias = np.median([m.ms / ms for (_, m), ms in zip(known, seen, strict=True)])
    return predictor.predict(moves.encode(run.space, archs)) * bias


def _tops_out(run: Run, limit_ms: float) -> bool:
    """The limit is above (nearly) everything in the space: anything may be chosen."""
    reach = run.result("reach")
    return reach is not None and limit_ms >= 0.97 * reach["high_ms"]


def _out_of_reach(run: Run, limit_ms: float) -> LimitError:
    every = _measured(run, run.journal.all("measured", stage="derive"))
    nearest, m = min(every, key=lambda pair: abs(np.log(pair[1].ms / limit_ms)))
    return LimitError(
        f"nothing confirmed inside {show_ms(limit_ms)} in {len(run.journal.all('missed'))} rounds; nearest "
        f"{nearest} ({show_cost(m)}). `surgenas resume {run.folder}` goes "
        "on when the machine is quieter; or raise --latency or --samples"
    )
