"""Which operators does a device like? HURRICANE's first step, from FLOPs, parameters and measured latency alone.

Zhang et al. 2020, arXiv 1910.11609, have the idea (representation capacity against hardware efficiency); the formula is
ours, the paper's is not known (docs/methods/hurricane.md, 2). At layer l, for operator o:

    Cap(l,o) = 1/2 norm_l(log F) + 1/2 norm_l(log P)          norm_l: min-max over the pool
    Score(l,o) = Cap(l,o) / (T(l,o) / median_o T(l,o))^b
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from surgenas.core.errors import UsageError
from surgenas.core.space import Floats

Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class OperatorChoice:
    """How operators are chosen for a device: the `keep` of the highest score, averaged over layers or, per_layer, in
    each; b: how much latency counts against capacity."""

    keep: int = 4
    b: float = 1.0
    per_layer: bool = False


@dataclass(frozen=True, eq=False)
class OperatorCosts:
    """flops, params, latency_ms: (L, O). NaN latency: the device cannot run it there."""

    names: tuple[str, ...]
    flops: Floats
    params: Floats
    latency_ms: Floats


@dataclass(frozen=True, eq=False)
class Selection:
    """capacity, score: (L, O), NaN where an operator cannot run. kept: of each layer, best first. dominated: by name,
    an operator that is nowhere smaller and nowhere slower. impossible: those that cannot run somewhere."""

    names: tuple[str, ...]
    capacity: Floats
    score: Floats
    kept: tuple[tuple[str, ...], ...]
    dominated: dict[str, str]
    impossible: tuple[str, ...]

    @property
    def pool(self) -> str:
        """As a setting of the space `operators`."""
        layers = [",".join(names) for names in self.kept]
        return layers[0] if len(set(layers)) == 1 else ";".join(layers)


def select(costs: OperatorCosts, choice: OperatorChoice) -> Selection:
    """The `keep` operators of the highest score, averaged over layers or in each; raises UsageError if there are not as
    many."""
    names, keep = costs.names, choice.keep
    if not names:
        raise UsageError("no operator to choose from: the pool is empty")
    if not 1 <= keep <= len(names):
        raise UsageError(f"keep {keep}: expected 1 to {len(names)}, the size of the pool")
    runs_O: Bools = np.all(costs.latency_ms > 0, axis=0)  # NaN is not
    if not runs_O.any():
        raise UsageError("the device runs none of the operators; `surgenas devices` lists others")
    capacity, score = _scores(costs, runs_O, choice.b)
    dominated = _dominated(costs, runs_O)
    left = [o for o, name in enumerate(names) if runs_O[o] and name not in dominated]
    # a device may leave fewer than wanted: dominated ones are not worth taking to fill up
    rows = score if choice.per_layer else np.broadcast_to(score.mean(0), score.shape)
    kept = tuple(tuple(names[o] for o in sorted(left, key=row.__getitem__, reverse=True)[:keep]) for row in rows)
    return Selection(names, capacity, score, kept, dominated, tuple(np.array(names)[~runs_O].tolist()))


def _scores(costs: OperatorCosts, runs_O: Bools, b: float) -> tuple[Floats, Floats]:
    capacity, score = np.full(costs.flops.shape, np.nan), np.full(costs.flops.shape, np.nan)
    capacity[:, runs_O] = (_norm(costs.flops[:, runs_O]) + _norm(costs.params[:, runs_O])) / 2
    latency_ms = costs.latency_ms[:, runs_O]
    score[:, runs_O] = capacity[:, runs_O] / (latency_ms / np.median(latency_ms, axis=1, keepdims=True)) ** b
    return capacity, score


def _norm(values_LO: Floats) -> Floats:
    """Min-max of the logarithm, by layer."""
    log = np.log(values_LO)
    low, high = log.min(1, keepdims=True), log.max(1, keepdims=True)
    return (log - low) / np.maximum(high - low, 1e-12)


def _dominated(costs: OperatorCosts, runs_O: Bools) -> dict[str, str]:
    """Those that another has >= F, >= P and <= T of at every layer, and differs from."""
    gains = np.concatenate([costs.flops, costs.params, -costs.latency_ms])
    found: dict[str, str] = {}
    for o, name in enumerate(costs.names):
        for other, better in enumerate(costs.names):
            no_worse = (gains[:, other] >= gains[:, o]).all() and (gains[:, other] > gains[:, o]).any()
            if runs_O[o] and runs_O[other] and no_worse:
                found[name] = better
                break
    return found
