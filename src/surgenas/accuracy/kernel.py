"""Accuracy from a look at the untrained network: how differently does it treat different images?

After "Neural Architecture Search without Training" (Mellor, Turner, Storkey, Crowley, ICML 2021): each image has a
code, a bit for every unit that is on; the score is the log-determinant of the number of bits that two images share.
Ours: a unit is a value behind a batch norm, so that any activation will do, and the images are noise.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from sklearn.linear_model import LinearRegression
from torch import Tensor, nn

from surgenas.accuracy.base import AccuracyPredictor
from surgenas.core.architecture import Architecture
from surgenas.core.space import Floats
from surgenas.nn.statistics import batch_norms, batch_statistics

IMAGES = 16
ALIKE = 1e-6
"""Added to the diagonal, so that images that are treated alike make no determinant of zero."""


class Kernel(AccuracyPredictor):
    """A straight line in the score of the untrained network. Each network is built and run once, which takes about as
    long as a step of training."""

    def learn(self, archs: Sequence[Architecture], scores_N: Floats) -> None:
        self.mean = float(scores_N.mean())
        self.model = LinearRegression().fit(self._scores(archs)[:, None], scores_N)
        if self.model.coef_[0] <= 0:
            self.refusal = "the score of the untrained network does not explain these samples"

    def predict(self, archs: Sequence[Architecture]) -> Floats:
        if self.refusal or not len(archs):
            return np.full(len(archs), self.mean)
        return np.asarray(self.model.predict(self._scores(archs)[:, None]))

    def _scores(self, archs: Sequence[Architecture]) -> Floats:
        known: dict[str, float] = self.__dict__.setdefault("_known", {})
        for arch in archs:
            if arch.key not in known:
                with torch.random.fork_rng(devices=[]):
                    torch.manual_seed(self.seed)
                    known[arch.key] = score(self.space.build(arch), torch.randn(IMAGES, *self.space.input_of(arch)))
        return np.array([known[arch.key] for arch in archs])


@torch.no_grad()
def score(network: nn.Module, images_NCHW: Tensor) -> float:
    """The log-determinant of how many units two images share, for all pairs of them, relative to the number of units.

    It is at most 0, lowest where all images are treated alike, and 0 for a network without batch norms.
    """
    shared_NN = torch.zeros(len(images_NCHW), len(images_NCHW), dtype=torch.float64)
    units = 0

    def look(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        nonlocal units
        on_NU = (output.flatten(1) > 0).double()
        shared_NN.add_(on_NU @ on_NU.T + (1 - on_NU) @ (1 - on_NU).T)
        units += on_NU.shape[1]

    hooks = [norm.register_forward_hook(look) for norm in batch_norms(network)]
    with batch_statistics(network):
        network(images_NCHW)
    for hook in hooks:
        hook.remove()
    if not units:
        return 0.0
    return float(torch.logdet(shared_NN / units + ALIKE * torch.eye(len(shared_NN))))
