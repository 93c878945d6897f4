"""Random search is uniform over gene strings."""

from __future__ import annotations

import numpy as np

from surgenas.core import moves
from surgenas.methods.random_search import RandomSearch


def test_random_is_uniform_without_repeats(go, macro):
    history = go(RandomSearch(), 400)
    assert len({trial.key for trial in history}) == 400
    counts = np.array([moves.indices(macro, trial.arch) for trial in history])
    assert np.abs([(counts == k).mean() for k in range(3)] - np.full(3, 1 / 3)).max() < 0.03
