"""Integer programmes: the best whole numbers, none at all, and not a word on standard output."""

from __future__ import annotations

import numpy as np
from scipy.optimize import Bounds, LinearConstraint

from surgenas.core.allocation import allocate
from surgenas.core.programme import minimise

BOTH = [LinearConstraint(np.array([[1.0, 1.0]]), 1.5, np.inf)]


def test_whole_numbers_are_whole_and_others_are_not():
    found = minimise(np.array([1e-9, 3e-9]), BOTH, np.array([1.0, 0.0]), Bounds(0, 1))
    assert np.allclose(found, [1.0, 0.5])
    assert np.allclose(minimise(np.array([1.0, 3.0]), BOTH, np.ones(2), Bounds(0, 1)), [1.0, 1.0])


def test_rules_that_nothing_keeps_have_no_answer():
    assert minimise(np.ones(2), BOTH, np.ones(2), Bounds(0, 0.5)) is None


def test_the_solver_says_nothing(capfd):
    """One of the programmes at which scipy 1.17.1 writes to standard output."""
    rng = np.random.default_rng(30)
    losses, first = 10 ** rng.uniform(-8, -3, 50), 10 ** rng.uniform(-3, -0.5, 50)
    second = first * rng.uniform(0.3, 1.3, 50)
    cap = first.sum() - rng.uniform(0.1, 0.9) * (first - np.minimum(first, second)).sum()
    costs = [np.array([[a], [b]]) for a, b in zip(first, second, strict=True)]
    assert len(allocate([np.array([0, loss]) for loss in losses], costs, np.array([cap]))) == 50
    assert capfd.readouterr() == ("", "")
