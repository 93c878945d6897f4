"""How many iterations save how much, as settings say."""

from __future__ import annotations

import pytest

from surgenas.methods.netadaptv2 import NetAdaptV2


def test_iterations_save_a_share_each_that_decays():
    method = NetAdaptV2(step=0.1, decay=0.5, iterations=40)
    assert method.reach(1) == pytest.approx(0.1)
    assert method.reach(3) == pytest.approx(0.1 + 0.05 + 0.025)


def test_it_knows_how_many_save_half_of_the_latency():
    assert NetAdaptV2(step=0.1, decay=1.0, iterations=40).halving == 5
    assert NetAdaptV2(step=0.01, decay=0.5, iterations=7).halving == 7, "as many as there are, if none do"
