"""Optuna's samplers on our spaces, and our methods as a sampler of Optuna's studies. Optuna: Akiba et al. 2019."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from surgenas.core.architecture import Architecture
from surgenas.core.errors import EnvironmentFault, UsageError
from surgenas.core.seeds import generator
from surgenas.core.space import Space
from surgenas.core.trial import Trial
from surgenas.methods.base import allow_all
from surgenas.methods.blackbox import BlackBox
from surgenas.methods.foreign import ForeignLoop
from surgenas.methods.sampling import Feasible, Sampling

try:
    import optuna
    from optuna.distributions import BaseDistribution, CategoricalDistribution
except ImportError as error:
    raise EnvironmentFault("Optuna is not installed: pip install 'surgenas[lab]'") from error


@dataclass(frozen=True, kw_only=True)
class OptunaSearch(Sampling):
    """A search by a sampler of Optuna.

    make: from a seed to a sampler of Optuna.
    """

    make: Callable[[int], Any]

    def start(self, space: Space, rng: np.random.Generator, feasible: Feasible = allow_all) -> ForeignLoop:
        """A new study in memory."""
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        directions = ["maximize", "minimize"] if self.two_objectives else ["maximize"]
        study = optuna.create_study(sampler=self.make(int(rng.integers(2**31))), directions=directions)
        return _OptunaLoop(space, rng, feasible, study)


@dataclass(frozen=True, kw_only=True)
class TPE(OptunaSearch):
    """Tree-structured Parzen estimator (Bergstra et al. 2011), Optuna's default."""

    name: ClassVar[str] = "optuna-tpe"
    make: Callable[[int], Any] = lambda seed: optuna.samplers.TPESampler(seed=seed)


@dataclass(frozen=True, kw_only=True)
class OptunaNSGA2(OptunaSearch):
    """Optuna's NSGA-II for score and latency."""

    name: ClassVar[str] = "optuna-nsga2"
    make: Callable[[int], Any] = lambda seed: optuna.samplers.NSGAIISampler(seed=seed, population_size=40)
    two_objectives: ClassVar[bool] = True


class _OptunaLoop(ForeignLoop):
    def __init__(self, space: Space, rng: np.random.Generator, feasible: Feasible, study: Any) -> None:
        super().__init__(space, rng, feasible)
        self.study, self.distributions = study, distributions(space)

    def propose(self) -> tuple[Any, tuple[str, ...]]:
        trial = self.study.ask(self.distributions)
        return trial, _genes(self.space, trial.params)

    def suggest(self, arch: Architecture) -> Any:
        self.study.enqueue_trial(_params(self.space, arch))
        return self.study.ask(self.distributions)

    def answer(self, token: Any, trial: Trial) -> None:
        two = len(self.study.directions) > 1
        self.study.tell(token, [trial.score, trial.latency_ms] if two else trial.score)


class SurgenasSampler(optuna.samplers.BaseSampler):
    """One of our methods as the sampler of an Optuna study that maximises one value.

    study = optuna.create_study(direction="maximize", sampler=SurgenasSampler(space, WeakNAS()))
    The objective gets its architecture from `architecture(space, trial)`.
    """

    def __init__(self, space: Space, method: BlackBox, seed: int = 0, feasible: Feasible = allow_all) -> None:
        self.space, self.method, self.seed, self.feasible = space, method, seed, feasible

    def infer_relative_search_space(self, study: Any, trial: Any) -> dict[str, BaseDistribution]:
        return dict(distributions(self.space))

    def sample_relative(self, study: Any, trial: Any, search_space: dict[str, BaseDistribution]) -> dict[str, Any]:
        """Parameters of the next architecture, asked of the method with the study's finished trials as its history.
        Empty if the method finds no new architecture; Optuna then draws one.

        Raises UsageError for a study that does not maximise one value.
        """
        if [direction.name for direction in study.directions] != ["MAXIMIZE"]:
            raise UsageError('SurgenasSampler: expected a study with direction="maximize"')
        done = [
            t
            for t in study.get_trials(deepcopy=False)
            if t.value is not None and search_space.keys() <= t.params.keys()
        ]
        history = [Trial.of(self.space, self.space.architecture(_genes(self.space, t.params)), t.value) for t in done]
        rng = generator(self.seed, "optuna", trial.number)
        found = self.method.ask(self.space, history, 1, rng, self.feasible)
        return _params(self.space, found[0]) if found else {}

    def sample_independent(self, study: Any, trial: Any, param_name: str, param_distribution: Any) -> Any:
        """A uniform draw, for parameters that are not choices of the space."""
        rng = generator(self.seed, "optuna", trial.number, param_name)
        return optuna.samplers.RandomSampler(int(rng.integers(2**31))).sample_independent(
            study, trial, param_name, param_distribution
        )


def distributions(space: Space) -> dict[str, CategoricalDistribution]:
    """Optuna's categorical distribution of every choice, by the choice's name."""
    return {choice.name: CategoricalDistribution(choice.options) for choice in space.choices}


def architecture(space: Space, trial: Any) -> Architecture:
    """The architecture of an Optuna trial, for use in an objective: suggests the gene of every choice."""
    genes = tuple(trial.suggest_categorical(choice.name, choice.options) for choice in space.choices)
    return space.architecture(genes)


def _genes(space: Space, params: dict[str, Any]) -> tuple[str, ...]:
    return tuple(params[choice.name] for choice in space.choices)


def _params(space: Space, arch: Architecture) -> dict[str, str]:
    return {choice.name: gene for choice, gene in zip(space.choices, arch.genes, strict=True)}
