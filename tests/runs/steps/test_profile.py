"""Networks measured to learn from: until it no longer helps, and the noisy ones again."""

from __future__ import annotations

from surgenas.runs.measured import samples
from surgenas.runs.results import Profiled
from surgenas.runs.steps.profile import BATCH, REPEATED, held_out_error, profile
from surgenas.runs.steps.reach import reach


def test_as_many_as_asked_are_measured_and_some_twice(fresh):
    run = fresh(samples=14)
    found = profile(run)
    assert found.samples == 14
    assert len(found.held_out_errors) == 1
    assert 0 < found.held_out_errors[0] < 1
    assert len(run.journal.all("measured", step="profile")) == 14
    assert len(run.journal.all("measured", step="profile-again")) == REPEATED
    assert Profiled.from_json(found.to_json()) == found
    assert profile(run) == found
    assert len(run.journal.all("measured", step="profile")) == 14, "what is known is not asked again"


def test_measuring_ends_once_it_no_longer_helps(fresh):
    """Where a tenth of every latency is chance, there is soon nothing left to learn."""
    found = profile(fresh(samples=6 * BATCH, device="tests.runs.written:GrainyDevice"))
    assert found.samples == len(found.held_out_errors) * BATCH < 6 * BATCH
    assert len(found.held_out_errors) >= 3


def test_noisy_ones_are_measured_again_more_patiently(fresh, listener):
    run = fresh(progress=listener, samples=12, device="tests.runs.written:BusyDevice")
    profile(run)
    assert "12 of 12 measurements were too noisy; repeating them" in listener.said
    assert len(samples(run)[0]) == 12, "the patient ones count"


def test_too_few_to_say_are_said_to_be(fresh, listener):
    run = fresh(progress=listener, samples=12, device="tests.runs.written:HopelessDevice")
    assert held_out_error(run) == float("inf")
    assert profile(run).held_out_errors == (None,)
    assert "latency predicted not at all yet after 12 networks" in listener.said


def test_what_was_reached_counts_too(fresh):
    run = fresh(samples=12)
    reach(run)
    profile(run)
    assert len(samples(run)[0]) >= 12
