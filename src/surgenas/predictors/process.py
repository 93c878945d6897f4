"""A Gaussian process over the graph: latency as a sum over operators, plus what operators do to each other.

How much each group of `messages.describe` matters, and the noise, is what makes the measurements most likely
(Rasmussen & Williams 2006, chapter 5), so a device that deletes dead layers and one that does not get different
kernels. Which simplification of the graph is taken, and which scale of latency, is what predicts samples best that are
left out. Single measurements gone wrong count less (iteratively reweighted least squares on leave-one-out residuals).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from surgenas.core.space import CostTable, Floats
from surgenas.predictors.base import Predictor
from surgenas.predictors.errors import relative_errors
from surgenas.predictors.kernel import Gram, Groups, Kernel, Solution, squared_distances, start_values
from surgenas.predictors.scale import SHARES, Scale
from surgenas.predictors.simplify import Simplify, simplifications

LEARNED_FROM = 400
"""How many samples the kernel is learned from, since the work grows with their cube; the fit itself uses all."""
CHOSEN_FROM, CHOSEN_IN = 200, 20
"""From how many samples a simplification and a scale are chosen, and after how many steps of the line search each."""
SURE = 2.0
"""How many standard errors another simplification or scale must be better by."""
AT_MOST = 4000
"""How many samples are used at most; of more, a random part."""
OUTLIER = 2.0
"""Beyond this many standard deviations a leave-one-out residual is taken for a measurement gone wrong: the larger it
is, the less its sample counts."""
PASSES, STEPS = 3, 40
"""How often the kernel is learned and the samples are weighed, in turns; the steps of the line search in each turn."""


@dataclass(frozen=True, eq=False)
class _Seen:
    """The samples under one simplification: the groups of features that it leaves, and those of the samples,
    normalised, (N, F) each."""

    simplify: Simplify
    groups: Groups
    x: list[Tensor]

    def first(self, count: int) -> list[Tensor]:
        return [x_NF[:count] for x_NF in self.x]


@dataclass(frozen=True, eq=False)
class _Guess:
    """A way to understand the samples, the kernel's logs under it, and how far samples (N,) are off that are left out,
    as `relative_errors`."""

    seen: _Seen
    scale: Scale
    logs: Tensor
    off: Floats

    def beats(self, other: _Guess) -> bool:
        """Whether left-out samples are less off, by more than SURE standard errors of the difference."""
        gain = other.off - self.off
        return bool(gain.mean() > SURE * gain.std() / len(gain) ** 0.5)


class GraphProcess(Predictor):
    """A Gaussian process on groups of features.

    features: how to get these, in one way; by default one of `simplify.simplifications`. outlier: as OUTLIER. shares:
    which scales of latency to choose from, as SHARES in `scale`.
    """

    def __init__(
        self,
        costs: CostTable,
        *,
        seed: int = 0,
        features: Simplify | None = None,
        outlier: float = OUTLIER,
        shares: Sequence[float] = SHARES,
    ) -> None:
        super().__init__(costs, seed=seed)
        self.features, self.outlier, self.shares = features, outlier, shares

    def learn(self, code_NLK: Floats, latency_ms_N: Floats) -> None:
        rng = np.random.default_rng(self.seed)
        order = rng.permutation(len(code_NLK))[:AT_MOST]
        code = torch.from_numpy(np.asarray(code_NLK, dtype=np.float64)[order])
        latency_ms = np.asarray(latency_ms_N, dtype=np.float64)[order]
        guess = self._choose(code, latency_ms)
        self.simplify, self.scale, self.groups = guess.seen.simplify, guess.scale, guess.seen.groups
        y, x, logs = self.scale.of(torch.from_numpy(latency_ms)), guess.seen.x, guess.logs
        part, weight = slice(LEARNED_FROM), torch.ones_like(y)
        gram = Gram.of(guess.seen.first(LEARNED_FROM))
        for _ in range(PASSES):
            logs = gram.most_likely(y[part], weight[part], logs, STEPS)
            solution = Solution.of(Kernel.at(logs), x, y, weight, self.outlier)
            weight = solution.weight
        self._keep(Kernel.at(logs), x, solution)

    def _choose(self, code: Tensor, latency_ms: Floats) -> _Guess:
        """The simplification, then the scale, under which left-out samples are off least; each next one must beat what
        was the best before."""
        ways = [self.features] if self.features else simplifications(self.costs)
        scales = [Scale.at(share, latency_ms) for share in self.shares]
        best = self._guess(self._see(code, ways[0]), scales[0], latency_ms)
        for way in ways[1:]:
            guess = self._guess(self._see(code, way), scales[0], latency_ms)
            best = guess if guess.beats(best) else best
        for scale in scales[1:]:
            guess = self._guess(best.seen, scale, latency_ms)
            best = guess if guess.beats(best) else best
        return best

    def _see(self, code: Tensor, simplify: Simplify) -> _Seen:
        features = simplify(self.costs, code)
        groups = Groups.of(features)
        return _Seen(simplify, groups, groups.normalise(features))

    def _guess(self, seen: _Seen, scale: Scale, latency_ms: Floats) -> _Guess:
        ms = torch.from_numpy(latency_ms[:CHOSEN_FROM])
        x, y, weight = seen.first(CHOSEN_FROM), scale.of(ms), torch.ones_like(ms)
        logs = Gram.of(x).most_likely(y, weight, start_values(len(x)), CHOSEN_IN)
        solution = Solution.of(Kernel.at(logs), x, y, weight, self.outlier)
        left_out_ms = scale.ms(solution.left_out)
        return _Guess(seen, scale, logs, relative_errors(left_out_ms.numpy(), ms.numpy()))

    def _keep(self, kernel: Kernel, x: list[Tensor], found: Solution) -> None:
        self.kernel = kernel
        self.straight = kernel.linear_features(x).float()
        self.bent = kernel.smooth_features(x).float()
        self.slope = (kernel.linear_features(x).T @ found.of_samples).float()
        self.solution = (kernel.r * found.of_samples).float()
        self.factor = found.factor.float()

    def predict_relaxed(self, gates_NLK: Tensor) -> Tensor:
        return self.scale.ms(self._mean(self._features_of(gates_NLK)))

    def uncertainty(self, code_NLK: Floats) -> Floats:
        """The posterior's standard deviation (N,) in ms for one more measurement, its noise included."""
        parts = torch.from_numpy(np.asarray(code_NLK, dtype=np.float32)).split(4096)
        return torch.cat([self._deviation_ms(part) for part in parts]).double().numpy()

    def _features_of(self, gates_NLK: Tensor) -> list[Tensor]:
        return self.groups.normalise(self.simplify(self.costs, gates_NLK))

    def _mean(self, x: list[Tensor]) -> Tensor:
        smooth = torch.exp(-0.5 * squared_distances(self.kernel.smooth_features(x), self.bent)) @ self.solution
        return self.kernel.linear_features(x) @ self.slope + smooth

    def _deviation_ms(self, code_NLK: Tensor) -> Tensor:
        x = self._features_of(code_NLK)
        straight, r = self.kernel.linear_features(x), self.kernel.r.float()
        across = straight @ self.straight.T + r * torch.exp(
            -0.5 * squared_distances(self.kernel.smooth_features(x), self.bent)
        )
        explained = torch.linalg.solve_triangular(self.factor, across.T, upper=False).square().sum(0)
        unknown = (straight.square().sum(1) + r - explained).clamp(min=0)
        return self.scale.deviation_ms(self._mean(x), (unknown + self.kernel.noise.float()).sqrt())
