"""Successive halving: who goes up."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from surgenas.core.errors import UsageError
from surgenas.core.trial import Trial
from surgenas.methods.blackbox import AskTell
from surgenas.methods.halving import SuccessiveHalving


def test_halving_sends_the_best_of_each_rung_up_and_no_others(macro, score):
    method = SuccessiveHalving(rungs=3, eta=3)
    search = AskTell(macro, method, np.random.default_rng(0))
    for _ in range(200):
        (arch,) = search.ask()
        rung = sum(trial.arch == arch for trial in search.history)
        search.tell(replace(Trial.of(macro, arch, score(arch) + rung), rung=rung))
    counts = [sum(trial.rung == rung for trial in search.history) for rung in range(3)]
    assert counts[1] == pytest.approx(counts[0] / 3, abs=3)
    assert counts[2] == pytest.approx(counts[1] / 3, abs=3)
    for low, high in ((0, 1), (1, 2)):
        risen = {trial.key for trial in search.history if trial.rung == high}
        below = [trial for trial in search.history if trial.rung == low]
        assert min(t.score for t in below if t.key in risen) >= np.median([t.score for t in below])


def test_one_rung_is_refused():
    with pytest.raises(UsageError, match="2 or more rungs"):
        SuccessiveHalving(rungs=1)


def test_it_needs_a_cheaper_fidelity(macro):
    assert SuccessiveHalving().needs(macro).rungs == 2
