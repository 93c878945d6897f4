"""A Gaussian process over the graph: latency as a sum over operators, plus what operators do to each other.

How much each group of `messages.describe` matters, and the noise, is what makes the measurements most likely (Rasmussen &
Williams 2006, chapter 5), so a device that deletes dead layers and one that does not get different kernels. The scale
of latency, and which network was measured, are those under which samples that are left out are expected best. Single
measurements gone wrong count less (iteratively reweighted least squares on leave-one-out residuals).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from surgenas.core.space import CostTable, Floats
from surgenas.predictors.base import Predictor
from surgenas.predictors.errors import relative_errors
from surgenas.predictors.kernel import MIDDLE, SURE, Gram, Groups, Kernel, Solution, log_values, squared_distances
from surgenas.predictors.messages import describe
from surgenas.predictors.scale import SHARES, Scale
from surgenas.predictors.stand_in import itself, stand_in

Describe = Callable[[CostTable, Tensor], dict[str, Tensor]]
View = Callable[[CostTable, Tensor], Tensor]
LEARNED_FROM = 400
"""How many samples the kernel is learned from, since the work grows with their cube; the fit itself uses all."""
CHOSEN_FROM, CHOSEN_IN = 200, 20
"""From how many samples the scale and the view are chosen, and after how many steps of the line search for each."""
AT_MOST = 4000
"""How many samples are used at most; of more, a random part."""
OUTLIER = 2.0
"""Beyond this many standard deviations a leave-one-out residual is taken for a measurement gone wrong: the larger it
is, the less its sample counts."""
PASSES, STEPS = 3, 40
"""How often the kernel is learned and the samples are weighed, in turns; the steps of the line search in each turn."""


@dataclass(frozen=True, eq=False)
class _Seen:
    """The samples as one view shows them: the view, and its groups of features, normalised, (N, F) each."""

    view: View
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
        """Whether left-out samples are less off, by more than the standard error of the difference."""
        gain = other.off - self.off
        return bool(gain.mean() > gain.std() / len(gain) ** 0.5)


class GraphProcess(Predictor):
    """A Gaussian process on groups of features; by default those of `messages.describe`. outlier: as OUTLIER.

    shares: which scales of latency to choose from, as SHARES in `scale`.
    """

    def __init__(
        self,
        costs: CostTable,
        *,
        seed: int = 0,
        features: Describe = describe,
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
        self.view, self.scale, self.groups = guess.seen.view, guess.scale, guess.seen.groups
        y, x, logs = self.scale.of(torch.from_numpy(latency_ms)), guess.seen.x, guess.logs
        part, weight = slice(LEARNED_FROM), torch.ones_like(y)
        gram = Gram.of(guess.seen.first(LEARNED_FROM))
        for _ in range(PASSES):
            logs, _ = gram.most_likely(y[part], weight[part], logs, STEPS)
            solution = Solution.of(Kernel.at(logs), x, y, weight, self.outlier)
            weight = solution.weight
        self._keep(Kernel.at(logs), x, solution)

    def _choose(self, code: Tensor, latency_ms: Floats) -> _Guess:
        """The view, then the scale, under which left-out samples are off least; the plainer one unless it is beaten."""
        scales = [Scale.at(share * float(np.median(latency_ms)), latency_ms) for share in self.shares]
        views = [itself] if self.costs.stand_ins is None else [itself, stand_in]
        best = self._guess(self._see(code, views[0]), scales[0], latency_ms)
        for guess in (self._guess(self._see(code, view), scales[0], latency_ms) for view in views[1:]):
            best = guess if guess.beats(best) else best
        for guess in [self._guess(best.seen, scale, latency_ms) for scale in scales[1:]]:
            best = guess if guess.beats(best) else best
        return best

    def _see(self, code: Tensor, view: View) -> _Seen:
        features = self.features(self.costs, view(self.costs, code))
        groups = Groups.of(features)
        return _Seen(view, groups, groups.normalise(features))

    def _guess(self, seen: _Seen, scale: Scale, latency_ms: Floats) -> _Guess:
        ms = torch.from_numpy(latency_ms[:CHOSEN_FROM])
        x, y, weight = seen.first(CHOSEN_FROM), scale.of(ms), torch.ones_like(ms)
        gram = Gram.of(x)
        found = [gram.most_likely(y, weight, log_values(len(x), start), CHOSEN_IN) for start in (MIDDLE, SURE)]
        logs, _ = min(found, key=lambda pair: pair[1])
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
        return self.groups.normalise(self.features(self.costs, self.view(self.costs, gates_NLK)))

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
