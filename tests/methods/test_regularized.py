"""Regularized evolution: who has a child, and what it may look like."""

from __future__ import annotations

import pytest

from surgenas.core import moves
from surgenas.core.errors import UsageError
from surgenas.methods.regularized import RegularizedEvolution


def test_the_child_of_regularized_evolution_differs_from_one_that_is_alive_in_one_choice(go, macro):
    method = RegularizedEvolution(population=5, tournament=5)
    history = go(method, 30)
    for i in range(5, 30):
        alive = history[i - 5 : i]
        winners = [trial.arch for trial in alive if trial.score == max(t.score for t in alive)]
        assert any(history[i].arch in moves.neighbours(macro, winner) for winner in winners), "all five compete"


def test_a_population_too_large_for_the_trials_is_a_quarter_of_them(go, macro):
    history = go(RegularizedEvolution(trials=20), 6)
    assert history[5].arch in [near for trial in history[:5] for near in moves.neighbours(macro, trial.arch)]


def test_a_tournament_larger_than_the_population_is_refused():
    with pytest.raises(UsageError, match="tournament 6: expected 1 to the population, 5"):
        RegularizedEvolution(population=5, tournament=6)
