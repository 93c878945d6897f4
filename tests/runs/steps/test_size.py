"""The width of the channels by the limit: 1 where that leaves a choice, else narrower."""

from __future__ import annotations

import pytest

from surgenas.core.space import SpaceSpec
from surgenas.runs.results import Sized
from surgenas.runs.steps.reach import reach
from surgenas.runs.steps.size import NARROWEST, ROOM, size

PAPER = {"device": "roofline-example", "resolution": 48}


def sized(run):
    run.record("size", size(run))
    return run


@pytest.fixture
def low_ms(fresh):
    """The smallest network's latency at width 1."""
    return reach(fresh("wide", **PAPER)).low_ms


def test_a_width_or_no_limit_leaves_the_space_as_it_is(fresh, tmp_path):
    assert size(fresh("none", **PAPER)) is None
    assert size(fresh("said", **PAPER, width=0.5, latency_ms=0.4)) is None
    assert fresh("half", width=0.5).width == 0.5
    assert size(fresh("macro", space="macro", latency_ms=0.01)) is None, "it has no width"
    file = tmp_path / "space.json"
    file.write_text(SpaceSpec.of("mobile", {"width": 0.5, "layout": "small"}).to_json())
    assert size(fresh("file", **PAPER, space=str(file), latency_ms=0.4)) is None


def test_a_limit_that_leaves_a_choice_needs_no_other_width(fresh, low_ms):
    for times in (ROOM, 5.0, 100.0):
        run = sized(fresh(f"at {times}", **PAPER, latency_ms=times * low_ms))
        assert run.result(Sized) == Sized(1.0, low_ms)
        assert run.space.width == run.width == 1.0


@pytest.mark.parametrize("times", [1.5, 1.0, 0.7])
def test_a_lower_limit_has_a_narrower_space_that_leaves_one(fresh, low_ms, times, listener):
    run = sized(fresh(progress=listener, **PAPER, latency_ms=times * low_ms))
    assert NARROWEST <= run.width < 1
    assert run.space.width == run.width
    assert reach(run).low_ms == pytest.approx(times * low_ms / ROOM, rel=0.15)
    assert any(f"channels x {run.width:g}" in line for line in listener.said)


def test_what_no_width_reaches_has_the_narrowest(fresh, low_ms):
    assert sized(fresh(**PAPER, latency_ms=0.001 * low_ms)).width == NARROWEST
