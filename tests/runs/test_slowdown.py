"""A limit for nine runs of ten is a lower one for the quiet machine, by as much as the machine is slow at times."""

from __future__ import annotations

from dataclasses import replace

import pytest

from surgenas.core.errors import LimitError, UsageError
from surgenas.runs.flow import settle_limit
from surgenas.runs.results import Reached
from surgenas.runs.slowdown import check_percentile, describe_limit, share_of_limit, slowdown, with_slowdown
from tests.runs.written import again, estimated, new_run, timed


def started(folder, latency_as="p90", ms=(2.0, 4.0, 3.0), **words):
    """A run that has measured networks, two runs of ten half as long again."""
    run = new_run(folder, latency_ms=6.0, latency_as=latency_as, **words)
    for i, each in enumerate(ms):
        run.journal.append("measured", step="reach", turn=0, key=str(i), genes=[], cost=timed(each).to_dict())
    return run


@pytest.mark.parametrize(("which", "factor", "limit_ms"), [("p50", 1.0, 6.0), ("p90", 1.5, 4.0)])
def test_the_limit_of_the_quiet_machine_follows_from_all_runs_of_the_run(tmp_path, which, factor, limit_ms):
    run = started(tmp_path / "run", which)
    assert slowdown(run, which) == pytest.approx(factor)
    assert with_slowdown(run, Reached(1.0, 9.0, 5.0, 6.0)).limit_ms == pytest.approx(limit_ms)


def test_a_limit_for_the_quiet_machine_is_as_it_was_asked_for(tmp_path):
    run = started(tmp_path / "run", "quiet")
    reached = Reached(1.0, 9.0, 5.0, 6.0)
    assert with_slowdown(run, reached) == reached
    run.record("reach", reached)
    assert describe_limit(run) == "6 ms"
    assert share_of_limit(run, timed(3.0)) == 0.5


def test_nothing_is_slower_where_nothing_was_timed_or_less_slow_than_quiet(tmp_path):
    run = started(tmp_path / "run", ms=())
    assert slowdown(run, "p90") == 1.0
    run.journal.append("measured", step="reach", turn=0, key="a", genes=[], cost=estimated(2.0).to_dict())
    assert slowdown(run, "p90") == 1.0
    fast = replace(timed(2.0), spreads_ms=((1.0,) * 10,)).to_dict()
    run.journal.append("measured", step="reach", turn=0, key="b", genes=[], cost=fast)
    assert slowdown(run, "p90") == 1.0, "that was a moment"


def test_the_share_of_a_limit_is_of_what_the_limit_is_for(tmp_path):
    run = started(tmp_path / "run")
    run.record("reach", with_slowdown(run, Reached(1.0, 9.0, 5.0, 6.0)))
    assert describe_limit(run) == "6 ms for nine runs of ten (quiet 4 ms)"
    assert share_of_limit(run, timed(4.0)) == pytest.approx(1.0)
    untold = replace(timed(4.0), spreads_ms=())
    assert share_of_limit(run, untold) == pytest.approx(1.0), "by the slowdown of the run"


def test_once_more_is_measured_the_limit_is_settled_and_said_once(tmp_path, listener):
    run = again(started(tmp_path / "run"), listener)
    run.record("reach", Reached(1.0, 9.0, 5.0, 6.0))
    for _ in range(2):
        settle_limit(run)
    assert listener.said == ["as runs come here, the limit is 6 ms for nine runs of ten (quiet 4 ms)"]
    assert run.reached.limit_ms == pytest.approx(4.0)


def test_a_limit_that_turns_out_to_be_too_low_is_refused(tmp_path):
    run = started(tmp_path / "run")
    run.record("reach", Reached(5.0, 9.0, 5.0, 6.0))
    with pytest.raises(LimitError, match=r"limit 6 ms for nine runs of ten \(quiet 4 ms\) cannot be met"):
        settle_limit(run)


def test_a_percentile_needs_a_limit_and_something_that_runs(tmp_path):
    with pytest.raises(UsageError, match="give it with --latency"):
        check_percentile(new_run(tmp_path / "a", latency_as="p90"))
    paper = tmp_path / "paper.toml"
    paper.write_text('estimator = "roofline"\npeak_gmacs = 10.0\nbandwidth_gbs = 5.0\n')
    with pytest.raises(UsageError, match="nothing runs on"):
        check_percentile(new_run(tmp_path / "b", device=str(paper), latency_as="p90", latency_ms=1.0))
    check_percentile(new_run(tmp_path / "c", latency_ms=1.0))
