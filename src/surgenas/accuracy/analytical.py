"""Accuracy as a formula of one number of the network, after FLASH (docs/methods/flash.md, 3):

    1 / accuracy = a f(g / mean g) + b        a, b by least squares

where g is a topology number, or for comparison MACs, parameters, or the number of layers that compute.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from typing import ClassVar, Literal, Self

import numpy as np
import torch

from surgenas.accuracy.base import AccuracyPredictor
from surgenas.core import moves
from surgenas.core.architecture import Architecture
from surgenas.core.capabilities import Boxed, Counted, Indexed, require
from surgenas.core.errors import UsageError
from surgenas.core.pairs import Pairs
from surgenas.core.space import Floats, Space

Form = Literal["exp", "inverse", "log"]
FORMS: dict[Form, Callable[[Floats], Floats]] = {
    "exp": lambda u: np.exp(1 / u),
    "inverse": lambda u: 1 / u,
    "log": lambda u: -np.log(u),
}
"""f by name. Each falls as the number grows, so that accuracy grows with the number where a is above zero."""
LEAST = 0.2
"""Numbers below this share of the samples' mean count as this share: f is infinite at zero, where networks without any
links have their mass."""
FLAT = 1e-9
"""What a f must move 1 / accuracy by, relative to its mean, to explain anything."""
MOST = 2.0
"""Beyond the samples nothing is predicted to be so many times as good as the best of them."""


class Analytical(AccuracyPredictor):
    """1 / accuracy = a f(g / mean g) + b. form: which f."""

    relaxes = True
    number: ClassVar[str]

    def __init__(self, space: Space, *, seed: int = 0, form: Form = "exp") -> None:
        super().__init__(space, seed=seed)
        self.form = form

    @abstractmethod
    def numbers(self, archs: Sequence[Architecture]) -> Floats:
        """g of N networks, (N,)."""

    @abstractmethod
    def numbers_at(self, values_NC: Floats) -> Floats:
        """g at numbers (N, C) between the options of a `Boxed` space, (N,)."""

    def learn(self, archs: Sequence[Architecture], scores_N: Floats) -> None:
        g_N = self.numbers(archs)
        self.mean, self.a, self.b = float(g_N.mean()), 0.0, 1.0
        self.average, self.best = float(scores_N.mean()), float(scores_N.max())
        self.refusal = self._fit(g_N, scores_N)

    def _fit(self, g_N: Floats, scores_N: Floats) -> str:
        """Set a and b; why they explain nothing, or an empty text."""
        if scores_N.min() <= 0:
            return f"a score of {scores_N.min():g} has no inverse"
        if len(set(g_N.tolist())) < 2:
            return f"{self.number} is the same in all {len(g_N)} samples"
        f_N, inverse_N = self._f(g_N), 1 / scores_N
        if np.ptp(f_N) == 0:
            return f"{self.number} is hardly there in any of the {len(g_N)} samples"
        a, b = np.linalg.lstsq(np.stack([f_N, np.ones_like(f_N)], 1), inverse_N, rcond=None)[0]
        self.a, self.b = float(a), float(b)
        moved = a * np.ptp(f_N) / inverse_N.mean()
        if moved <= FLAT:
            how = "falls" if moved < -FLAT else "does not change"
            return f"{self.number} does not explain these samples: accuracy {how} with it"
        return ""

    def predict(self, archs: Sequence[Architecture]) -> Floats:
        return self.accuracy_of(self.numbers(archs)) if len(archs) else np.empty(0)

    def predict_at(self, values_NC: Floats) -> Floats:
        return self.accuracy_of(self.numbers_at(values_NC))

    def accuracy_of(self, g_N: Floats) -> Floats:
        """The accuracies (N,) that numbers (N,) stand for."""
        if self.refusal:
            return np.full(len(g_N), self.average)
        return 1 / np.maximum(self.a * self._f(g_N) + self.b, 1 / (MOST * self.best))

    def make_unfitted(self) -> Self:
        return type(self)(self.space, seed=self.seed, form=self.form)

    def _f(self, g_N: Floats) -> Floats:
        return FORMS[self.form](np.maximum(g_N / self.mean, LEAST))


class _Topology(Analytical):
    """A number of widths and of links that skip layers."""

    def __init__(self, space: Space, *, seed: int = 0, form: Form = "exp") -> None:
        super().__init__(space, seed=seed, form=form)
        self.indexed = require(space, Indexed)

    def numbers(self, archs: Sequence[Architecture]) -> Floats:
        return self.indexed.indices(archs)[self.number]

    def numbers_at(self, values_NC: Floats) -> Floats:
        return require(self.space, Boxed).indices_at(values_NC)[self.number]


class Degree(_Topology):
    """NN-Degree after FLASH (docs/methods/flash.md, 2)."""

    number = "degree"


class Mass(_Topology):
    """NN-Mass (docs/methods/flash.md, 2)."""

    number = "mass"


class _Counts(Analytical):
    """A number that is counted from the sizes of layers."""

    def __init__(self, space: Space, *, seed: int = 0, form: Form = "exp") -> None:
        super().__init__(space, seed=seed, form=form)
        self.costs = require(space, Counted).costs()

    @abstractmethod
    def count(self, gates_NLK: Floats) -> Floats:
        """g of gates (N, L, K), (N,)."""

    def numbers(self, archs: Sequence[Architecture]) -> Floats:
        return self.count(moves.encode(self.space, archs))

    def numbers_at(self, values_NC: Floats) -> Floats:
        return self.count(require(self.space, Boxed).gates_at(values_NC))

    def _layers(self, gates_NLK: Floats) -> Floats:
        """(N, M, 3) as `CostTable.counts`."""
        return np.asarray(self.costs.counts(torch.from_numpy(gates_NLK)).numpy())


class Macs(_Counts):
    """Multiply-accumulates of one image."""

    number = "macs"

    def count(self, gates_NLK: Floats) -> Floats:
        return self.costs.macs_of(gates_NLK)


class Params(_Counts):
    """Parameters."""

    number = "params"

    def count(self, gates_NLK: Floats) -> Floats:
        return np.asarray(self._layers(gates_NLK)[:, :, 1].sum(1) + self.costs.fixed_params)


class Depth(_Counts):
    """How many layers compute anything. There is nothing in between."""

    relaxes = False
    number = "depth"

    def __init__(self, space: Space, *, seed: int = 0, form: Form = "exp") -> None:
        super().__init__(space, seed=seed, form=form)
        if isinstance(self.costs.coupled, Pairs):
            raise UsageError(f"a row of {space.name} is several layers, so that their number is not known; use mass")

    def count(self, gates_NLK: Floats) -> Floats:
        return np.asarray((self._layers(gates_NLK)[:, :, 0] > 0).sum(1), dtype=np.float64)
