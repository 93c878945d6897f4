"""What is the found network compared with? MobileNetV2 of its latency, and random networks of that
latency and of any."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from surgenas.core import moves
from surgenas.core.architecture import Architecture
from surgenas.core.capabilities import Counted, require
from surgenas.core.cost import Effort, Failure
from surgenas.core.seeds import generator
from surgenas.core.space import Floats
from surgenas.core.units import show_ms
from surgenas.engine.jobs import network_of
from surgenas.hardware.target import all_costs
from surgenas.nn.cost import count
from surgenas.runs.measured import fitted_predictor, measure, price
from surgenas.runs.results import EQUAL, RANDOM, YARDSTICK, Rivals
from surgenas.runs.run import Run
from surgenas.spaces.yardstick import yardsticks

ALIKE = 0.03
"""Two latencies count as equal if they differ by at most this share."""


def rivals(run: Run) -> Rivals:
    """Architectures by name. The yardstick comes first, and is left out if the target cannot price it."""
    target_ms, beside = run.derived.cost.ms, run.config.beside
    rng = generator(run.config.seed, "uniform")
    found = _yardstick(run, target_ms)
    chosen = {YARDSTICK: found} if found else {}
    chosen |= {f"{EQUAL} {i + 1}": arch for i, arch in enumerate(_at_equal_latency(run, target_ms))}
    chosen |= {f"{RANDOM} {i + 1}": moves.sample(run.space, rng) for i in range(beside.random)}
    return Rivals(chosen)


def _yardstick(run: Run, target_ms: float) -> Architecture | None:
    """The yardstick whose measured latency is nearest to target_ms; None if the target cannot price it.

    Two of about the found network's MACs are measured, then by turns the two that lie on either side of the target on
    the line through what was seen, until one is within ALIKE. Once each, since the claim measures it again.
    """
    archs = yardsticks(run.space)
    first = _of_like_macs(run, archs)
    some = price(run, "yardstick", [archs[i] for i in first])
    if failed := next((cost for cost in some if isinstance(cost, Failure)), None):
        run.progress.log(f"no {YARDSTICK} beside the found network: {failed.error}")
        return None
    seen = {i: _apart(cost.ms, target_ms) for i, cost in zip(first, all_costs(some), strict=True)}
    fine: dict[int, float] = {}
    for turn in range(1, 4):
        guess = _line(archs, seen)
        near = [int(i) for i in np.argsort(np.abs(guess)) if i not in fine][:2]
        measured = measure(run, "yardstick", [archs[i] for i in near], turn=turn)
        fine |= {i: _apart(cost.ms, target_ms) for i, cost in zip(near, measured, strict=True)}
        seen |= fine
        if min(map(abs, fine.values())) <= ALIKE:
            break
    return archs[min(fine, key=lambda i: abs(fine[i]))]


def _of_like_macs(run: Run, archs: Sequence[Architecture]) -> list[int]:
    """The places of a narrower and a wider yardstick than the one with the found network's MACs, which grow with the
    square of the width."""
    costs, any_ = require(run.space, Counted).costs(), archs[len(archs) // 2]
    macs = float(costs.macs_of(moves.encode(run.space, [run.derived.architecture]))[0])
    widths, (of_any, _) = _widths(archs), count(network_of(any_), run.space.input_shape)
    like = widths[len(archs) // 2] * (macs / of_any) ** 0.5
    narrow, wide = (int(np.abs(np.log(widths / (factor * like))).argmin()) for factor in (0.8, 1.25))
    return [narrow, wide] if narrow < wide else [max(0, narrow - 1), min(len(archs) - 1, narrow + 1)]


def _line(archs: Sequence[Architecture], seen: Mapping[int, float]) -> Floats:
    """How far from the target each yardstick lies, by the line in the logarithms through the two nearest that were
    seen. Noise may turn the line; then latency is taken to grow with the width."""
    log_widths = np.log(_widths(archs))
    one, other = sorted(seen, key=lambda i: abs(seen[i]))[:2]
    slope = (seen[one] - seen[other]) / (log_widths[one] - log_widths[other])
    return seen[one] + max(float(slope), 0.5) * (log_widths - log_widths[one])


def _widths(archs: Sequence[Architecture]) -> Floats:
    return np.array([float(dict(arch.space.settings)["width"]) for arch in archs])


def _apart(ms: float, target_ms: float) -> float:
    return float(np.log(ms / target_ms))


def _at_equal_latency(run: Run, target_ms: float) -> list[Architecture]:
    """Uniformly drawn architectures whose measured latency is that of the target; as many as configured, or all that a
    bounded number of draws finds."""
    wanted = run.config.beside.random_at_equal_latency
    if not wanted:
        return []
    predictor = fitted_predictor(run)
    rng = generator(run.config.seed, "random")
    chosen: list[Architecture] = []
    for turn in range(2, 8):
        drawn = [moves.sample(run.space, rng) for _ in range(4000)]
        near = np.abs(predictor.predict(moves.encode(run.space, drawn)) / target_ms - 1) <= ALIKE
        batch = [arch for arch, ok in zip(drawn, near, strict=True) if ok][: 2 * wanted]
        rough = _alike(run, "rivals-roughly", batch, target_ms, 2 * ALIKE, Effort.LEARN, turn)
        chosen += _alike(run, "rivals", rough, target_ms, ALIKE, Effort.CLAIM, turn)
        if len(chosen) >= wanted:
            break
    if len(chosen) < wanted:
        run.progress.log(f"only {len(chosen)} random architectures near {show_ms(target_ms)} were found")
    return chosen[:wanted]


def _alike(
    run: Run, step: str, archs: Sequence[Architecture], target_ms: float, tolerance: float, effort: Effort, turn: int
) -> list[Architecture]:
    """Those architectures whose measured latency differs from target_ms by at most `tolerance`, a share."""
    measured = measure(run, step, archs, effort, turn=turn)
    return [arch for arch, cost in zip(archs, measured, strict=True) if abs(cost.ms / target_ms - 1) <= tolerance]
