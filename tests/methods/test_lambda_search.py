"""A lambda is found by either way, in few searches."""

from __future__ import annotations

import math

import numpy as np
import pytest

from surgenas.methods.lambda_search import TOLERANCE, bisect, has_landed, propose


@pytest.mark.parametrize("way", ["bisection", "bayes"])
def test_lambda_is_found(way):
    """Runtime falls with lambda, in a step and with noise; the searches that it takes are few."""
    rng, tries = np.random.default_rng(0), []
    while not has_landed(tries) and len(tries) < 12:
        x = propose(way, tries, -6.0, -2.0)
        assert -6 <= x <= -2
        tries.append((x, 1.8 / (1 + math.exp(3 * (x + 3.4))) + 0.2 + 0.005 * rng.standard_normal()))
    assert has_landed(tries)
    assert len(tries) <= 9


def test_the_last_try_alone_ends_the_search():
    assert not has_landed([])
    assert not has_landed([(0.0, 1.0), (0.5, 1 + 2 * TOLERANCE)])
    assert has_landed([(0.0, 2.0), (0.5, 1 - TOLERANCE / 2)])


def test_bisection_halves_what_is_left_and_starts_anew_where_tries_contradict():
    assert bisect([], -6.0, -2.0) == -4.0
    assert bisect([(-4.0, 1.5)], -6.0, -2.0) == -3.0, "too slow: a larger lambda"
    assert bisect([(-4.0, 1.5), (-3.0, 0.5)], -6.0, -2.0) == -3.5
    assert bisect([(-3.0, 1.5), (-4.0, 0.5)], -6.0, -2.0) == -4.0
