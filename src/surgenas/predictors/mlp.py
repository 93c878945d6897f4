"""The predictor of LightNAS: an MLP on the one-hot code (147-128-64-1 for 21 layers of 7 operators)."""

from __future__ import annotations

from torch import nn

from surgenas.predictors.neural import NeuralPredictor


class MlpPredictor(NeuralPredictor):
    """An ensemble of networks with two hidden layers, of 128 and 64 units."""

    def make_network(self, layers: int, operators: int) -> nn.Module:
        return nn.Sequential(
            nn.Flatten(),
            nn.Linear(layers * operators, 128),
            nn.ReLU(),
            nn.Linear(128, 64),
            nn.ReLU(),
            nn.Linear(64, 1),
            nn.Flatten(0),
        )
