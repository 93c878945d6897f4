"""Optuna both ways: its samplers on our spaces, our methods in its studies."""

from __future__ import annotations

import numpy as np
import pytest

from surgenas.core import moves
from surgenas.core.errors import UsageError
from surgenas.core.trial import Trial
from surgenas.methods.blackbox import list_networks
from surgenas.methods.local_search import LocalSearch
from surgenas.methods.random_search import RandomSearch
from surgenas.spaces import make_space

optuna = pytest.importorskip("optuna")
from surgenas.methods.optuna import TPE, SurgenasSampler, architecture  # noqa: E402  where Optuna is


def test_our_method_as_a_sampler_of_an_optuna_study(go, macro, score):
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(direction="maximize", sampler=SurgenasSampler(macro, LocalSearch(starts=5), seed=1))
    study.optimize(lambda trial: score(architecture(macro, trial)), n_trials=40)
    ours = go(LocalSearch(starts=5), 40, seed=1)
    assert len({str(trial.params) for trial in study.trials}) == 40
    assert study.best_value >= np.quantile([trial.score for trial in ours], 0.8)


def test_a_study_that_minimises_is_refused(macro, score):
    study = optuna.create_study(sampler=SurgenasSampler(macro, RandomSearch()))
    with pytest.raises(UsageError, match='direction="maximize"'):
        study.optimize(lambda trial: score(architecture(macro, trial)), n_trials=1)


def test_a_foreign_optimizer_hears_of_every_network_that_it_was_made_to_try():
    space = make_space("nasbench201", {})
    allowed = {key for i, key in enumerate(list_networks(space).keys) if i % 100 == 0}
    loop = TPE().start(
        space, np.random.default_rng(0), lambda archs: [moves.canonical_key(space, arch) in allowed for arch in archs]
    )
    for _ in range(30):
        (arch,) = loop.ask()
        loop.tell(Trial.of(space, arch, float(len(set(arch.genes)))))
    assert len({trial.key for trial in loop.history}) == 30
    assert {trial.state.name for trial in loop.study.trials} == {"COMPLETE"}, "a cell has many names, one is asked for"
