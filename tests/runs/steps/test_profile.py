"""Networks measured to learn from: until it no longer helps, and the noisy ones again."""

from __future__ import annotations

import pytest

from surgenas.core.errors import NoisyError
from surgenas.runs.measured import samples
from surgenas.runs.results import Profiled
from surgenas.runs.sampled import REPEATED
from surgenas.runs.steps.profile import BATCH, held_out_error, holds, profile
from surgenas.runs.steps.reach import reach
from surgenas.testing import ToyDevice
from tests.runs.written import HopelessDevice, again


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
    with pytest.raises(NoisyError, match=r"only 0 usable measurements, at least 12 .*surgenas resume"):
        profile(run)
    assert "latency predicted not at all yet after 12 networks" in listener.said


def asked_of(run, turn):
    return len(run.journal.all("measured", step="profile", turn=turn))


def test_what_was_too_noisy_is_measured_anew_by_every_further_attempt(fresh, monkeypatch):
    """Nothing else is, and once it is quiet the step ends."""
    run = fresh(samples=14, device="tests.runs.written:HopelessDevice")
    for attempt in (1, 2):
        with pytest.raises(NoisyError):
            profile(run)
        assert [asked_of(run, turn) for turn in range(4)] == [14] * (1 + attempt) + [0] * (3 - attempt)
    monkeypatch.setattr(HopelessDevice, "measured", ToyDevice.measured)
    assert profile(again(run)).samples == 14
    assert asked_of(again(run), 3) == 14
    assert len(samples(again(run))[0]) == 14


def test_a_profile_that_was_recorded_with_too_few_holds_no_more_and_is_measured_anew(fresh, monkeypatch):
    """Earlier versions recorded it in any case, and could never go on."""
    run = fresh(samples=12, device="tests.runs.written:HopelessDevice")
    with pytest.raises(NoisyError):
        profile(run)
    lines = run.journal.path.read_text().splitlines(keepends=True)
    run.journal.path.write_text("".join(line for line in lines if '"repeat"' not in line))
    run = again(run)
    run.record("profile", Profiled(12, (None,)))
    assert not holds(run)
    monkeypatch.setattr(HopelessDevice, "measured", ToyDevice.measured)
    found = profile(run)
    run.record("profile", found)
    assert holds(run)
    assert len(samples(run)[0]) == 12


def test_fewer_than_are_needed_hold_if_no_more_were_asked_for(fresh):
    run = fresh(samples=4)
    run.record("profile", profile(run))
    assert holds(run)


def test_what_was_reached_counts_too(fresh):
    run = fresh(samples=12)
    reach(run)
    profile(run)
    assert len(samples(run)[0]) >= 12
