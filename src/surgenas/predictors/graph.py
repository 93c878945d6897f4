"""The graph network of SurgeNAS (sheet section 5): operators as nodes, the data flow as edges, one global node."""

from __future__ import annotations

import warnings

import numpy as np
import torch
from torch import Tensor, nn

with warnings.catch_warnings():  # PyG 2.8 scripts a function at import, which torch 2.14 calls deprecated
    warnings.simplefilter("ignore", FutureWarning)
    warnings.simplefilter("ignore", DeprecationWarning)
    from torch_geometric.nn.dense import DenseGCNConv

from surgenas.core.space import CostTable
from surgenas.predictors.neural import NeuralPredictor


class GraphPredictor(NeuralPredictor):
    """3 dense GCN layers x 128, sum read-out, 64, 1."""

    def make_network(self, layers: int, operators: int) -> nn.Module:
        return _GraphNetwork(self.costs)


class _GraphNetwork(nn.Module):
    """Nodes: the fixed parts before, L layers, the fixed parts after, global. (N, L, K) gates -> (N,).

    A layer's features are its gates, its geometry, and the MACs and parameters of its operator (linear in the
    gates, so that they stay differentiable): a network that shares its weights over layers cannot otherwise know
    that one operator costs more in one layer than in another.
    """

    descriptors: Tensor
    macs: Tensor
    geometry: Tensor
    fixed: Tensor
    adjacency: Tensor

    def __init__(self, costs: CostTable, width: int = 128) -> None:
        super().__init__()
        self.before = costs.fixed_before
        L, K = costs.macs.shape
        descriptors = np.stack([np.log1p(costs.macs), np.log1p(costs.params)], axis=-1)
        for name, values in (
            ("descriptors", descriptors / descriptors.max((0, 1))),
            ("macs", costs.macs / costs.macs.max(1).sum()),
            ("geometry", _standardised(costs.geometry, costs.geometry)),
            ("fixed", _standardised(costs.fixed_geometry, costs.geometry)),
            ("adjacency", _adjacency(L + len(costs.fixed_geometry))),
        ):
            self.register_buffer(name, torch.from_numpy(np.asarray(values, dtype=np.float32)))
        features = K + costs.geometry.shape[1] + descriptors.shape[2] + 2  # + marks of fixed and global nodes
        self.layers = nn.ModuleList(DenseGCNConv(features if i == 0 else width, width) for i in range(3))
        self.read_out = nn.Sequential(nn.Linear(width, 64), nn.ReLU(), nn.Linear(64, 1))
        self.by_macs = nn.Linear(1, 1)

    def forward(self, gates_NLK: Tensor) -> Tensor:
        h = self._nodes(gates_NLK)
        for layer in self.layers:
            h = layer(h, self.adjacency, add_loop=False).relu()
        # the straight line in MACs is a skip connection: with few samples the graph need only learn what it misses
        total_N1 = (gates_NLK * self.macs).sum((1, 2))[:, None]
        return (self.read_out(h.mean(1)) + self.by_macs(10 * total_N1)).squeeze(1)

    def _nodes(self, gates_NLK: Tensor) -> Tensor:
        """(N, nodes, features)."""
        N, _, K = gates_NLK.shape
        cost = torch.einsum("nlk,lkd->nld", gates_NLK, self.descriptors)
        searched = torch.cat([gates_NLK, self.geometry.expand(N, -1, -1), cost], dim=2)
        searched = nn.functional.pad(searched, (0, 2))
        empty = self.fixed.new_zeros(len(self.fixed), 1)
        fixed = torch.cat([empty.expand(-1, K), self.fixed, empty.expand(-1, cost.shape[2]), empty + 1, empty], dim=1)
        fixed = fixed.expand(N, -1, -1)
        whole = torch.zeros_like(fixed[:, :1])
        whole[..., -1] = 1
        return torch.cat([fixed[:, : self.before], searched, fixed[:, self.before :], whole], dim=1)


def _adjacency(chain: int) -> np.ndarray:
    """Chain, self loops, all -> global; row = receiving node."""
    nodes = chain + 1
    adjacency = np.eye(nodes) + np.eye(nodes, k=-1)
    adjacency[-1] = 1.0
    return adjacency


def _standardised(values: np.ndarray, by: np.ndarray) -> np.ndarray:
    return (values - by.mean(0)) / (by.std(0) + 1e-6)
