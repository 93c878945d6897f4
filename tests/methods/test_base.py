"""What a problem takes for granted, and what a method and its needs look like."""

from __future__ import annotations

from dataclasses import FrozenInstanceError

import pytest

from surgenas.core import moves
from surgenas.methods.base import EpochSummary, Method, Needs, Problem, allow_all
from surgenas.methods.spos import SPOS
from surgenas.spaces.macro import Macro


def test_without_a_limit_everything_meets_it():
    archs = list(moves.enumerate_all(Macro()))[:5]
    assert allow_all(archs).tolist() == [True] * 5
    assert Problem(Macro(), 1.0, 0).feasible(archs).all()
    assert len(allow_all([])) == 0


def test_methods_problems_and_needs_are_frozen_values():
    assert SPOS(epochs=3) == SPOS(epochs=3) != SPOS(epochs=4)
    for value, field in ((SPOS(), "epochs"), (Needs(), "passes"), (Problem(Macro(), 1.0, 0), "seed")):
        with pytest.raises(FrozenInstanceError):
            setattr(value, field, 1)


def test_what_neither_says_what_it_needs_nor_begins_is_no_method():
    assert isinstance(SPOS(), Method)
    assert not isinstance(Needs(), Method)


def test_an_epochs_numbers_are_named():
    with pytest.raises(TypeError):
        EpochSummary(0, 1.0, 0.5, 2.0)
