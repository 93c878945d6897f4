"""NSGA-II: who survives."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from surgenas.core.errors import UsageError
from surgenas.core.trial import Trial
from surgenas.methods.blackbox import draw_new_at_random
from surgenas.methods.nsga2 import NSGA2, select_survivors

pytest.importorskip("pymoo")


def test_survivors_are_the_first_front_and_its_ends(macro):
    rng = np.random.default_rng(0)
    archs = draw_new_at_random(macro, 60, set(), rng)
    points = rng.random((60, 2))
    trials = [replace(Trial.of(macro, a, s), latency_ms=ms) for a, (s, ms) in zip(archs, points, strict=True)]

    def dominated(t):
        return any(o.score >= t.score and o.latency_ms <= t.latency_ms and o is not t for o in trials)

    front = [trial for trial in trials if not dominated(trial)]
    kept = select_survivors(trials, len(front))
    assert {trial.key for trial in kept} == {trial.key for trial in front}
    ends = {max(front, key=lambda t: t.score).key, min(front, key=lambda t: t.latency_ms).key}
    assert {trial.key for trial in select_survivors(trials, 2)} == ends


def test_a_population_of_one_is_refused():
    with pytest.raises(UsageError, match="population of 2"):
        NSGA2(population=1)


def test_it_asks_for_costs(macro):
    assert NSGA2().needs(macro).priced
