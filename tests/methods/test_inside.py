"""What is inside a limit is what the predictor says, of gates in between too, at the limit that counts when asked."""

from __future__ import annotations

import numpy as np
import pytest

from surgenas.core import moves
from surgenas.methods.inside import Inside
from tests.accuracy.toys import Links, Megas, drawn

SPACE = Links()


def test_the_limit_is_that_of_the_moment():
    limit = [0.0]
    inside = Inside(SPACE, Megas(SPACE.costs()), lambda: limit[0])
    archs = drawn(SPACE, 20)
    ms = inside.latency_ms(moves.encode(SPACE, archs))
    assert not inside(archs).any()
    limit[0] = float(np.median(ms))
    assert inside(archs).tolist() == (ms <= limit[0]).tolist()
    assert 0 < inside(archs).sum() < 20


def test_what_has_to_be_met_beside_the_limit_counts_too():
    archs = drawn(SPACE, 20)
    odd = np.arange(20) % 2 == 1
    assert Inside(SPACE, Megas(SPACE.costs()), lambda: np.inf, lambda _: odd)(archs).tolist() == odd.tolist()


def test_sizes_in_between_take_times_in_between():
    inside = Inside(SPACE, Megas(SPACE.costs()), lambda: 1.0)
    low, high, middle = ([[width] * 3 + [10.0] * 3] for width in (8.0, 16.0, 12.0))
    ms = [inside.latency_ms(SPACE.gates_at(np.array(values)))[0] for values in (low, middle, high)]
    assert ms == sorted(ms)
    assert ms[1] == pytest.approx(sum(12 * 22 * 4**m for m in (1, 2, 3)) / 1e3, rel=1e-5)
