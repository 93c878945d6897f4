"""What latencies can be reached, and the limit between them."""

from __future__ import annotations

import pytest

from surgenas.core.errors import LimitError
from surgenas.runs.measured import recorded_scale
from surgenas.runs.results import Reached
from surgenas.runs.steps.reach import check_limit, extremes, reach
from tests.runs.written import ROOFLINE


def test_the_least_and_the_largest_network_bound_it_and_half_is_the_limit(fresh):
    run = fresh()
    found = reach(run)
    assert found.low_ms < found.limit_ms < found.high_ms
    assert found.limit_ms == round(found.high_ms / 2, 4)
    smallest, largest = extremes(run, run.space.costs())
    assert set(smallest.genes) == {"skip"}
    assert set(largest.genes) == {"k7e6"}
    assert recorded_scale(run) == ("toy-reference", 1.0)
    assert reach(run) == found
    assert len(run.journal.all("measured")) == 2, "what is known is not asked again"


def test_a_limit_that_was_asked_for_stands(fresh):
    assert reach(fresh(latency_ms=0.05)).limit_ms == 0.05


def test_where_half_is_out_of_reach_the_middle_is_the_limit(fresh):
    found = reach(fresh(space="shuffle"))
    if found.high_ms / 2 <= 1.1 * found.low_ms:
        assert found.limit_ms == pytest.approx((found.low_ms * found.high_ms) ** 0.5, abs=1e-4)
    assert found.low_ms < found.limit_ms < found.high_ms


def test_an_estimator_is_not_calibrated(fresh, tmp_path):
    (tmp_path / "paper.toml").write_text(ROOFLINE)
    run = fresh(device=str(tmp_path / "paper.toml"))
    assert reach(run).low_ms > 0
    assert recorded_scale(run) is None


def test_a_limit_below_everything_names_the_nearest_network(fresh):
    run = fresh()
    run.record("reach", Reached(1.0, 4.0, 0.5))
    with pytest.raises(LimitError, match=r"limit 0.5 ms cannot be met: .* reaches 1 ms to 4 ms on toy.*skip-skip"):
        check_limit(run)


def test_a_limit_above_everything_is_said(fresh, listener):
    run = fresh(progress=listener)
    run.record("reach", Reached(1.0, 4.0, 3.0))
    check_limit(run)
    assert listener.said == []
    run.record("reach", Reached(1.0, 4.0, 9.0))
    check_limit(run)
    assert "the limit 9 ms is above the largest network (4 ms)" in listener.said[0]
    assert listener.said[0].endswith("such as --resolution 64"), "of which the largest takes more than 18 ms"
