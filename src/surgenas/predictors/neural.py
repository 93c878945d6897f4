"""How the neural predictors are trained: standardised target, Adam, cosine schedule (docs/methods/surgenas.md, 8),
a loss that sees order as well as size, and an ensemble whose members each leave out a part of the samples."""

from __future__ import annotations

from abc import abstractmethod

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim.lr_scheduler import CosineAnnealingLR

from surgenas.core.space import CostTable, Floats
from surgenas.predictors.base import Predictor

TIE = 0.05
"""Two standardised latencies nearer than this are a tie: their order is noise, and is not learned."""


class NeuralPredictor(Predictor):
    """The mean of `members` networks, each of gates (N, L, K) -> standardised latency (N,).

    steps: updates of each network at most; batch: samples of an update; lr: the first learning rate.
    """

    networks: nn.ModuleList

    def __init__(
        self, costs: CostTable, *, seed: int = 0, steps: int = 300, batch: int = 64, lr: float = 6e-3, members: int = 3
    ) -> None:
        super().__init__(costs, seed=seed)
        self.steps, self.batch, self.lr, self.members = steps, batch, lr, members
        self.mean, self.std = 0.0, 1.0

    @abstractmethod
    def make_network(self, layers: int, operators: int) -> nn.Module:
        """A freshly initialised network: codes (N, layers, operators) -> (N,)."""

    def learn(self, code_NLK: Floats, latency_ms_N: Floats) -> None:
        code = torch.from_numpy(np.asarray(code_NLK, dtype=np.float32))
        target = torch.from_numpy(np.asarray(latency_ms_N, dtype=np.float32))
        self.mean, self.std = float(target.mean()), max(float(target.std(correction=0)), 1e-9)
        y = (target - self.mean) / self.std
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.seed)
            part = torch.randperm(len(code)) % self.members if len(code) >= 4 * self.members > 4 else None
            squares, networks = [], []
            for member in range(self.members):
                kept = part != member if part is not None else torch.ones(len(code), dtype=torch.bool)
                network = self.make_network(*code.shape[1:])
                self._train(network, code[kept], y[kept])
                networks.append(network.eval().requires_grad_(False))
                squares.append((network(code[~kept]) - y[~kept]).square())
        self.networks = nn.ModuleList(networks)
        self.left_out_ms = float(torch.cat(squares).mean().sqrt()) * self.std if part is not None else float("inf")

    def predict_relaxed(self, gates_NLK: Tensor) -> Tensor:
        return self._members(gates_NLK).mean(0) * self.std + self.mean

    def uncertainty(self, code_NLK: Floats) -> Floats:
        """(N,) in ms: the members' error on the samples that each had left out, and their spread, added in squares."""
        parts = torch.from_numpy(np.asarray(code_NLK, dtype=np.float32)).split(self.chunk)
        spread = torch.cat([self._members(part).std(0, correction=0) for part in parts]) * self.std
        return np.hypot(spread.double().numpy(), self.left_out_ms)

    def _members(self, gates_NLK: Tensor) -> Tensor:
        return torch.stack([network(gates_NLK) for network in self.networks])

    def _train(self, network: nn.Module, code: Tensor, target: Tensor) -> None:
        optimizer = torch.optim.AdamW(network.parameters(), lr=self.lr, weight_decay=1e-3, fused=True)
        steps = min(self.steps, max(100, 4 * len(code)))  # few samples are soon learned
        schedule = CosineAnnealingLR(optimizer, steps)
        order: list[int] = []
        for _ in range(steps):
            if len(order) < min(self.batch, len(code)):
                order = torch.randperm(len(code)).tolist()
            picked, order = order[: self.batch], order[self.batch :]
            optimizer.zero_grad()
            loss(network(code[picked]), target[picked]).backward()
            optimizer.step()
            schedule.step()


def loss(predicted_N: Tensor, target_N: Tensor) -> Tensor:
    """The loss of predictions (N,), both standardised: one part for their size, one for their order.

    Size is Huber's loss, in which outliers count linearly; order is a hinge on all pairs of the batch that are no tie.
    """
    size = nn.functional.huber_loss(predicted_N, target_N, delta=0.5)
    apart_NN = target_N[:, None] - target_N
    agree_NN = (predicted_N[:, None] - predicted_N) * apart_NN.sign()
    ordered = apart_NN.abs() > TIE
    hinge = (apart_NN.abs().clamp(max=0.2) - agree_NN).clamp(min=0)[ordered]
    return size + hinge.mean() if len(hinge) else size
