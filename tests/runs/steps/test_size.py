"""The width of the channels by the limit: 1 where the limit is in the middle of what that reaches, else narrower."""

from __future__ import annotations

import pytest

from surgenas.core.space import SpaceSpec
from surgenas.runs.results import Sized
from surgenas.runs.steps.reach import reach
from surgenas.runs.steps.size import NARROWEST, size

PAPER = {"device": "roofline-example", "resolution": 48}


def sized(run):
    run.record("size", size(run))
    return run


@pytest.fixture
def high_ms(fresh):
    """The largest network's latency at width 1."""
    return reach(fresh("wide", **PAPER)).high_ms


def test_a_width_or_no_limit_leaves_the_space_as_it_is(fresh, tmp_path):
    assert size(fresh("none", **PAPER)) is None
    assert size(fresh("said", **PAPER, width=0.5, latency_ms=0.4)) is None
    assert fresh("half", width=0.5).width == 0.5
    assert size(fresh("macro", space="macro", latency_ms=0.01)) is None, "it has no width"
    file = tmp_path / "space.json"
    file.write_text(SpaceSpec.of("mobile", {"width": 0.5, "layout": "small"}).to_json())
    assert size(fresh("file", **PAPER, space=str(file), latency_ms=0.4)) is None


def test_a_limit_near_the_middle_needs_no_other_width(fresh, high_ms):
    for share in (0.4, 0.5, 0.9, 2.0):
        run = sized(fresh(f"at {share}", **PAPER, latency_ms=share * high_ms))
        assert run.result(Sized) == Sized(1.0, high_ms)
        assert run.space.width == run.width == 1.0


@pytest.mark.parametrize("share", [0.3, 0.2, 0.15])
def test_a_lower_limit_is_half_of_the_largest_of_a_narrower_space(fresh, high_ms, share, listener):
    run = sized(fresh(progress=listener, **PAPER, latency_ms=share * high_ms))
    assert NARROWEST <= run.width < 1
    assert run.space.width == run.width
    assert reach(run).high_ms == pytest.approx(2 * share * high_ms, rel=0.15)
    assert any(f"channels x {run.width:g}" in line for line in listener.said)


def test_what_no_width_reaches_has_the_narrowest(fresh, high_ms):
    assert sized(fresh(**PAPER, latency_ms=0.001 * high_ms)).width == NARROWEST
