"""What is remembered of an architecture that was tried."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from surgenas.core import moves
from surgenas.core.errors import UsageError
from surgenas.core.trial import Trial
from surgenas.spaces.macro import Macro
from surgenas.spaces.nasbench201 import NASBench201

SPACE = Macro()


@given(st.integers(0, 2**32), st.floats(allow_nan=False))
@settings(max_examples=30, deadline=None)
def test_a_trial_knows_its_network_and_its_score(seed, score):
    arch = moves.sample(SPACE, np.random.default_rng(seed))
    trial = Trial.of(SPACE, arch, score)
    assert (trial.arch, trial.score, trial.rung) == (arch, score, 0)
    assert trial.key == moves.canonical_key(SPACE, arch)
    assert math.isnan(trial.latency_ms), "nobody asked for it"


def test_trials_of_one_network_share_a_key_but_keep_their_genes():
    """Whatever is done to nothing is nothing."""
    space = NASBench201()
    cells = (
        "|none~0|+|skip_connect~0|nor_conv_3x3~1|+|none~0|none~1|nor_conv_1x1~2|",
        "|none~0|+|skip_connect~0|none~1|+|none~0|avg_pool_3x3~1|nor_conv_1x1~2|",
    )
    one, other = (Trial.of(space, space.parse(cell), 0.1) for cell in cells)
    assert one.key == other.key
    assert one != other


def test_an_architecture_of_another_space_cannot_be_tried():
    with pytest.raises(UsageError, match="another space"):
        Trial.of(SPACE, moves.uniform_architecture(Macro(classes=3), "skip"), 0.5)
