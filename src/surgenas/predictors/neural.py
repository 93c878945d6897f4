"""How the neural predictors are trained: standardised target, Adam, cosine schedule (SurgeNAS, sheet section 5)."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim.lr_scheduler import CosineAnnealingLR

from surgenas.core.space import CostTable, Floats
from surgenas.predictors.base import Predictor


class NeuralPredictor(Predictor):
    """A network on gates, (N, L, K) -> (N,) standardised latency."""

    network: nn.Module

    def __init__(self, costs: CostTable, *, seed: int = 0, steps: int = 600, batch: int = 64, lr: float = 3e-3) -> None:
        super().__init__(costs, seed=seed)
        self.steps, self.batch, self.lr = steps, batch, lr
        self.mean, self.std = 0.0, 1.0

    @abstractmethod
    def make_network(self, layers: int, operators: int) -> nn.Module:
        """A freshly initialised network for codes of (N, layers, operators)."""

    def fit(self, code_NLK: Floats, latency_ms_N: Floats) -> NeuralPredictor:
        code = torch.from_numpy(np.asarray(code_NLK, dtype=np.float32))
        target = torch.from_numpy(np.asarray(latency_ms_N, dtype=np.float32))
        self.mean, self.std = float(target.mean()), max(float(target.std()), 1e-9)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.seed)
            self.network = self.make_network(*code.shape[1:])
            _train(self.network, code, (target - self.mean) / self.std, self.steps, self.batch, self.lr)
        self.network.eval().requires_grad_(False)
        return self

    def predict_relaxed(self, gates_NLK: Tensor) -> Tensor:
        return self.network(gates_NLK) * self.std + self.mean


def _train(
    network: Callable[[Tensor], Tensor], code: Tensor, target: Tensor, steps: int, batch: int, lr: float
) -> None:
    assert isinstance(network, nn.Module)
    optimizer = torch.optim.Adam(network.parameters(), lr=lr)
    schedule = CosineAnnealingLR(optimizer, steps)
    order: list[int] = []
    for _ in range(steps):
        if len(order) < min(batch, len(code)):
            order = torch.randperm(len(code)).tolist()
        picked, order = order[:batch], order[batch:]
        optimizer.zero_grad()
        nn.functional.mse_loss(network(code[picked]), target[picked]).backward()
        optimizer.step()
        schedule.step()
