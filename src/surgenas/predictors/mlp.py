"""MLPs on the one-hot code: LightNAS's predictor (147-128-64-1 for 21 layers of 7 operators), and LA-DARTS's."""

from __future__ import annotations

from itertools import pairwise
from typing import ClassVar

from torch import nn

from surgenas.predictors.neural import NeuralPredictor


class MlpPredictor(NeuralPredictor):
    """An ensemble of networks with hidden layers of 128 and 64 units, as LightNAS has them."""

    widths: ClassVar[tuple[int, ...]] = (128, 64)

    def make_network(self, layers: int, operators: int) -> nn.Module:
        sizes = (layers * operators, *self.widths)
        hidden = [layer for i, o in pairwise(sizes) for layer in (nn.Linear(i, o), nn.ReLU())]
        return nn.Sequential(nn.Flatten(), *hidden, nn.Linear(sizes[-1], 1), nn.Flatten(0))


class LpmPredictor(MlpPredictor):
    """The latency prediction module of LA-DARTS; its widths are not known, these are ours (docs/methods/darts.md)."""

    widths: ClassVar[tuple[int, ...]] = (512, 512, 256)
