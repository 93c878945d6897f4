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
    """How the operators of a space are chosen for a device.

    keep: how many operators stay. b: exponent of the latency in the score; 0 ignores latency. per_layer: choose for
    each layer by itself, instead of once by the mean score over layers.
    """

    keep: int = 4
    b: float = 1.0
    per_layer: bool = False


@dataclass(frozen=True, eq=False)
class OperatorCosts:
    """What each of O operators costs in each of L layers.

    flops, params, latency_ms: (L, O). A latency is NaN where the device cannot run the operator.
    """

    names: tuple[str, ...]
    flops: Floats
    params: Floats
    latency_ms: Floats


@dataclass(frozen=True, eq=False)
class Selection:
    """The operators chosen for a device, and why the others were not.

    capacity, score: (L, O), NaN for operators that cannot run. kept: the names chosen for each layer, the highest score
    first. dominated: from the name of an operator to the name of another that is as large and as fast at every layer,
    and better somewhere. impossible: names of operators that the device cannot run in some layer.
    """

    names: tuple[str, ...]
    capacity: Floats
    score: Floats
    kept: tuple[tuple[str, ...], ...]
    dominated: dict[str, str]
    impossible: tuple[str, ...]

    @property
    def pool(self) -> str:
        """The kept operators as the setting `pool` of a space: names joined by commas, and layers by semicolons where
        they differ."""
        layers = [",".join(names) for names in self.kept]
        return layers[0] if len(set(layers)) == 1 else ";".join(layers)


def select(costs: OperatorCosts, choice: OperatorChoice) -> Selection:
    """Choose operators by their score (docs/methods/hurricane.md, 2), leaving out those that are dominated or cannot
    run; so there may be fewer than `choice.keep`.

    Raises UsageError if the pool is empty, if `keep` is not between 1 and its size, or if the device runs no operator.
    """
    names, keep = costs.names, choice.keep
    if not names:
        raise UsageError("no operator to choose from: the pool is empty")
    if not 1 <= keep <= len(names):
        raise UsageError(f"keep {keep}: expected 1 to {len(names)}, the size of the pool")
    runs_O: Bools = np.all(costs.latency_ms > 0, axis=0)  # NaN compares as False
    if not runs_O.any():
        raise UsageError("the device runs none of the operators; `surgenas devices` lists others")
    capacity, score = _scores(costs, runs_O, choice.b)
    dominated = _dominated(costs, runs_O)
    left = [o for o, name in enumerate(names) if runs_O[o] and name not in dominated]
    # fewer than `keep` may be left: a dominated operator is never taken to fill up
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
    """Min-max normalisation of the logarithm over the operators of each layer; (L, O) to (L, O) in 0..1."""
    log = np.log(values_LO)
    low, high = log.min(1, keepdims=True), log.max(1, keepdims=True)
    return (log - low) / np.maximum(high - low, 1e-12)


def _dominated(costs: OperatorCosts, runs_O: Bools) -> dict[str, str]:
    """For each dominated operator, another one with at least its FLOPs and parameters and at most its latency at every
    layer, and strictly better in one of these somewhere."""
    gains = np.concatenate([costs.flops, costs.params, -costs.latency_ms])
    found: dict[str, str] = {}
    for o, name in enumerate(costs.names):
        for other, better in enumerate(costs.names):
            no_worse = (gains[:, other] >= gains[:, o]).all() and (gains[:, other] > gains[:, o]).any()
            if runs_O[o] and runs_O[other] and no_worse:
                found[name] = better
                break
    return found
