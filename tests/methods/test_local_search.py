"""Local search: around the best, and anew where nothing is better."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from surgenas.core import moves
from surgenas.core.trial import Trial
from surgenas.methods.local_search import LocalSearch


def test_local_search_goes_around_the_best_and_starts_anew_at_a_local_optimum(go, macro):
    method = LocalSearch(starts=3)
    history = go(method, 60)
    best = max(history[:3], key=lambda trial: trial.score)
    near = moves.neighbours(macro, best.arch)
    assert history[3].arch in near
    everything = [Trial.of(macro, arch, 0.0) for arch in near]
    stuck = [*[replace(t, score=-1.0) for t in history[:2]], replace(best, score=1.0), *everything]
    stuck = [trial for i, trial in enumerate(stuck) if trial.key not in {t.key for t in stuck[:i]}]
    (new,) = method.ask(macro, stuck, 1, np.random.default_rng(0))
    assert new not in near


def test_the_first_better_neighbour_is_the_next_centre(macro):
    method = LocalSearch(starts=1)
    first = moves.uniform_architecture(macro, "skip")
    better = moves.neighbours(macro, first)[0]
    history = [Trial.of(macro, first, 0.0), Trial.of(macro, better, 1.0)]
    asked = method.ask(macro, history, 50, np.random.default_rng(0))
    assert set(asked) <= set(moves.neighbours(macro, better))
    assert not {first, better} & set(asked)
