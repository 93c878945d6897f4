"""What does the graph of a network tell of its latency, without learning? Messages along and against the data flow.

Nodes of the graph are tensors, edges are layers (`CostTable.wiring`). A runtime may delete what cannot matter: layers
whose result nobody uses, layers that only ever see zeros. Some do, some do not, some do in ways of their own (see
`converter`); so the network as built and what would be left of it are described, and a predictor learns which its
device is charged for.

Everything is a polynomial in the gates, exact where they are one-hot: "fed" is the chance that data arrives if each
layer took its operator at random with its gates as probabilities, and independently.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from surgenas.core.space import CostTable
from surgenas.predictors.converter import chance_of_any, find_kept_layers


def describe(costs: CostTable, gates_NLK: Tensor, *, folds: bool = True) -> dict[str, Tensor]:
    """Groups of features by name, each (N, F), for gates (N, L, K).

    folds: whether the converter folds zeros into weights, as `find_kept_layers`.
    built: the gates themselves. fed, used, live, kept: the gates of those layers only that data reaches, whose result
    is used, that are both and pass something on, and that a converter keeps. inputs, inputs_live, inputs_kept: for each
    node the chances of 0, 1, 2, ... layers that add to it. totals, totals_live, totals_kept: for each operator the sums
    over layers of MACs, parameters, moved bytes, and of layers that compute. A space without an operator that passes
    nothing on has `built` and `totals` only. Where a layer's cost hangs on several rows: `built`, and the MACs,
    parameters and moved bytes of each layer, and in sum, in `macs`, `params`, `moved`, and `totals`. Where operators
    are whole networks: `totals`, the logs of each of these, and the traits that the space says.
    """
    if not costs.adds_up:
        return _by_layer(costs, gates_NLK)
    if costs.traits:
        return _of_whole(costs, gates_NLK)
    if not costs.nothing:  # nothing can be dead: the rest would say the same again
        return {"built": gates_NLK.flatten(1), "totals": _totals(costs, gates_NLK)}
    passes_NL, fed_NL, used_NL = flow(costs, gates_NLK)
    live_NL = fed_NL * used_NL
    kept_NL, adds_NL = find_kept_layers(costs, gates_NLK, folds=folds)
    weighted = {"built": torch.ones_like(fed_NL), "fed": fed_NL, "used": used_NL, "kept": kept_NL}
    groups = {name: (gates_NLK * weight_NL[:, :, None]).flatten(1) for name, weight_NL in weighted.items()}
    something_K = gates_NLK.new_ones(gates_NLK.shape[2]).index_fill(0, torch.tensor(costs.nothing), 0)
    groups["live"] = (gates_NLK * live_NL[:, :, None] * something_K).flatten(1)
    groups["inputs"] = _counts(costs, passes_NL)
    groups["inputs_live"] = _counts(costs, passes_NL * live_NL)
    groups["inputs_kept"] = _counts(costs, adds_NL * kept_NL)
    groups["totals"] = _totals(costs, gates_NLK)
    groups["totals_live"] = _totals(costs, gates_NLK * live_NL[:, :, None])
    groups["totals_kept"] = _totals(costs, gates_NLK * kept_NL[:, :, None])
    return groups


def _by_layer(costs: CostTable, gates_NLK: Tensor) -> dict[str, Tensor]:
    """What each layer costs, relative to the largest of its kind, and the gates."""
    counts_NMD = costs.counts(gates_NLK)
    assert costs.coupled is not None, "asked only where costs do not add up"
    shares_NMD = counts_NMD / torch.as_tensor(costs.coupled.most, dtype=gates_NLK.dtype)
    groups = dict(zip(("macs", "params", "moved"), shares_NMD.unbind(2), strict=True))
    return {"built": gates_NLK.flatten(1), **groups, "totals": shares_NMD.sum(1)}


def _of_whole(costs: CostTable, gates_NLK: Tensor) -> dict[str, Tensor]:
    """What whole networks cost, relative to the largest of them, the logs of that, and their traits."""
    tables = {"macs": costs.macs[0], "params": costs.params[0], "moved": costs.moved_bytes[0]}
    logs = {name: np.log(values.clip(min=1))[:, None] for name, values in tables.items()}
    shares = np.stack([values / max(values.max(), 1) for values in tables.values()], 1)
    groups = {"totals": shares, **logs, **costs.traits}
    return {name: gates_NLK[:, 0] @ torch.as_tensor(of_KF, dtype=gates_NLK.dtype) for name, of_KF in groups.items()}


def flow(costs: CostTable, gates_NLK: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """(passes, fed, used), chances (N, L) for gates (N, L, K).

    passes: the layer passes anything on. fed: data reaches its input. used: its output reaches the last tensor.
    """
    passes_NL = 1 - gates_NLK[:, :, list(costs.nothing)].sum(2)
    if not costs.nothing:
        return passes_NL, passes_NL, passes_NL
    edges, last = costs.edges, max(target for _, target in costs.edges)
    ones = torch.ones_like(passes_NL[:, 0])
    forward, backward = {0: ones}, {last: ones}
    for node in range(1, last + 1):
        forward[node] = chance_of_any(passes_NL[:, e] * forward[s] for e, (s, t) in enumerate(edges) if t == node)
    for node in range(last - 1, -1, -1):
        backward[node] = chance_of_any(passes_NL[:, e] * backward[t] for e, (s, t) in enumerate(edges) if s == node)
    fed = torch.stack([forward[source] for source, _ in edges], 1)
    return passes_NL, fed, torch.stack([backward[target] for _, target in edges], 1)


def _counts(costs: CostTable, flows_NL: Tensor) -> Tensor:
    """(N, F): for each node the chances that 0, 1, 2, ... layers add to it."""
    columns = []
    for node in sorted({target for _, target in costs.edges}):
        chances = [torch.ones_like(flows_NL[:, 0])]
        for p in [flows_NL[:, e] for e, (_, t) in enumerate(costs.edges) if t == node]:
            none = torch.zeros_like(p)
            pairs = zip([*chances, none], [none, *chances], strict=True)
            chances = [(1 - p) * same + p * one_less for same, one_less in pairs]
        columns += chances
    return torch.stack(columns, 1)


def _totals(costs: CostTable, gates_NLK: Tensor) -> Tensor:
    """(N, 4K): each operator's MACs, parameters, bytes and layers in sum, relative to the largest layer's."""
    table = [costs.macs, costs.params, costs.moved_bytes, costs.moved_bytes > 0]
    scaled = [torch.as_tensor(values / max(values.max(), 1), dtype=gates_NLK.dtype) for values in table]
    return torch.einsum("nlk,dlk->nkd", gates_NLK, torch.stack(scaled)).flatten(1)
