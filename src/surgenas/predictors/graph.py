"""The graph network of SurgeNAS (docs/methods/surgenas.md, 8): operators as nodes, the data flow as edges, one
global node."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from surgenas.core.space import CostTable
from surgenas.predictors.converter import find_kept_layers
from surgenas.predictors.messages import flow
from surgenas.predictors.neural import NeuralPredictor


class GraphPredictor(NeuralPredictor):
    """An ensemble of graph networks: two layers of width 32 with messages along and against the data flow.

    Their mean over nodes and the global node go through a hidden layer of 64 to the latency.
    """

    sums = True  # its nodes are the layers that choices are
    chunk = 512

    def __init__(self, costs: CostTable, *, seed: int = 0, steps: int = 600) -> None:
        super().__init__(costs, seed=seed, steps=steps)

    def make_network(self, layers: int, operators: int) -> nn.Module:
        return _GraphNetwork(self.costs)


class _GraphNetwork(nn.Module):
    """Gates (N, L, K) -> standardised latency (N,).

    The V nodes are the fixed parts before the layers, the L layers, the fixed parts behind them, and a global node.

    A layer's features are its operator with its MACs, parameters and bytes; its place and geometry: a network that
    shares its weights over layers cannot otherwise know that one operator costs more in one layer than in another; and
    what a runtime could know of it: does data reach it, is its result used, does a converter keep it. But for the last
    they are linear in the gates, so the first layer looks up what it makes of them instead of computing it for each
    architecture.

    Nodes come before architectures, (V, N, width): all messages of a layer are then one product with the adjacency,
    where PyG's dense layers have one for each architecture.
    """

    operators: Tensor
    macs: Tensor
    places: Tensor
    fixed: Tensor
    adjacency: Tensor

    def __init__(self, costs: CostTable, width: int = 32) -> None:
        super().__init__()
        self.costs, self.width = costs, width
        L, K = costs.macs.shape
        descriptors = np.log1p(np.stack([costs.macs, costs.params, costs.moved_bytes], axis=-1))
        one_hot = np.broadcast_to(np.eye(K), (L, K, K))
        geometry = np.vstack([costs.geometry, costs.fixed_geometry])
        geometry = (geometry - geometry.mean(0)) / (geometry.std(0) + 1e-6)
        along = _adjacency(costs)
        for name, values in (
            ("operators", np.concatenate([one_hot, descriptors / descriptors.max((0, 1))], axis=2)),
            ("macs", costs.macs / costs.macs.max(1).sum()),
            ("places", np.hstack([np.eye(L), geometry[:L]])),
            ("fixed", _with_global(geometry[L:])),
            ("adjacency", np.hstack([along, along.T])),
        ):
            self.register_buffer(name, torch.from_numpy(np.asarray(values, dtype=np.float32)))
        out = 3 * width  # what a node keeps, sends along, and sends against the flow
        self.of_operator = nn.Linear(self.operators.shape[2], out, bias=False)
        self.of_place = nn.Linear(self.places.shape[1], out)
        self.of_flow = nn.Linear(4 if costs.nothing else 3, out, bias=False)
        self.of_fixed = nn.Linear(self.fixed.shape[1], out)
        self.second = nn.Linear(width, out)
        self.read_out = nn.Sequential(nn.Linear(2 * width, 64), nn.ReLU(), nn.Linear(64, 1))
        self.by_macs = nn.Linear(1, 1)

    def forward(self, gates_NLK: Tensor) -> Tensor:
        h_VNw = self._exchange(self.second(self._exchange(self._first(gates_NLK))))
        # the straight line in MACs is a skip connection: with few samples the graph need only learn what it misses
        total_N1 = (gates_NLK * self.macs).sum((1, 2))[:, None]
        read_N1 = self.read_out(torch.cat([h_VNw.mean(0), h_VNw[-1]], dim=1))
        return (read_N1 + self.by_macs(10 * total_N1)).squeeze(1)

    def _first(self, gates_NLK: Tensor) -> Tensor:
        """What the first layer makes of every node's features, (V, N, 3 width)."""
        searched = torch.bmm(gates_NLK.transpose(0, 1), self.of_operator(self.operators))
        searched = searched + self.of_place(self.places)[:, None]
        seen = [
            *flow(self.costs, gates_NLK),
            *([find_kept_layers(self.costs, gates_NLK)[0]] if self.costs.nothing else []),
        ]
        searched = searched + self.of_flow(torch.stack(seen, dim=2).transpose(0, 1))
        fixed = self.of_fixed(self.fixed)[:, None].expand(-1, len(gates_NLK), -1)
        before = self.costs.fixed_before
        return torch.cat([fixed[:before], searched, fixed[before:]])

    def _exchange(self, made: Tensor) -> Tensor:
        """(V, N, 3 width) -> (V, N, width): every node adds what its neighbours send to what it kept."""
        V, N, _ = made.shape
        kept, along, against = made.split(self.width, dim=2)
        sent = torch.cat([along, against]).view(2 * V, N * self.width)
        return torch.addmm(kept.reshape(V, N * self.width), self.adjacency, sent).view(V, N, self.width).relu()


def _with_global(geometry: np.ndarray) -> np.ndarray:
    """Features of the fixed parts and of the global node, the last: geometry, and a mark of either kind."""
    parts, size = geometry.shape
    marks = np.vstack([np.tile([1.0, 0.0], (parts, 1)), [0.0, 1.0]])
    return np.hstack([np.vstack([geometry, np.zeros(size)]), marks])


def _adjacency(costs: CostTable) -> np.ndarray:
    """The data flow, and all -> global; row = receiving node."""
    edges, before = costs.edges, costs.fixed_before
    L, last = len(edges), max(target for _, target in edges)
    nodes = L + len(costs.fixed_geometry) + 1
    adjacency = np.eye(nodes, k=-1)
    adjacency[before : before + L + 1] = 0
    for edge, (source, target) in enumerate(edges):
        for other, (_, earlier) in enumerate(edges):
            adjacency[before + edge, before + other] = float(earlier == source)
        if before and source == 0:
            adjacency[before + edge, before - 1] = 1
        if target == last:
            adjacency[before + L, before + edge] = 1
    adjacency[-1] = 1.0 / nodes
    return adjacency
