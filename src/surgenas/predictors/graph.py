"""The graph network of SurgeNAS (sheet section 5): operators as nodes, the data flow as edges, one global node."""

from __future__ import annotations

import warnings

import numpy as np
import torch
from torch import Tensor, nn

with warnings.catch_warnings():  # PyG 2.8 scripts a function at import, which torch 2.14 calls deprecated
    warnings.simplefilter("ignore", FutureWarning)
    warnings.simplefilter("ignore", DeprecationWarning)
    from torch_geometric.nn.dense import DenseGraphConv

from surgenas.core.space import CostTable
from surgenas.predictors.messages import flow
from surgenas.predictors.neural import NeuralPredictor


class GraphPredictor(NeuralPredictor):
    """3 layers x 48 along the data flow and as many against it, mean and global read-out, 64, 1."""

    chunk = 256

    def make_network(self, layers: int, operators: int) -> nn.Module:
        return _GraphNetwork(self.costs)


class _GraphNetwork(nn.Module):
    """Nodes: the fixed parts before, L layers, the fixed parts after, global. (N, L, K) gates -> (N,).

    A layer's features are its gates, its place, its geometry, the MACs, parameters and bytes of its operator (linear
    in the gates, so that they stay differentiable): a network that shares its weights over layers cannot otherwise
    know that one operator costs more in one layer than in another; and what a runtime could know of it: does data
    reach it, is its result used.
    """

    descriptors: Tensor
    macs: Tensor
    place: Tensor
    fixed: Tensor
    adjacency: Tensor

    def __init__(self, costs: CostTable, width: int = 48) -> None:
        super().__init__()
        self.costs = costs
        self.before = costs.fixed_before
        L, K = costs.macs.shape
        descriptors = np.log1p(np.stack([costs.macs, costs.params, costs.moved_bytes], axis=-1))
        geometry = np.vstack([costs.geometry, costs.fixed_geometry])
        geometry = (geometry - geometry.mean(0)) / (geometry.std(0) + 1e-6)
        place, fixed = np.hstack([np.eye(L), geometry[:L]]), geometry[L:]
        for name, values in (
            ("descriptors", descriptors / descriptors.max((0, 1))),
            ("macs", costs.macs / costs.macs.max(1).sum()),
            ("place", place),
            ("fixed", np.hstack([np.zeros((len(fixed), L)), fixed])),
            ("adjacency", _adjacency(costs)),
        ):
            self.register_buffer(name, torch.from_numpy(np.asarray(values, dtype=np.float32)))
        features = K + place.shape[1] + 3 + 3 + 2  # costs, flow, marks of fixed and global nodes
        sizes = [features, 2 * width, 2 * width]
        self.along = nn.ModuleList(DenseGraphConv(size, width) for size in sizes)
        self.against = nn.ModuleList(DenseGraphConv(size, width) for size in sizes)
        self.read_out = nn.Sequential(nn.Linear(4 * width, 64), nn.ReLU(), nn.Linear(64, 1))
        self.by_macs = nn.Linear(1, 1)

    def forward(self, gates_NLK: Tensor) -> Tensor:
        h = self._nodes(gates_NLK)
        for along, against in zip(self.along, self.against, strict=True):
            h = torch.cat([along(h, self.adjacency), against(h, self.adjacency.T)], dim=2).relu()
        # the straight line in MACs is a skip connection: with few samples the graph need only learn what it misses
        total_N1 = (gates_NLK * self.macs).sum((1, 2))[:, None]
        return (self.read_out(torch.cat([h.mean(1), h[:, -1]], 1)) + self.by_macs(10 * total_N1)).squeeze(1)

    def _nodes(self, gates_NLK: Tensor) -> Tensor:
        """(N, nodes, features)."""
        N, _, K = gates_NLK.shape
        cost = torch.einsum("nlk,lkd->nld", gates_NLK, self.descriptors)
        seen = torch.stack(flow(self.costs, gates_NLK), dim=2)
        searched = torch.cat([gates_NLK, self.place.expand(N, -1, -1), cost, seen], dim=2)
        searched = nn.functional.pad(searched, (0, 2))
        empty = self.fixed.new_zeros(len(self.fixed), 1)
        rest = empty.expand(-1, cost.shape[2] + seen.shape[2])
        fixed = torch.cat([empty.expand(-1, K), self.fixed, rest, empty + 1, empty], dim=1).expand(N, -1, -1)
        whole = torch.zeros_like(fixed[:, :1])
        whole[..., -1] = 1
        return torch.cat([fixed[:, : self.before], searched, fixed[:, self.before :], whole], dim=1)


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
