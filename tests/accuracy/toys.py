"""A small space of numbers, whose topology numbers are those of docs/methods/flash.md, and whose costs multiply."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from torch import Tensor, nn

from surgenas.core import moves
from surgenas.core.architecture import Architecture, Setting
from surgenas.core.products import Products
from surgenas.core.space import Choice, CostTable, Floats, Space
from surgenas.predictors.base import Predictor

DEPTH = 8


class Links(Space):
    """Cells of eight layers of some width, and skip links in each cell. A layer of it: one convolution a cell, whose
    MACs are width x (width + links)."""

    name = "links"

    def __init__(self, *, cells: int = 3, steps: int = 4) -> None:
        self.cells, self.steps = cells, steps
        self.widths = tuple(float(8 * (i + 1)) for i in range(steps))
        self.links = tuple(float(10 * i) for i in range(steps))

    @property
    def choices(self) -> tuple[Choice, ...]:
        kinds = (("width", self.widths), ("links", self.links))
        return tuple(
            Choice(f"{kind}{i}", tuple(f"{value:g}" for value in values))
            for kind, values in kinds
            for i in range(self.cells)
        )

    @property
    def settings(self) -> dict[str, Setting]:
        return {"cells": self.cells, "steps": self.steps}

    @property
    def input_shape(self) -> tuple[int, int, int]:
        return (3, 8, 8)

    def build(self, arch: Architecture) -> nn.Module:
        width = int(arch.genes[0])
        return nn.Sequential(
            nn.Conv2d(3, width, 3), nn.BatchNorm2d(width), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
            nn.Linear(width, 10),
        )  # fmt: skip

    # --- numbers

    def axes(self) -> tuple[tuple[float, ...], ...]:
        return (self.widths,) * self.cells + (self.links,) * self.cells

    def indices(self, archs: Sequence[Architecture]) -> dict[str, Floats]:
        return self.indices_at(np.array([[float(gene) for gene in arch.genes] for arch in archs]))

    def indices_at(self, values_NC: Floats) -> dict[str, Floats]:
        width, links = values_NC[:, : self.cells], values_NC[:, self.cells :]
        degree = (width + (DEPTH - 2) * links / (width * DEPTH)).sum(1)
        return {"degree": degree, "mass": (width * links / (links + 20)).sum(1)}

    def gates_at(self, values_NC: Floats) -> Floats:
        gates = [
            np.stack([np.interp(column, axis, unit) for unit in np.eye(len(axis))], 1)
            for axis, column in zip(self.axes(), values_NC.T, strict=True)
        ]
        return np.stack(gates, 1)

    # --- costs

    def costs(self) -> CostTable:
        M, L, K = self.cells, 2 * self.cells, self.steps
        slope, base = np.zeros((M, 5, L, K)), np.zeros((M, 5))
        base[:, 2:] = 1.0
        most = self.widths[-1] + self.links[-1]
        for m in range(M):
            slope[m, 0, m] = np.array(self.widths) / self.widths[-1]
            slope[m, 1, m] = np.array(self.widths) / most
            slope[m, 1, M + m] = np.array(self.links) / most
        weights = self.widths[-1] * most
        pixels = 4.0 ** np.arange(M, 0, -1)
        largest = np.stack([weights * pixels, np.full(M, weights), most * pixels, self.widths[-1] * pixels], 1)
        products = Products(largest, base, slope, np.zeros(M, dtype=bool))
        table = np.broadcast_to(np.arange(K, dtype=float), (L, K)).copy()
        return CostTable(table, table, np.zeros((L, 4)), 100.0, 10.0, np.zeros((1, 4)), 1, table, coupled=products)


class Megas(Predictor):
    """A predictor whose milliseconds are thousands of MACs."""

    def learn(self, code_NLK: Floats, latency_ms_N: Floats) -> None:
        pass

    def predict_relaxed(self, gates_NLK: Tensor) -> Tensor:
        return self.costs.counts(gates_NLK)[:, :, 0].sum(1) / 1e3


def planted(space: Links, archs: Sequence[Architecture]) -> Floats:
    """1 / (.1 exp(mean / degree) + .9), the mean over the whole space's middle: accuracies (N,) of degree alone."""
    degree = space.indices(archs)["degree"]
    middle = np.array([[(axis[0] + axis[-1]) / 2 for axis in space.axes()]])
    return 1 / (0.1 * np.exp(space.indices_at(middle)["degree"] / degree) + 0.9)


def drawn(space: Space, count: int, seed: int = 0) -> list[Architecture]:
    """Different networks, drawn uniformly."""
    rng = np.random.default_rng(seed)
    return list(dict.fromkeys(moves.sample_many(space, 2 * count, rng)))[:count]
