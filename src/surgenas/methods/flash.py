"""FLASH: a formula learned from a few trained networks predicts accuracy, and a global optimiser maximises it.

After Li, Mandal, Ogras, Marculescu: "FLASH: Fast Neural Architecture Search with Hardware Optimization", ACM TECS 2021,
arXiv 2108.00568, which has no public code (docs/methods/flash.md).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from surgenas.accuracy import USUAL
from surgenas.accuracy.analytical import Analytical, Form
from surgenas.accuracy.base import AccuracyPredictor, make_accuracy_predictor, usable
from surgenas.accuracy.evaluate import choose
from surgenas.accuracy.explained import Explained
from surgenas.core import moves
from surgenas.core.architecture import Architecture
from surgenas.core.bounds import Count
from surgenas.core.capabilities import Boxed
from surgenas.core.errors import LimitError, UsageError
from surgenas.core.space import Space
from surgenas.core.trial import Trial
from surgenas.core.units import show_ms
from surgenas.methods.base import Needs, Problem, allow_all
from surgenas.methods.blackbox import BlackBox, draw_new_at_random, tried_keys
from surgenas.methods.inside import Inside
from surgenas.methods.promising import find_promising
from surgenas.methods.sampling import Feasible, SamplingSearch
from surgenas.methods.spread import spread

POOL = 20
"""The first networks are chosen among so many times as many, drawn at random."""
LOOKED_AT = 500
"""So many networks are drawn in either way to name the one nearest to a limit that nothing meets."""


@dataclass(frozen=True, kw_only=True)
class Flash(BlackBox):
    """FLASH (Li et al. 2021): judges a few networks, learns what explains their accuracy, and judges those that are
    predicted to be best.

    trials: networks judged in all.
    batch: how many of the best predicted ones are judged after a fit; while trials are left, there is another one.
    first: how many networks are learned from at first, spread over the space.
    models: accuracy predictors to choose from by held-out error, names joined by commas; empty for all that the space
    allows.
    form: f in 1 / accuracy = a f(g) + b: exp(1/g), 1/g ("inverse") or -log g.
    """

    name: ClassVar[str] = "flash"
    trials: Count = 35
    batch: Count = 10
    first: Count = 25
    models: str = ""
    form: Form = "exp"

    def __post_init__(self) -> None:
        if self.models and not all(name.strip() for name in self.models.split(",")):
            raise UsageError(f"models={self.models}: expected names joined by commas, of {', '.join(USUAL)}")

    @property
    def samples(self) -> int:
        """How many networks are learned from at first: fewer than `first` where that leaves no trials for the best."""
        return max(1, min(self.first, max(self.trials // 2, self.trials - self.batch)))

    def needs(self, space: Space) -> Needs:
        self.predictors(space)  # so that a model that the space has not is refused before anything runs
        return replace(super().needs(space), cost="relaxed" if isinstance(space, Boxed) else "any")

    def begin(self, problem: Problem) -> FlashSearch:
        return FlashSearch(self, problem)

    def predictors(self, space: Space) -> dict[str, AccuracyPredictor]:
        """The models to choose from by name, not fitted yet. Raises UsageError for one that the space does not
        allow."""
        names = [name.strip() for name in self.models.split(",")] if self.models else usable(USUAL, space)
        made = {name: make_accuracy_predictor(name, space) for name in names}
        return {
            name: type(model)(space, form=self.form) if isinstance(model, Analytical) else model
            for name, model in made.items()
        }

    def explain(self, space: Space, history: Sequence[Trial]) -> tuple[AccuracyPredictor | None, Explained]:
        """The model of the least held-out error, None if none explains the trials; and how well each of them does."""
        scores_N = np.array([trial.score for trial in history])
        return choose(self.predictors(space), [trial.arch for trial in history], scores_N)

    def ask(
        self, space: Space, history: Sequence[Trial], n: int, rng: np.random.Generator, feasible: Feasible = allow_all
    ) -> list[Architecture]:
        """Raises LimitError, naming the nearest network, if none can be found that is inside the limit."""
        known = tried_keys(history)
        lacking = self.samples - len(history)
        if lacking > 0:
            pool = draw_new_at_random(space, POOL * min(n, lacking), known, rng, feasible)
            if not pool and not history and isinstance(feasible, Inside):
                raise _none_inside(space, feasible, rng)
            return spread(space, pool, [trial.arch for trial in history], min(n, lacking))
        model, _ = self.explain(space, history)
        found = find_promising(space, model, history, n, feasible, rng) if model else []
        known |= {moves.canonical_key(space, arch) for arch in found}
        return found + draw_new_at_random(space, n - len(found), known, rng, feasible)


class FlashSearch(SamplingSearch):
    """Tells, beside all else, what explains the accuracy of the networks that it learned from at first."""

    method: Flash

    def explained(self) -> Explained | None:
        """The models on the first networks, which were chosen without a look at any accuracy; None before there are
        any."""
        first = self.history[: self.method.samples]
        return self.method.explain(self.space, first)[1] if first else None


def _none_inside(space: Space, inside: Inside, rng: np.random.Generator) -> LimitError:
    archs = [*moves.sample_many(space, LOOKED_AT, rng), *(moves.sample_skewed(space, rng) for _ in range(LOOKED_AT))]
    ms_N = inside.predictor.predict(moves.encode(space, archs))
    nearest = int(ms_N.argmin())
    return LimitError(
        f"no network is predicted to be inside {show_ms(inside.limit())}; the nearest of {len(archs)} takes "
        f"{show_ms(float(ms_N[nearest]))}: {archs[nearest]}"
    )
