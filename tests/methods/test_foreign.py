"""Other people's loops: what they repeat, and what may not be judged, is answered without a trial."""

from __future__ import annotations

import numpy as np
import pytest

from surgenas.core import moves
from surgenas.core.trial import Trial
from surgenas.methods.base import allow_all
from surgenas.methods.foreign import TRIES, ForeignLoop


class OneIdea(ForeignLoop):
    """It always proposes the same, and keeps what it is told."""

    def __init__(self, space, *how):
        super().__init__(space, np.random.default_rng(0), *how)
        self.told = []

    def propose(self):
        genes = moves.uniform_architecture(self.space, "skip").genes
        return genes, genes

    def suggest(self, arch):
        return arch.genes

    def answer(self, token, trial):
        self.told.append((token, trial.score))


def test_what_a_foreign_optimizer_repeats_is_answered_without_a_trial_and_replaced(macro):
    loop = OneIdea(macro, allow_all)
    for value in (3.0, 5.0):
        (arch,) = loop.ask()
        loop.tell(Trial.of(macro, arch, value))
    first, second = (trial.arch for trial in loop.history)
    assert first == moves.uniform_architecture(macro, "skip") != second
    assert loop.told[0] == (first.genes, 3.0)
    assert set(loop.told[1:-1]) == {(first.genes, 3.0)}, "the known answer, each time"
    assert len(loop.told) == 2 + TRIES
    assert loop.told[-1] == (second.genes, 5.0)


def test_what_may_not_be_judged_is_as_bad_as_the_worst_seen(macro):
    wanted = moves.uniform_architecture(macro, "k3e3")
    loop = OneIdea(macro, lambda archs: np.array([arch == wanted for arch in archs]))
    loop.tell(Trial.of(macro, moves.uniform_architecture(macro, "k5e6"), -2.0))
    assert loop.ask(2) == [wanted], "nothing else is feasible"
    assert {score for _, score in loop.told} == {-2.0}


def test_before_any_trial_what_may_not_be_judged_waits_for_its_answer(macro):
    wanted = moves.uniform_architecture(macro, "k3e3")
    loop = OneIdea(macro, lambda archs: np.array([arch == wanted for arch in archs]))
    assert loop.ask() == [wanted]
    assert loop.told == [], "nothing is known yet that would be bad"
    loop.tell(Trial.of(macro, wanted, 4.0))
    assert [score for _, score in loop.told] == [4.0] * (1 + TRIES)


def test_what_is_proposed_again_before_it_is_judged_gets_the_trial_of_the_first(macro):
    loop = OneIdea(macro, allow_all)
    first, second = loop.ask(2)
    assert loop.told == []
    loop.tell(Trial.of(macro, second, 1.0))
    assert loop.told == [(second.genes, 1.0)]
    loop.tell(Trial.of(macro, first, 7.0))
    assert loop.told[1:] == [(first.genes, 7.0)] * (1 + TRIES)


def test_a_nevergrad_optimizer_is_told_the_loss(macro):
    pytest.importorskip("nevergrad")
    from surgenas.methods.nevergrad import NevergradLoop

    told = []

    class Optimizer:
        """Asks and tells as Nevergrad's do."""

        def ask(self):
            return self.spawn_child(moves.uniform_architecture(macro, "skip").genes)

        def spawn_child(self, new_value):
            return type("Candidate", (), {"value": new_value})()

        def tell(self, candidate, loss):
            told.append((candidate.value, loss))

        @property
        def parametrization(self):
            return self

    loop = NevergradLoop(macro, np.random.default_rng(0), allow_all, Optimizer())
    for value in (3.0, 5.0):
        (arch,) = loop.ask()
        loop.tell(Trial.of(macro, arch, value))
    first, second = (trial.arch for trial in loop.history)
    assert told[0] == (first.genes, -3.0)
    assert set(told[1:-1]) == {(first.genes, -3.0)}
    assert told[-1] == (second.genes, -5.0)
