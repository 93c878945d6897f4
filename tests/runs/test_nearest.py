"""Few of many networks are measured to find the one of a latency."""

from __future__ import annotations

import numpy as np
import pytest

from surgenas.core.cost import Failure
from surgenas.runs.measured import measure
from surgenas.runs.nearest import ALIKE, nearest
from surgenas.spaces.yardstick import yardsticks


@pytest.fixture
def kinds(fresh):
    run = fresh()
    archs = yardsticks(run.space)
    return run, archs, [float(dict(arch.space.settings)["width"]) for arch in archs]


@pytest.mark.parametrize("place", [3, 20, -4])
def test_the_nearest_is_found_from_anywhere_with_few_measurements(kinds, place):
    run, archs, widths = kinds
    (wanted,) = measure(run, "wanted", [archs[place]])
    found, times = nearest(run, "look", archs, widths, widths[len(widths) // 2], wanted.ms)
    assert times == pytest.approx(1, abs=2 * ALIKE)
    (cost,) = measure(run, "check", [found])
    assert abs(np.log(cost.ms / wanted.ms)) <= 2 * ALIKE
    assert len(run.journal.all("measured", step="look")) <= 8


def test_what_a_target_cannot_price_is_said(fresh):
    run = fresh(device="tests.runs.written:SnobbishDevice")
    archs = yardsticks(run.space)
    widths = [float(dict(arch.space.settings)["width"]) for arch in archs]
    found = nearest(run, "look", archs, widths, 1.0, 1.0)
    assert isinstance(found, Failure)
    assert "not that width" in str(found.error)


def test_how_far_the_nearest_is_is_told(kinds):
    run, archs, widths = kinds
    (narrowest,) = measure(run, "narrowest", [archs[0]])
    found, times = nearest(run, "look", archs, widths, widths[0], narrowest.ms / 3)
    assert found == archs[0]
    assert times == pytest.approx(3, rel=0.1)
