"""A scale that was wrong is repaired once: every latency of the run moves, a limit that was asked for does not."""

from __future__ import annotations

import pytest

from surgenas.core.errors import UsageError
from surgenas.hardware.target import Known
from surgenas.hardware.timed.as_it_comes import AsItComes
from surgenas.runs.flow import REOPENED, parted_from_limit
from surgenas.runs.journal import Journal
from surgenas.runs.measured import recorded_scale, repair_scale
from surgenas.runs.names import FOUND
from surgenas.runs.results import Reached
from surgenas.runs.scale import put_on_scale
from surgenas.runs.summary import summarize
from surgenas.testing import ToyDevice
from tests.runs.written import again, new_run, written_run


class Corrected(ToyDevice):
    """Its reference is known to take .6 ms by now; it was calibrated at 1."""

    def known(self, reference):
        return Known(0.6, 0.02)


def slow_start(folder, listener, **words):
    run = written_run(folder, device="tests.runs.test_scale:Corrected", **words)
    run.journal.append("calibrated", reference="toy-reference", reference_ms=1.0)
    return again(run, listener)


def untrained(run):
    run.reopen("train found")
    return run


def test_fields_on_the_scale_move_and_others_stay():
    before = {"slowdown": 1.2, "spreads_ms": [[1.0]],
        "ms": 2.0, "p50_ms": 2.0, "ratio": 2.0, "campaigns_ms": [1.0, 2.0], "steady_ms": None, "asked_ms": 4.0,
              "scale_doubt": 0.5, "deep": [{"latency_ms": 1.0, "name": "ms"}]}  # fmt: skip
    assert put_on_scale(before, 0.5, 0.02) == {
        "slowdown": 2.4, "spreads_ms": [[1.0]],
        "ms": 1.0, "p50_ms": 2.0, "ratio": 2.0, "campaigns_ms": [0.5, 1.0], "steady_ms": None, "asked_ms": 4.0,
        "scale_doubt": 0.02, "deep": [{"latency_ms": 0.5, "name": "ms"}],
    }  # fmt: skip


def test_all_of_a_run_moves_together_and_is_said_once(tmp_path, listener):
    run = slow_start(tmp_path / "run", listener)
    before = summarize(run)
    for _ in range(3):
        repair_scale(run)
    after = summarize(run)
    assert after.limit_ms == pytest.approx(0.6 * before.limit_ms)
    assert after.latency.ms == pytest.approx(0.6 * before.latency.ms)
    assert [n.latency_ms for n in after.beside] == pytest.approx([0.6 * n.latency_ms for n in before.beside])
    assert [n.to_found.ratio for n in after.beside] == pytest.approx([n.to_found.ratio for n in before.beside])
    assert after.predictor.held_out.measured_ms == pytest.approx(
        [0.6 * m for m in before.predictor.held_out.measured_ms]
    )
    assert after.latency.p90 == before.latency.p90 == AsItComes(3.0, (3.0, 3.0)), "is of the wall clock"
    assert recorded_scale(run) == ("toy-reference", pytest.approx(0.6))
    assert run.verified.costs[FOUND].scale_doubt == 0.02
    (line,) = listener.said
    assert "calibrated in a slow moment" in line
    assert summarize(again(run)) == after, "and is read so again"


@pytest.mark.parametrize(("asked_ms", "parted"), [(2.5, True), (None, False)])
def test_a_found_network_is_looked_for_again_only_where_the_limit_stays(tmp_path, listener, asked_ms, parted):
    run = untrained(slow_start(tmp_path / "run", listener))
    run.record("reach", Reached(0.1, 4.0, 2.5, asked_ms))
    assert not parted_from_limit(run)
    repair_scale(run)
    assert parted_from_limit(run) == parted
    assert run.reached.limit_ms == pytest.approx(asked_ms or 0.6 * 2.5)
    run.reopen("derive", "rivals")
    assert not run.is_done("derive")
    assert not run.is_done("rivals")
    assert not parted_from_limit(run)
    with pytest.raises(UsageError, match="derive is not done"):
        _ = run.derived


def test_a_network_that_is_trained_stays_and_so_does_one_looked_for_often_enough(tmp_path, listener):
    trained = slow_start(tmp_path / "trained", listener)
    trained.record("reach", Reached(0.1, 4.0, 2.5, 2.5))
    repair_scale(trained)
    assert not parted_from_limit(trained)
    often = untrained(slow_start(tmp_path / "often", listener))
    often.record("reach", Reached(0.1, 4.0, 2.5, 2.5))
    for _ in range(REOPENED):
        often.reopen("derive", "rivals")
    often.record("derive", trained.derived)
    often.journal.append("rescaled", factor=0.5, doubt=0.1)
    assert not parted_from_limit(often)


def test_what_is_within_the_scatter_of_looks_is_no_repair(tmp_path, listener):
    run = new_run(tmp_path / "run")
    run.journal.append("calibrated", reference="toy-reference", reference_ms=0.99)
    repair_scale(again(run, listener))
    assert listener.said == []
    assert not Journal(tmp_path / "run" / "journal.jsonl").all("rescaled")
