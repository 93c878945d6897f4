"""What is the found network compared with? MobileNetV2 of its latency, and random networks of that latency and of any;
where it began with weights, what else could be made of the network that they are of."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from surgenas.core import moves
from surgenas.core.architecture import Architecture
from surgenas.core.capabilities import Counted, Shrinks, require
from surgenas.core.cost import Effort, Failure
from surgenas.core.seeds import generator
from surgenas.core.units import show_ms
from surgenas.engine.jobs import home_of, network_of
from surgenas.nn.cost import count
from surgenas.runs.measured import allowed, fitted_predictor, measure
from surgenas.runs.names import AS_LONG, EQUAL, NARROWER, NOTHING, RANDOM, SMALLER, SMALLER_AS_LONG, YARDSTICK
from surgenas.runs.nearest import ALIKE, nearest
from surgenas.runs.resources import keeps
from surgenas.runs.results import Rivals
from surgenas.runs.run import Run
from surgenas.runs.sampled import draw_some
from surgenas.runs.whole import meets_limit_whole
from surgenas.spaces.yardstick import yardsticks

FAR = 1.1
"""A network that takes more than so many times the latency of another is no equal of it."""


def rivals(run: Run) -> Rivals:
    """Architectures by name. Those of other kinds come first, and are left out if the target cannot price them."""
    target_ms, beside = run.derived.cost.ms, run.config.beside
    if meets_limit_whole(run):
        if beside.random or beside.random_at_equal_latency or beside.random_at_equal_cost:
            run.progress.log("nothing was searched: no random networks are trained beside the whole one")
        return Rivals({})
    rng = generator(run.config.seed, "uniform")
    begun = bool(run.config.training.weights)
    chosen = _yardstick(run, target_ms) if not begun else {} if beside.alone else _instead(run, target_ms)
    alike = _at_equal_latency(run, target_ms)
    chosen |= {f"{EQUAL} {i + 1}": arch for i, arch in enumerate(alike[: beside.random_at_equal_latency])}
    chosen |= {f"{RANDOM} {i + 1}": moves.sample(run.space, rng) for i in range(beside.random)}
    chosen |= {f"{AS_LONG} {i + 1}": arch for i, arch in enumerate(alike[: beside.random_at_equal_cost])}
    if beside.random_at_equal_cost and SMALLER in chosen:  # who needs no search has all of its time for fine-tuning
        chosen[SMALLER_AS_LONG] = chosen[SMALLER]
    return Rivals(chosen)


def _yardstick(run: Run, target_ms: float) -> dict[str, Architecture]:
    """The yardstick whose measured latency is nearest to target_ms."""
    costs, archs = require(run.space, Counted).costs(), yardsticks(run.space)
    macs = float(costs.macs_of(moves.encode(run.space, [run.derived.architecture]))[0])
    any_, widths = archs[len(archs) // 2], [float(dict(arch.space.settings)["width"]) for arch in archs]
    of_any, _ = count(network_of(any_), run.space.input_shape)
    like = widths[len(archs) // 2] * (macs / of_any) ** 0.5  # MACs grow with the square of the width
    return _named(run, YARDSTICK, "yardstick", archs, widths, like, target_ms)


def _instead(run: Run, target_ms: float) -> dict[str, Architecture]:
    """What could be picked instead of the found smaller version of a network, at its latency: the whole network on
    smaller images, or narrower everywhere; and the found one without the whole's weights."""
    space, like = require(run.space, Shrinks), (target_ms / run.reached.high_ms) ** 0.5
    narrower, inputs = space.narrower(), space.smaller_inputs()
    shares = list(np.linspace(0, 1, len(narrower) + 1)[1:])
    sides = [float(home_of(arch, run.space).input_of(arch)[1]) for arch in inputs]
    found = _named(run, NARROWER, "narrower", narrower, shares, like, target_ms)
    if len(inputs) > 1:
        found |= _named(run, SMALLER, "smaller", inputs, sides, like * sides[-1], target_ms)
    return found | {NOTHING: run.derived.architecture}


def _named(
    run: Run, name: str, step: str, archs: Sequence[Architecture], sizes: Sequence[float], like: float, target_ms: float
) -> dict[str, Architecture]:
    """The one of these of about this latency, by its name; none if the target cannot price them."""
    found = nearest(run, step, archs, sizes, like, target_ms)
    if isinstance(found, Failure):
        run.progress.log(f"no {name} beside the found network: {found.error}")
        return {}
    arch, times = found
    if max(times, 1 / times) > FAR:
        run.progress.log(
            f"the nearest {name} takes {times:.2f} times the found network's latency, so it is no equal of it"
        )
    return {name: arch}


def _at_equal_latency(run: Run, target_ms: float) -> list[Architecture]:
    """Random architectures whose measured latency is that of the target, none of them the found network; as many as
    configured, or all that a bounded number of draws finds."""
    beside = run.config.beside
    wanted = max(beside.random_at_equal_latency, beside.random_at_equal_cost)
    if not wanted:
        return []
    predictor = fitted_predictor(run)
    rng = generator(run.config.seed, "random")
    chosen: list[Architecture] = []
    keep, taken = allowed(run), {moves.canonical_key(run.space, run.derived.architecture)}

    def near(archs: Sequence[Architecture]) -> npt.NDArray[np.bool_]:
        other = np.array([moves.canonical_key(run.space, arch) not in taken for arch in archs])
        off = np.abs(predictor.predict(moves.encode(run.space, archs)) / target_ms - 1)
        return (off <= ALIKE) & other & keep(archs)

    for turn in range(2, 8):
        batch = draw_some(run.space, near, 2 * wanted, rng)
        taken |= {moves.canonical_key(run.space, arch) for arch in batch}
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
    """Those architectures whose measured latency differs from target_ms by at most `tolerance`, a share, and which keep
    to the further limits as the found network does."""
    measured = zip(archs, measure(run, step, archs, effort, turn=turn), strict=True)
    return [arch for arch, cost in measured if abs(cost.ms / target_ms - 1) <= tolerance and keeps(run, cost)]
